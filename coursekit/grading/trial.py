"""Try answers on the tests of their question, in this process: for masters, whose authors are trusted."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coursekit.grading import randomness
from coursekit.grading.compare import Outcome, family
from coursekit.grading.exercise import Exercise, Question
from coursekit.grading.guard import Guard, explain
from coursekit.grading.problem import Problem
from coursekit.grading.tests import Tests, execute, prelude, question_tests, run_tests

PLAIN = ("tensor", "bool", "number", "text", "NoneType")


@dataclass(frozen=True)
class Check:
    """One outcome: of which generator ("public" or "hidden"), its name and its problem."""

    which: str
    name: str
    problem: Problem | None


class Trial:
    """All questions of an exercise that are graded by tests, with the names that their answers see.

    A question's answers see the prelude and the solutions of the questions before it.
    """

    def __init__(self, exercise: Exercise):
        self.exercise = exercise
        self.names = prelude(exercise)

    def tests(self, question: Question) -> dict[str, Tests]:
        """Its public and hidden tests.

        Raises:
            ValueError: a cell fails or does not define its generator.
        """
        return question_tests(question, self.names)

    def target(self, question: Question, answer: str) -> Guard:
        """What the tests call, defined by an answer.

        Raises:
            ValueError: the answer or the probe fails when it is run, or does not define the target.
        """
        names = dict(self.names)
        try:
            with randomness.seeded(0):
                for source in (*self._before(question), answer, question.probe):
                    execute(source, names, question.key)
        except Exception as error:
            raise ValueError(explain(error)) from error
        if not callable(names.get(question.target)):
            raise ValueError(f"it defines no function {question.target!r}, which the check calls.")
        return Guard(names[question.target])

    def run(self, question: Question, target: Callable[..., Any], seed: int) -> list[Check]:
        """All checks, public and hidden; warnings of wrong answers are of no interest."""
        found: list[tuple[str, Outcome]] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for which, tests in self.tests(question).items():
                found += [(which, outcome) for outcome in run_tests(tests, target, seed)]
        return [Check(which, outcome.name, outcome.problem) for which, outcome in found]

    def _before(self, question: Question) -> list[str]:
        keys = list(self.exercise.questions)
        earlier = [self.exercise.questions[key] for key in keys[: keys.index(question.key)]]
        return [other.answer for other in earlier if other.kind == "code"]


class Plainly:
    """A target that notes which arguments and values could not be sent to another process."""

    def __init__(self, target: Callable[..., Any]):
        self.target = target
        self.found: list[str] = []

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        value = self.target(*args, **keywords)
        for what, thing in (("an argument", [*args, *keywords.values()]), ("a value", value)):
            if not isinstance(thing, Problem) and (kind := unplain(thing)):
                self.found.append(f"{what} of type {kind}")
        return value


def unplain(value: Any) -> str:
    """Type of the first part that is no tensor, array, number, bool, text or None; "" if all is plain."""
    kind = family(value)
    if kind in ("sequence", "dict"):
        parts = [*value, *value.values()] if kind == "dict" else value
        return next((found for part in parts if (found := unplain(part))), "")
    return "" if kind in PLAIN or (kind == "array" and value.dtype.kind != "O") else type(value).__name__
