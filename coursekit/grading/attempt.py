"""Put the tests of questions to answers in the sandbox; what they tell of hidden tests is little."""

from collections import Counter
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from coursekit.grading.exercise import Question
from coursekit.grading.hiding import hide
from coursekit.grading.problem import NoValue, Outcome, Problem
from coursekit.grading.room import Room
from coursekit.grading.session import Session
from coursekit.grading.stage import USED_UP, Stage
from coursekit.grading.tests import Tests, run_tests

NOT_AGAIN = Problem("timeout", "not called again, since it hung or ended the process before.")


class Attempt(AbstractContextManager):
    """One way of putting the tests to a submission: with some of its answer cells, in one stage.

    Args:
        stage: in which the cells run.
        room: for the values; once they do not fit, none are kept.

    Attributes:
        values: (key, "public" or "hidden") -> what the calls returned, a `Problem` where they failed.
    """

    def __init__(self, stage: Stage, room: Room):
        self.stage, self.room = stage, room
        self.values: dict[tuple[str, str], list[Any]] = {}
        self._stops: Counter[str] = Counter()
        self._probed: tuple[Session | None, str, Problem | None] = (None, "", None)

    def __exit__(self, *_: object) -> None:
        if self.stage.session is not None:
            self.stage.session.close()

    def outcomes(self, question: Question, which: str, tests: Tests, seed: int) -> list[Outcome]:
        """Put the public or the hidden tests of a question to its answer."""
        values = self.values[question.key, which] = []
        self.stage.hiding |= which == "hidden"

        def target(*args: Any, **keywords: Any) -> Any:
            value = self._call(question, list(args), keywords)
            value = hide(value) if which == "hidden" and isinstance(value, Problem) else value
            if self.room.holds(value):
                values.append(value)
            else:
                values.clear()
            return value

        with np.errstate(all="ignore"):  # strange values are no reason to warn the instructor
            return run_tests(tests, target, seed)

    def _call(self, question: Question, args: list[Any], keywords: dict[str, Any]) -> Any:
        if missing := _missing([args, keywords]):
            return missing.problem
        key, stage = question.key, self.stage
        if self._stops[key] >= stage.worker.limits.stops:
            return NOT_AGAIN
        session = stage.ready()
        if problem := self._probe(question, session):
            return problem
        seconds = min(stage.worker.limits.call, stage.budget.left(key))
        if seconds <= 0:
            return USED_UP
        with stage.budget.charge(key):
            value = session.call(question.target, args, keywords, seconds)
        self._stops[key] += not session.alive
        late = isinstance(value, Problem) and value.kind == "timeout" and seconds < stage.worker.limits.call
        return USED_UP if late else value

    def _probe(self, question: Question, session: Session) -> Problem | None:
        """Run the question's probe, if another question's was the last in this session."""
        if self._probed[:2] != (session, question.key):
            problem = self.stage.run(question.key, question.probe, "probe") if question.probe else None
            self._probed = (session, question.key, problem)
            self._stops[question.key] += not session.alive
        return self._probed[2]


def _missing(value: Any) -> NoValue | None:
    """The first value among arguments that an earlier call should have given and did not."""
    if isinstance(value, NoValue):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return next((found for part in parts if (found := _missing(part)) is not None), None)
