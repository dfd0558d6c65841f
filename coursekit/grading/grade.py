"""Grade one submission: a pure function of its cells, the master, the limits and a seed."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from coursekit.grading.attempt import Attempt
from coursekit.grading.budget import Budget
from coursekit.grading.exercise import Exercise, Question
from coursekit.grading.likeness import Behaviour, Likeness
from coursekit.grading.limits import Limits
from coursekit.grading.parts import Parts, find
from coursekit.grading.problem import Outcome, Problem
from coursekit.grading.remote import Worker
from coursekit.grading.sandbox import Sandbox
from coursekit.grading.sheet import SEED
from coursekit.grading.trial import Trial

Cells = list[tuple[str, str]]
STOPS = ("timeout", "died", "protocol")
NOT_REACHED = Problem("type", "not reached: the checks can't go on with what came before.")


@dataclass(frozen=True)
class Graded:
    """One question as one attempt went: behaviour in the "public" and in the "hidden" tests."""

    found: dict[str, Behaviour]
    fault: Problem | None

    @property
    def outcomes(self) -> list[tuple[str, Outcome]]:
        """(which, outcome) of all checks."""
        return [(which, outcome) for which, seen in self.found.items() for outcome in seen.outcomes]

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(outcome.problem is None for _, outcome in self.outcomes)

    @property
    def full(self) -> bool:
        """Whether all did."""
        return self.passed == len(self.outcomes)


def grade(cells: Cells, exercise: Exercise, sandbox: Sandbox, limits: Limits, seed: int) -> dict[str, Any]:
    """Grade one submission; for many use one `Grader`. See `Grader` and `Grader.grade`."""
    with Grader(exercise, sandbox, limits) as grader:
        return grader.grade(cells, seed)


class Grader:
    """Grades submissions of one exercise, one after the other, in one sandboxed worker.

    Args:
        exercise: the master.
        sandbox: see `choose`.
        limits: of each submission.

    Raises:
        ValueError: the master's tests or solutions fail.
    """

    def __init__(self, exercise: Exercise, sandbox: Sandbox, limits: Limits | None = None):
        self.exercise, self.limits = exercise, limits or Limits()
        self.trial = Trial(exercise)
        self.questions = {key: q for key, q in exercise.questions.items() if q.kind == "code"}
        self.tests = {key: self.trial.tests(question) for key, question in self.questions.items()}
        self.likeness = Likeness(self.trial, SEED)
        self.names = {key: self._names(question) for key, question in self.questions.items()}
        self.worker = Worker(sandbox, exercise.prelude, self.limits)

    def __enter__(self) -> "Grader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker."""
        self.worker.close()

    def grade(self, cells: Cells, seed: int) -> dict[str, Any]:
        """Grade one submission.

        Args:
            cells: (cell type, source) of its notebook.
            seed: of the hidden tests' random inputs; to be different for each submission.

        Returns:
            what JSON can hold: exercise, version, status, score, max, seconds, questions by key, notes.

        Raises:
            SandboxError: the sandbox does not start.
        """
        start, parts, budget = time.monotonic(), find(cells, self.exercise), Budget(self.limits)
        graded = self._attempt(parts, set(self.questions), budget, seed)
        for key, first in graded.items():
            graded[key] = self._best(key, first, parts, budget, seed)
        questions = {
            key: self._report(question, parts, graded.get(key), budget, seed)
            for key, question in self.exercise.questions.items()
        }
        return {
            "exercise": self.exercise.name,
            "version": self.exercise.version,
            "status": "graded",
            "score": round(sum(question["points"] or 0 for question in questions.values()), 2),
            "max": self.exercise.points,
            "seconds": round(time.monotonic() - start, 3),
            "questions": questions,
            "notes": parts.notes,
        }

    def _attempt(
        self, parts: Parts, keys: set[str], budget: Budget, seed: int, only: str = ""
    ) -> dict[str, Graded]:
        """Run the answers to some questions together and put the tests of all, or of one only, to them.

        All public tests come before all hidden ones, so no message that students read knows of hidden inputs.
        """
        asked = [key for key in self.questions if key in parts.answers and key in ({only} if only else keys)]
        found: dict[str, dict[str, Behaviour]] = {key: {} for key in asked}
        with Attempt(self.worker, parts.cells(keys), budget) as attempt:
            for which in ("public", "hidden"):
                for key in asked:
                    tests = self.tests[key][which]
                    came = attempt.outcomes(self.questions[key], which, tests, seed_of(key, which, seed))
                    padded = self._padded(key, which, came)
                    found[key][which] = Behaviour(padded, attempt.values[key, which])
            return {key: Graded(seen, attempt.faults.get(key)) for key, seen in found.items()}

    def _best(self, key: str, first: Graded, parts: Parts, budget: Budget, seed: int) -> Graded:
        """The best of the first and further attempts: another answer must not cost this one its points."""
        best = first
        for keys in self._others(key, parts):
            if best.full or budget.left(key) <= 0:
                break
            again = self._attempt(parts, keys, budget, seed, only=key)[key]
            best = again if again.passed > best.passed else best
        return best

    def _others(self, key: str, parts: Parts) -> Iterator[set[str]]:
        """Which answers to try a question with: its own alone, and those up to it."""
        answered = [other for other in dict.fromkeys(parts.order) if other in self.questions]
        before = set(answered[: answered.index(key) + 1])
        if len(answered) > 1:
            yield {key}
        if 1 < len(before) < len(answered):
            yield before

    def _padded(self, key: str, which: str, came: list[Outcome]) -> list[Outcome]:
        """As many outcomes as the solution gets, under the same names."""
        names = self.names[key][which]
        came = came[: len(names)]
        same = [Outcome(name, outcome.problem) for name, outcome in zip(names, came, strict=False)]
        return same + [Outcome(name, NOT_REACHED) for name in names[len(came) :]]

    def _names(self, question: Question) -> dict[str, list[str]]:
        """The names of all checks, told by the solution."""
        seen = {
            which: self.likeness.behaviour(question, question.answer, tests, SEED).outcomes
            for which, tests in self.tests[question.key].items()
        }
        return {which: [outcome.name for outcome in outcomes] for which, outcomes in seen.items()}

    def _report(
        self, question: Question, parts: Parts, graded: Graded | None, budget: Budget, seed: int
    ) -> dict[str, Any]:
        """What is told of one question."""
        key, checks, points, like = question.key, [], None, None
        if question.kind == "code":
            graded = graded or self._unanswered(key)
            points = round(question.points * graded.passed / max(len(graded.outcomes), 1), 2)
            checks = [_check(which, outcome) for which, outcome in graded.outcomes]
            if key in parts.answers and not graded.full:
                hidden = seed_of(key, "hidden", seed)
                like = self.likeness.label(question, self.tests[key], graded.found, hidden)
        return {
            "kind": question.kind,
            "points": points,
            "max": question.points,
            "seconds": round(budget.spent[key], 3),
            "reason": _reason(question, parts.text(key), graded),
            "checks": checks,
            "like": like,
            "answer": parts.text(key),
        }

    def _unanswered(self, key: str) -> Graded:
        missing = Problem("type", "there is no answer.")
        outcomes = {w: [Outcome(name, missing) for name in names] for w, names in self.names[key].items()}
        return Graded({which: Behaviour(seen, []) for which, seen in outcomes.items()}, None)


def seed_of(key: str, which: str, seed: int) -> int:
    """Seed of one generator of tests; the public one is that of the student's own notebook."""
    if which == "public":
        return SEED
    return int.from_bytes(hashlib.sha256(f"{seed} {key}".encode()).digest()[:7])


def _check(which: str, outcome: Outcome) -> dict[str, Any]:
    problem = outcome.problem
    shown = None if problem is None else {"kind": problem.kind, "text": problem.text}
    return {"name": outcome.name, "which": which, "passed": problem is None, "problem": shown}


def _reason(question: Question, answer: str, graded: Graded | None) -> str:
    """Why points are missing, where it is not for the values that came; "" otherwise."""
    if not answer:
        return "no answer"
    if answer.strip() == question.starter.strip():
        return "not answered: as it was handed out"
    if graded is None or graded.full:
        return ""
    if graded.fault:
        return f"its cell fails: {graded.fault.text}"
    problems = [outcome.problem for _, outcome in graded.outcomes if outcome.problem]
    stop = next((problem.text for problem in problems if problem.kind in STOPS), "")
    return stop and f"it stopped: {stop}"
