"""Which of the master's wrong answers a failing answer behaves like."""

from dataclasses import dataclass, field
from typing import Any

from coursekit.grading.compare import compare
from coursekit.grading.exercise import Question
from coursekit.grading.problem import Outcome, Problem
from coursekit.grading.tests import Tests, run_tests
from coursekit.grading.trial import Trial


@dataclass(frozen=True)
class Behaviour:
    """What tests saw of an answer: outcomes, and the values (or problems) of all calls."""

    outcomes: list[Outcome]
    values: list[Any]

    def like(self, other: "Behaviour") -> bool:
        """Whether the same checks pass, and the calls return the same values or fail in the same way."""
        passed = [outcome.problem is None for outcome in self.outcomes]
        if passed != [outcome.problem is None for outcome in other.outcomes]:
            return False
        return len(self.values) == len(other.values) and all(map(_alike, self.values, other.values))


@dataclass
class Likeness:
    """The wrong answers of an exercise, run in this process: masters are trusted.

    Args:
        trial: runs them.
        seed: of the public tests; the behaviour in these is computed once.
    """

    trial: Trial
    seed: int
    _public: dict[tuple[str, str], Behaviour] = field(default_factory=dict)

    def label(
        self, question: Question, tests: dict[str, Tests], found: dict[str, Behaviour], seed: int
    ) -> str | None:
        """Label of the first wrong answer that behaves like an answer in all tests; None if none does.

        Args:
            question: which was answered.
            tests: "public" and "hidden".
            found: behaviour of the answer in these.
            seed: of the hidden tests.
        """
        for label, source in question.wrong:
            place = question.key, label
            if place not in self._public:
                self._public[place] = self.behaviour(question, source, tests["public"], self.seed)
            if found["public"].like(self._public[place]):
                hidden = self.behaviour(question, source, tests["hidden"], seed)
                if found["hidden"].like(hidden):
                    return label
        return None

    def names(self, question: Question, tests: dict[str, Tests]) -> dict[str, list[str]]:
        """The names of all checks, "public" and "hidden", as the solution meets them."""
        seen = {
            which: self.behaviour(question, question.answer, each, self.seed) for which, each in tests.items()
        }
        return {which: [outcome.name for outcome in found.outcomes] for which, found in seen.items()}

    def behaviour(self, question: Question, source: str, tests: Tests, seed: int) -> Behaviour:
        """The behaviour of an answer of the master."""
        target = self.trial.target(question, source)
        values: list[Any] = []

        def recorded(*args: Any, **keywords: Any) -> Any:
            values.append(target(*args, **keywords))
            return values[-1]

        return Behaviour(run_tests(tests, recorded, seed), values)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, Problem) or isinstance(other, Problem):
        return isinstance(one, Problem) and isinstance(other, Problem) and one.kind == other.kind
    return compare(one, other) is None
