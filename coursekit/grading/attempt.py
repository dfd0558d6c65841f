"""Run answer cells in the sandbox and put the tests to them; start again without what hangs or kills."""

import builtins
import contextlib
import re
from collections import Counter
from typing import Any

import numpy as np

from coursekit.grading.budget import Budget
from coursekit.grading.exercise import Question
from coursekit.grading.problem import NoValue, Outcome, Problem
from coursekit.grading.remote import Worker
from coursekit.grading.session import Session
from coursekit.grading.tests import Tests, run_tests

HIDDEN = {
    "inplace": "the call changed an argument in place.",
    "randomness": "the call changed a global random state.",
    "type": "a value of the wrong type came.",
    "timeout": "no result in time.",
    "died": "the process ended.",
    "protocol": "the answer wrote to the grader's channel.",
}


class Attempt:
    """Some answer cells of one submission.

    Args:
        worker: in which they run.
        cells: (key, source), in the order in which they run.
        budget: from which their time is taken.

    Attributes:
        faults: key -> what went wrong when its cells ran.
        values: (key, "public" or "hidden") -> what the calls returned, a `Problem` where they failed.
    """

    def __init__(self, worker: Worker, cells: list[tuple[str, str]], budget: Budget):
        self.worker, self.cells, self.budget = worker, cells, budget
        self.faults: dict[str, Problem] = {}
        self.values: dict[tuple[str, str], list[Any]] = {}
        self._left_out: set[int] = set()
        self._stops: Counter[str] = Counter()
        self._session: Session | None = None
        self._probed: tuple[str, Problem | None] = ("", None)

    def __enter__(self) -> "Attempt":
        return self

    def __exit__(self, *_: object) -> None:
        if self._session is not None:
            self._session.close()

    def outcomes(self, question: Question, which: str, tests: Tests, seed: int) -> list[Outcome]:
        """Put the public or the hidden tests of a question to its answer."""
        values = self.values[question.key, which] = []

        def target(*args: Any, **keywords: Any) -> Any:
            value = self._call(question, list(args), keywords)
            values.append(hide(value) if which == "hidden" and isinstance(value, Problem) else value)
            return values[-1]

        with np.errstate(all="ignore"):  # strange values are no reason to warn the instructor
            return run_tests(tests, target, seed)

    def _call(self, question: Question, args: list[Any], keywords: dict[str, Any]) -> Any:
        if missing := _missing([args, keywords]):
            return missing.problem
        key, limits = question.key, self.worker.limits
        if self._stops[key] >= limits.stops:
            return Problem("timeout", "not called again, since it hung or ended the process before.")
        problem = self._prepare(question)
        seconds = min(limits.call, self.budget.left(key))
        if problem or seconds <= 0:
            return problem or Problem("timeout", "the time for this question is used up.")
        with self.budget.charge(key):
            value = self._session.call(question.target, args, keywords, seconds)
        self._stops[key] += not self._session.alive
        return value

    def _prepare(self, question: Question) -> Problem | None:
        """See that a session is alive in which the cells and this question's probe have run."""
        while self._session is None or not self._session.alive:
            first = self._session is None
            self._probed = ("", None)
            self._session = self.worker.session()
            self._run_cells(first)
        key = question.key
        if self._probed[0] != key and question.probe:
            problem = self._run(key, question.probe, "probe")
            self._probed = (key, problem)
            self._stops[key] += not self._session.alive
        return self._probed[1] if self._probed[0] == key else None

    def _run_cells(self, first: bool) -> None:
        """Run all cells, those that raise once more at the end. What hangs or kills is left out for good."""
        again = []
        for last in (False, True):
            for place in again if last else sorted(set(range(len(self.cells))) - self._left_out):
                key, source = self.cells[place]
                problem = self._run(key, source, f"answer to {key}, cell {place + 1}", own=first)
                if problem is not None and (last or problem.kind != "exception"):
                    self.faults[key] = problem
                if not self._session.alive:
                    self._leave_out(place)
                    return
                if problem is not None and not last:
                    again.append(place)

    def _leave_out(self, place: int) -> None:
        """Leave out a cell, and all of its question if it is not the first such cell."""
        key = self.cells[place][0]
        self._left_out.add(place)
        if sum(self.cells[other][0] == key for other in self._left_out) >= self.worker.limits.stops:
            self._left_out |= {n for n, cell in enumerate(self.cells) if cell[0] == key}

    def _run(self, key: str, source: str, name: str, own: bool = True) -> Problem | None:
        """Run a cell; it costs its question time, but not where it runs again for the sake of another one."""
        seconds = min(self.worker.limits.cell, self.budget.left(key if own else ""))
        if seconds <= 0:
            return Problem("timeout", "the time for this question is used up.")
        with self.budget.charge(key) if own else contextlib.nullcontext():
            return self._session.run(source, name, seconds)


def hide(problem: Problem) -> Problem:
    """What may be told of a hidden test: the kind, and the type of an exception if it is Python's own."""
    if problem.kind != "exception":
        return Problem(problem.kind, HIDDEN.get(problem.kind, "the call failed."))
    kind = getattr(builtins, re.match(r"\w*", problem.text)[0], None)
    known = isinstance(kind, type) and issubclass(kind, BaseException)
    return Problem("exception", kind.__name__ if known else "an exception was raised.")


def _missing(value: Any) -> NoValue | None:
    """The first value among arguments that an earlier call should have given and did not."""
    if isinstance(value, NoValue):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return next((found for part in parts if (found := _missing(part)) is not None), None)
