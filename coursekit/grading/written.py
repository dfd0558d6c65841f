"""The sheet of answers that are graded by hand: written for people, filled in, and read back."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from coursekit.grading.exercise import Exercise
from coursekit.grading.gradebook import Grade, Mark
from coursekit.grading.tables import harmless, number, plain, read_table, write_table

HEADER = ("student", "name", "key", "max", "answer", "points", "comment", "note", "id")
LONGEST = 30_000  # characters; a spreadsheet cuts a cell at 32,767
CHANGED = "the answer changed after it was graded: look again, then empty this cell"

Sheet = dict[tuple[str, str], dict[str, str]]
"""Rows of a sheet by (id, key): as cells, the names of two students may be the same."""


def read_sheet(path: Path, exercise: Exercise) -> Sheet:
    """The rows of a sheet.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: a column is missing, an answer has two rows, or points are no number from 0 to the
            question's; names the row.
    """
    sheet: Sheet = {}
    for row in read_table(path):
        missing = [name for name in ("student", "key", "points", "id") if name not in row]
        if missing:
            raise ValueError(
                f"{path} has no column {missing[0]!r}; give the sheet that `coursekit grade` wrote."
            )
        where = f"{path}, student {row['student']!r}, question {row['key']!r}"
        if (row["id"], row["key"]) in sheet:
            other = sheet[row["id"], row["key"]]["student"]
            raise ValueError(
                f"{where}: a row of {other!r} has the same id {row['id']!r}; keep one of the two."
            )
        try:
            _points(row, exercise)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        sheet[row["id"], row["key"]] = row
    return sheet


def marks(sheet: Sheet, grade: Grade) -> dict[str, Mark]:
    """The marks of one student in a sheet, by key."""
    found = {}
    for key, answer in answers(grade).items():
        row = sheet.get((_id(grade), key))
        points = _points(row, grade.exercise) if row else None
        if row and points is not None:
            # A spreadsheet may have changed the ends of lines.
            same = "answer" not in row or row["answer"].split() == _cell(answer).split()
            note = row.get("note", "") if same else CHANGED
            found[key] = Mark(points, plain(row.get("comment", "")), note)
    return found


def marked(grades: Iterable[Grade], sheet: Sheet) -> list[Grade]:
    """The grades with the marks of a sheet."""
    return [replace(grade, marks=marks(sheet, grade)) for grade in grades]


def write_sheet(path: Path, grades: list[Grade], sheet: Sheet) -> int:
    """Write the sheet of all answers graded by hand with the marks there are; returns how many wait.

    Rows of `sheet` that belong to no answer any more stay at the end: no mark is ever lost.
    """
    rest, rows, waiting = dict(sheet), [], 0
    for grade in grades:
        who = (grade.key, grade.turn.student.name)
        for key, answer in answers(grade).items():
            old = rest.pop((_id(grade), key), {})
            mark = grade.marks.get(key)
            points = number(mark.points) if mark else ""
            note = mark.note if mark else old.get("note", "")
            most = grade.exercise.questions[key].points
            comment = plain(old.get("comment", ""))
            rows.append((*who, key, most, _cell(answer), points, comment, note, _id(grade)))
            waiting += mark is None
    rows += [tuple(row.get(name, "") for name in HEADER) for row in rest.values() if row["points"]]
    write_table(path, HEADER, rows)
    return waiting


def answers(grade: Grade) -> dict[str, str]:
    """The answers of a student that are graded by hand, by key."""
    by_hand = [key for key, question in grade.exercise.questions.items() if question.kind != "code"]
    found = {key: grade.answer(key) for key in by_hand}
    return {key: answer for key, answer in found.items() if answer.strip()}


def _id(grade: Grade) -> str:
    """What names a student in a sheet; with a letter first, so that no spreadsheet takes it for a number."""
    return "s" + hashlib.sha256(grade.key.encode()).hexdigest()[:16]


def _cell(answer: str) -> str:
    cut = answer if len(answer) <= LONGEST else answer[:LONGEST] + "\n[cut here: see the report]"
    return harmless(cut.strip())


def _points(row: dict[str, str], exercise: Exercise) -> float | None:
    """Points in a row; None if the cell is empty."""
    text = row.get("points", "").replace(",", ".")
    if not text:
        return None
    try:
        points = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number of points.") from None
    question = exercise.questions.get(row["key"])
    if question and not 0 <= points <= question.points:
        raise ValueError(f"{text} points, but the question has 0 to {question.points}.")
    return points
