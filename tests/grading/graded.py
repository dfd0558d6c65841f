"""Results as the engine returns them, of the little exercise, made by hand."""

import datetime
from pathlib import Path
from typing import Any

from coursekit.grading.archives import Source
from coursekit.grading.exercise import Exercise, parse
from coursekit.grading.gradebook import Grade
from coursekit.grading.late import Late
from coursekit.grading.roster import Student, Turn
from coursekit.grading.submissions import Submission

LITTLE = Path(__file__).with_name("little.md")
EXERCISE: Exercise = parse(LITTLE.read_text(), "little")
NOON = datetime.datetime(2026, 3, 1, 12).astimezone()
SQUARE, SCALE, OPEN, WHY = EXERCISE.questions


def check(name: str, which: str = "public", kind: str = "", text: str = "") -> dict[str, Any]:
    """One check, failed if it has a kind of problem."""
    problem = {"kind": kind, "text": text} if kind else None
    return {"name": name, "which": which, "passed": not kind, "problem": problem}


def question(key: str, points: float = 0.0, *checks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The result of one question."""
    known = EXERCISE.questions[key]
    facts = {"kind": known.kind, "points": points, "max": known.points, "seconds": 0.1, "reason": ""}
    return facts | {"checks": list(checks), "like": None, "answer": f"# answer to {key}"} | more


def result(*questions: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The result of a submission."""
    score = sum(value["points"] or 0 for _, value in questions)
    facts = {"exercise": "little", "version": EXERCISE.version, "status": "graded", "score": score}
    facts |= {"max": EXERCISE.points, "seconds": 0.5, "questions": dict(questions), "notes": []}
    return facts | more


def grade(name: str, *questions: dict[str, Any], late: Late | None = None, **more: Any) -> Grade:
    """A grade of a student who is on no roster; questions in the order of the exercise."""
    time = more.pop("submitted", NOON)
    student = more.pop("student", Student(name, name.title()))
    file = Submission(name, "", f"{name}.ipynb", time, time, Source(Path(f"{name}.ipynb")), "0" * 64)
    whole = result(*zip(EXERCISE.questions, questions, strict=False), **more)
    return Grade(Turn(student, file), EXERCISE, whole, late=late or Late())


def absent(student: Student) -> Grade:
    """The grade of somebody who handed in nothing."""
    nothing = result(status="no submission", notes=["Nothing was handed in."])
    return Grade(Turn(student, None), EXERCISE, nothing)
