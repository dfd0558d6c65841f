"""The student's side: run public checks in the notebook and count the points. It needs no network."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from tqdm import tqdm

from coursekit.grading import randomness
from coursekit.grading.compare import Outcome, outcomes
from coursekit.grading.feedback import Feedback, Score
from coursekit.grading.guard import Guard

SEED = 0
PATIENCE = 1.0  # seconds until a progress bar appears


class Sheet:
    """The answer sheet of one exercise.

    Args:
        exercise: its name, such as "03-vae".
        points: of each question that is graded by checks, by key.
        by_hand: of each question that is graded by hand, by key.
    """

    def __init__(self, exercise: str, points: Mapping[str, int], by_hand: Mapping[str, int] | None = None):
        self.exercise, self.points, self.by_hand = exercise, dict(points), dict(by_hand or {})
        self._outcomes: dict[str, tuple[Outcome, ...]] = {}

    def check(self, key: str, target: Callable[..., Any], public: Callable) -> None:
        """Run the public checks of a question and show what passed, what failed and why.

        The checks draw the same numbers each time, and leave the global random states as they were.

        Args:
            key: of the question.
            target: the answer, or the probe that calls it.
            public: generator of (name, value, expected) or (name, value, expected, tolerance).

        Raises:
            ValueError: the sheet has no such question.
        """
        self._require(key)
        with randomness.seeded(SEED):
            running = outcomes(public, Guard(target))
            bar = tqdm(running, desc=key, unit=" checks", delay=PATIENCE, leave=False, file=sys.stdout)
            self._outcomes[key] = tuple(bar)
        total = sum(self._reached(other) or 0 for other in self.points)
        reached, of = self._reached(key) or 0, self.points.get(key)
        _show(Feedback(key, self._outcomes[key], reached, of, total, sum(self.points.values())))

    def passed(self, key: str) -> bool:
        """Whether the last check of a question passed in full; False before the first.

        Raises:
            ValueError: the sheet has no such question.
        """
        self._require(key)
        found = self._outcomes.get(key, ())
        return bool(found) and all(outcome.problem is None for outcome in found)

    def ready(self, *keys: str) -> bool:
        """Whether these questions have passed; if not, the cell that asks says what it waits for.

        Raises:
            ValueError: the sheet has no such question.
        """
        missing = [key for key in keys if not self.passed(key)]
        if missing:
            print(f"This cell waits for {' and '.join(missing)}. Answer, check, and run it again.")
        return not missing

    def score(self) -> None:
        """Show the points of all questions."""
        questions = tuple((key, self._reached(key), of) for key, of in self.points.items())
        _show(Score(self.exercise, questions, self.by_hand))

    def _require(self, key: str) -> None:
        if key not in self.points and key not in self.by_hand:
            known = ", ".join([*self.points, *self.by_hand])
            raise ValueError(f"{self.exercise} has no question {key!r}; it has {known}.")

    def _reached(self, key: str) -> float | None:
        """Points by the public checks; None before the first check."""
        found = self._outcomes.get(key)
        if not found:
            return None
        share = sum(outcome.problem is None for outcome in found) / len(found)
        return round(share * self.points.get(key, 0), 2)


def _show(result: Feedback | Score) -> None:
    """As a table where IPython runs, else as text."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(result)
    else:
        print(result)
