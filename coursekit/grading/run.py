"""Grade all submissions, each once: results are files, and only what they don't hold is computed."""

import contextlib
import fcntl
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from coursekit.files import write_json
from coursekit.grading.exercise import Exercise
from coursekit.grading.notebook import Unreadable
from coursekit.grading.pool import Lost
from coursekit.grading.roster import Turn
from coursekit.grading.submissions import Submission

Result = dict[str, Any]
Runner = Callable[[Iterator[tuple[str, bytes]]], Iterator[tuple[str, Result | Lost]]]
"""From (key, content of a notebook) to (key, result), in any order."""

LOST = "grader failed"
"""The reason of a submission that the grader could not grade, through no fault of the student."""
AGAIN = {LOST, "changed"}
"""Reasons that the next run may not find again."""


@dataclass(frozen=True)
class Store:
    """The results of one exercise in a folder, a JSON file for each student.

    Attributes:
        folder: where the files are.
        exercise: which was graded.
        conditions: what else a result depends on: limits and versions, as text.
    """

    folder: Path
    exercise: Exercise
    conditions: str

    def path(self, key: str) -> Path:
        """The file of a student."""
        return self.folder / f"{slug(key)}.json"

    def job(self, submission: Submission) -> str:
        """What names the work: results with the same name are the same."""
        facts = (submission.sha256, self.exercise.name, self.exercise.version, self.conditions)
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]

    def get(self, key: str, submission: Submission) -> Result | None:
        """The stored result, if there is one, it is whole and of this very work."""
        try:
            result = json.loads(self.path(key).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        if not isinstance(result, dict):
            return None
        same = result.get("job") == self.job(submission) and result.get("student") == key
        return result if same and result.get("status") not in AGAIN else None

    def put(self, key: str, submission: Submission, result: Result) -> Result:
        """Store a result; returns it with what tells whose it is."""
        whose = {"student": key, "path": submission.path, "sha256": submission.sha256}
        full = whose | {"job": self.job(submission)} | result
        write_json(self.path(key), full)
        return full


def results(turns: list[Turn], store: Store, runner: Runner, progress: bool = True) -> dict[str, Result]:
    """Every student's result, by key. Each is written as soon as it is there: a killed run loses none.

    Raises:
        ValueError: another grader is at work in the same folder.
    """
    with alone(store.folder):
        clean(store.folder)
        found, todo = _stored(turns, store)
        with tqdm(total=len(turns), initial=len(found), unit="student", disable=not progress) as bar:
            for key, answer in runner(_contents(todo, store, found, bar)):
                result = answer if isinstance(answer, dict) else refused(store.exercise, LOST, answer.text)
                found[key] = store.put(key, todo[key], result)
                bar.update()
    return {turn.student.key: found[turn.student.key] for turn in turns}


def refused(exercise: Exercise, reason: str, text: str) -> Result:
    """The result of what can't be graded."""
    facts = {"exercise": exercise.name, "version": exercise.version, "status": reason}
    return facts | {"score": 0.0, "max": exercise.points, "seconds": 0.0, "questions": {}, "notes": [text]}


def slug(key: str) -> str:
    """A file name for a student; two students never share one, whatever the file system makes of capitals."""
    short = re.sub(r"[^\w.-]+", "-", key).strip("-.")[:40].lower()
    if key and short == key and key.isascii():
        return key
    # No name that is a slug of its own holds a tilde.
    return f"{short}~{hashlib.sha256(key.encode()).hexdigest()[:16]}"


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder for this process; the system lets go of it however the process ends.

    Raises:
        ValueError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"Another grader is at work in {folder}: wait for it, or end it.") from error
        yield


def clean(folder: Path) -> None:
    """Remove what a killed grader was writing."""
    for partial in folder.glob("*.partial"):
        partial.unlink()


def _stored(turns: list[Turn], store: Store) -> tuple[dict[str, Result], dict[str, Submission]]:
    """What needs no work, by key, and what does."""
    found: dict[str, Result] = {}
    todo: dict[str, Submission] = {}
    for turn in turns:
        key, submission = turn.student.key, turn.submission
        if submission is None:
            found[key] = refused(store.exercise, "no submission", "Nothing was handed in.")
        elif submission.problem is not None:
            problem = submission.problem
            found[key] = store.put(key, submission, refused(store.exercise, problem.reason, problem.text))
        elif (result := store.get(key, submission)) is not None:
            found[key] = result
        else:
            todo[key] = submission
    return found, todo


def _contents(
    todo: dict[str, Submission], store: Store, found: dict[str, Result], bar: tqdm
) -> Iterator[tuple[str, bytes]]:
    """The notebooks to be graded, each read when its turn comes: a class of them may not fit into memory."""
    for key, submission in todo.items():
        try:
            content = submission.read()
        except Unreadable as error:
            result = refused(store.exercise, error.reason, error.text)
            found[key] = store.put(key, submission, result)
            bar.update()
        else:
            yield key, content
