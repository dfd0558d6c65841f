"""Grade one submission: a pure function of its cells, the master, the limits and a seed."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from coursekit.grading.apart import apart
from coursekit.grading.attempt import Attempt
from coursekit.grading.budget import Budget
from coursekit.grading.exercise import Exercise
from coursekit.grading.likeness import Behaviour, Likeness
from coursekit.grading.limits import Limits
from coursekit.grading.marks import Graded, mark, padded, unanswered, untouched
from coursekit.grading.parts import Parts, find
from coursekit.grading.remote import Worker
from coursekit.grading.room import Room
from coursekit.grading.sandbox import Sandbox
from coursekit.grading.sheet import SEED
from coursekit.grading.stage import Stage
from coursekit.grading.trial import Trial

Cells = list[tuple[str, str]]


def grade(cells: Cells, exercise: Exercise, sandbox: Sandbox, limits: Limits, seed: int) -> dict[str, Any]:
    """Grade one submission; for many use one `Grader`. See `Grader` and `Grader.grade`."""
    with Grader(exercise, sandbox, limits) as grader:
        return grader.grade(cells, seed)


class Grader(AbstractContextManager):
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
        trial = Trial(exercise)
        self.likeness = Likeness(trial, SEED)
        self.questions = {key: q for key, q in exercise.questions.items() if q.kind == "code"}
        self.tests = {key: trial.tests(question) for key, question in self.questions.items()}
        self.names = {key: self.likeness.names(q, self.tests[key]) for key, q in self.questions.items()}
        self.worker = Worker(sandbox, exercise.prelude, self.limits)

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
        start = time.monotonic()
        questions, notes = _Run(self, find(cells, self.exercise), seed).questions()
        return {
            "exercise": self.exercise.name,
            "version": self.exercise.version,
            "status": "graded",
            "score": round(sum(question["points"] or 0.0 for question in questions.values()), 2),
            "max": self.exercise.points,
            "seconds": round(time.monotonic() - start, 3),
            "questions": questions,
            "notes": notes,
        }


class _Run:
    """The grading of one submission."""

    def __init__(self, grader: Grader, parts: Parts, seed: int):
        self.grader, self.parts, self.seed = grader, parts, seed
        self.budget, self.room = Budget(grader.limits), Room()
        self.asked = [key for key in grader.questions if key in parts.answers]

    def questions(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """The report on each question, by key, and notes on the whole."""
        graded, broken = self._attempt(set(self.asked), self.asked)
        if broken or not apart(self.parts.cells(set(self.asked)), self.grader.exercise.prelude):
            graded = {key: self._best(key, first) for key, first in graded.items()}
        marks = {}
        for key, question in self.grader.exercise.questions.items():
            missing = unanswered(self.grader.names[key]) if question.kind == "code" else None
            answer, found = self.parts.text(key), graded.get(key, missing)
            seconds = round(self.budget.spent[key], 3)
            marks[key] = mark(question, answer, found, self._like(key, graded.get(key)), seconds)
        return marks, self.parts.notes

    def _attempt(self, keys: set[str], asked: list[str]) -> tuple[dict[str, Graded], bool]:
        """Run the answers to some questions together, and put the tests of those asked to them.

        Returns what came of each, and whether an answer ended its process on the way.
        All public tests come before all hidden ones, so no message that students read knows of hidden inputs.
        """
        grader, found = self.grader, {key: {} for key in asked}
        stage = Stage(grader.worker, self.parts.cells(keys), self.budget)
        with Attempt(stage, self.room) as attempt:
            for which in ("public", "hidden"):
                for key in asked:
                    tests, seed = grader.tests[key][which], seed_of(key, which, self.seed)
                    came = attempt.outcomes(grader.questions[key], which, tests, seed)
                    outcomes = padded(came, grader.names[key][which])
                    found[key][which] = Behaviour(outcomes, attempt.values[key, which])
        return {key: Graded(seen, stage.faults.get(key)) for key, seen in found.items()}, stage.sessions > 1

    def _best(self, key: str, first: Graded) -> Graded:
        """The best of the first and further attempts: another answer must not cost this one its points."""
        best = first
        untried = untouched(self.grader.questions[key], self.parts.text(key))
        for keys in [] if untried else others(key, self.parts, self.asked):
            if best.full or self.budget.left(key) <= 0:
                break
            again = self._attempt(keys, [key])[0][key].after(first)
            best = again if again.passed > best.passed else best
        return best

    def _like(self, key: str, graded: Graded | None) -> str | None:
        """Label of the wrong answer that a failing answer behaves like; None if its values were not kept."""
        if graded is None or graded.full or self.room.left < 0:
            return None
        question = self.grader.questions[key]
        seed = seed_of(key, "hidden", self.seed)
        return self.grader.likeness.label(question, self.grader.tests[key], graded.found, seed)


def others(key: str, parts: Parts, asked: list[str]) -> Iterator[set[str]]:
    """Which answers to try a question with once more: its own alone, and those up to it."""
    answered = [other for other in dict.fromkeys(parts.order) if other in asked]
    before = set(answered[: answered.index(key) + 1])
    if len(answered) > 1:
        yield {key}
    if 1 < len(before) < len(answered):
        yield before


def seed_of(key: str, which: str, seed: int) -> int:
    """Seed of one generator of tests; the public one is that of the student's own notebook."""
    if which == "public":
        return SEED
    return int.from_bytes(hashlib.sha256(f"{seed} {key}".encode()).digest()[:7])
