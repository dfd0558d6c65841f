"""Grades: results, marks given by hand and the late policy together; and the tables of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coursekit.grading.exercise import Exercise
from coursekit.grading.late import Late
from coursekit.grading.roster import Student, Turn
from coursekit.grading.run import AGAIN
from coursekit.grading.tables import Verbatim, number, write_table

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
MOODLE = ("Identifier", "Full name", "ID number", "Email address")
MOODLE_GRADE = ("Grade", "Maximum Grade", "Last modified (grade)", "Feedback comments")


@dataclass(frozen=True)
class Mark:
    """What was given by hand for an answer; `note` is ours, and says what to look at again."""

    points: float
    comment: str = ""
    note: str = ""


@dataclass(frozen=True)
class Grade:
    """One student's work: who handed in what, the grader's result, marks by hand by key, the late policy."""

    turn: Turn
    exercise: Exercise
    result: dict[str, Any]
    marks: dict[str, Mark] = field(default_factory=dict)
    late: Late = field(default_factory=Late)

    @property
    def key(self) -> str:
        """What names the student."""
        return self.turn.student.key

    @property
    def status(self) -> str:
        """ "graded", or the reason why not."""
        return self.result["status"]

    def question(self, key: str) -> dict[str, Any]:
        """The result of one question; {} if there is none."""
        return self.result["questions"].get(key, {})

    def answer(self, key: str) -> str:
        """What the student wrote for a question; "" if nothing, or no more than what was given."""
        answer = str(self.question(key).get("answer") or "")
        return "" if answer.split() == self.exercise.questions[key].starter.split() else answer

    def points(self, key: str) -> float | None:
        """Points reached for a question; None while it waits to be graded by hand."""
        if self.exercise.questions[key].kind == "code":
            return float(self.question(key).get("points") or 0.0)
        if key in self.marks:
            return self.marks[key].points
        return None if self.answer(key).strip() else 0.0

    @property
    def waiting(self) -> list[str]:
        """Keys of the answers that nobody has graded yet."""
        return [key for key in self.exercise.questions if self.points(key) is None]

    @property
    def reached(self) -> float:
        """Points before the late policy."""
        return round(sum(self.points(key) or 0.0 for key in self.exercise.questions), 2)

    @property
    def days_late(self) -> int:
        """Days begun after the due time and the grace."""
        return self.late.days(self.turn.submitted)

    @property
    def lost(self) -> float:
        """Points lost by being late."""
        return self.late.deduction(self.reached, self.days_late)

    @property
    def score(self) -> float:
        """Points that count."""
        return round(self.reached - self.lost, 2)


def write_gradebook(path: Path, exercise: Exercise, grades: list[Grade]) -> None:
    """The whole table: a row for each student in the order given, a column for each question."""
    header = ["student", "name", "status", "submitted", "days_late", *exercise.questions]
    header += ["reached", "lost", "score", "max", "to_grade_by_hand", "file"]
    rows = []
    for grade in grades:
        time = grade.turn.submitted
        submitted = time.isoformat(" ", "minutes") if time and grade.turn.submission else ""
        who = (grade.key, grade.turn.student.name)
        points = [grade.points(key) for key in exercise.questions]
        cells = ["" if value is None else number(value) for value in points]
        sums = [number(value) for value in (grade.reached, grade.lost, grade.score, exercise.points)]
        file = grade.turn.submission.path if grade.turn.submission else ""
        waiting = " ".join(grade.waiting)
        rows.append((*who, grade.status, submitted, grade.days_late, *cells, *sums, waiting, file))
    write_table(path, header, rows)


def write_canvas(path: Path, exercise: Exercise, grades: list[Grade], column: str) -> None:
    """A table that Canvas imports; `column` is the assignment as its own export calls it, such as "VAE (77)".

    Who handed in nothing keeps an empty cell, which Canvas leaves as it is.
    """
    rows: list[tuple[str, ...]] = [("    Points Possible", "", "", "", "", number(exercise.points))]
    for grade in grades:
        student = grade.turn.student
        default = {"Student": student.name, "ID": student.number, "SIS Login ID": student.key}
        default = default if not student.row else {"Student": student.name}
        who = _who(student, CANVAS, default)
        rows.append((*who, number(grade.score) if _known(grade) else ""))
    write_table(path, (*CANVAS, column), rows, mark=False)


def write_moodle(path: Path, exercise: Exercise, grades: list[Grade]) -> None:
    """A grading worksheet that Moodle takes back."""
    rows = []
    for grade in grades:
        student = grade.turn.student
        default = {"Full name": student.name}
        if student.number:
            default["Identifier"] = f"Participant {student.number}"
        who = _who(student, MOODLE, default)
        changed = Verbatim(student.row.get("Last modified (grade)", ""))
        score = number(grade.score) if _known(grade) else ""
        rows.append((*who, score, number(exercise.points), changed, remark(grade)))
    write_table(path, (*MOODLE, *MOODLE_GRADE), rows, mark=False)


def _who(student: Student, columns: Sequence[str], default: dict[str, str]) -> list[str]:
    """The roster's own fields, by which the learning system finds the student, else the defaults."""
    own = student.row
    return [Verbatim(own[name]) if own.get(name) else default.get(name, "") for name in columns]


def remark(grade: Grade) -> str:
    """In a few words what a student should know beside the score; nothing of what an answer said."""
    said = [] if grade.status == "graded" else [grade.status]
    if grade.lost:
        days = f"{grade.days_late} day{'s' if grade.days_late > 1 else ''} late"
        said.append(f"{days}: {number(grade.lost)} points lost")
    if grade.waiting:
        said.append("answers still to be graded by hand: " + ", ".join(grade.waiting))
    return "; ".join(said)


def _known(grade: Grade) -> bool:
    """Whether the score says something: not if nothing came, or the grader failed."""
    return grade.turn.submission is not None and grade.status not in AGAIN
