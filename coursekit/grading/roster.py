"""The list of students, in the order of the gradebook, and which file belongs to whom."""

import datetime
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from coursekit.grading.late import parse_time
from coursekit.grading.submissions import Submission
from coursekit.grading.tables import read_table

KEYS = ("student", "id", "login", "username", "sis login id", "sis user id", "email", "email address")
TIMES = ("submitted", "submission time", "last modified (submission)")
EARLY = datetime.datetime.min.replace(tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Student:
    """A row of the gradebook.

    Attributes:
        key: what names the student uniquely: a login, an id, or what the file name tells.
        name: for people.
        number: in file names of the learning system: Canvas's ID, Moodle's participant.
        aliases: other ways in which a file name may call the student.
        submitted: when, if the roster tells.
        row: the row of the roster; empty for someone who is not on it.
    """

    key: str
    name: str
    number: str = ""
    aliases: frozenset[str] = field(default=frozenset(), compare=False)
    submitted: datetime.datetime | None = field(default=None, compare=False)
    row: dict[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Turn:
    """A student, the file that counts, and the files that don't, since it is newer or readable."""

    student: Student
    submission: Submission | None
    aside: tuple[Submission, ...] = ()

    @property
    def submitted(self) -> datetime.datetime | None:
        """When the student handed in: by the roster, else by the file."""
        return self.student.submitted or (self.submission.submitted if self.submission else None)


def read(path: Path) -> list[Student]:
    """Read a roster: Canvas's export of the gradebook, Moodle's grading worksheet, or any CSV with a column
    that names the student (`student`, `id`, `login`, `username` or `email`), and perhaps `name`, `submitted`.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: no column names the student, a student stands twice, or a time can't be read.
    """
    rows = read_table(path)
    students = [student for row in rows if (student := _student(row, path))]
    if not students:
        raise ValueError(f"{path} names no student: it needs a column such as 'student', 'id' or 'email'.")
    twice = [key for key, count in Counter(student.key for student in students).items() if count > 1]
    if twice:
        raise ValueError(f"{path}: {twice[0]!r} stands in {path.name} twice.")
    return students


def _student(row: dict[str, str], path: Path) -> Student | None:
    cells = {name.casefold(): value for name, value in row.items()}
    key = next((cells[name] for name in KEYS if cells.get(name)), "")
    name = cells.get("name") or cells.get("full name") or ""
    name = name or " ".join(filter(None, (cells.get("first name"), cells.get("last name"))))
    number = ""
    if {"student", "id", "section"} <= cells.keys():  # Canvas
        if not cells["id"]:
            return None  # the row of points possible
        name, number = cells["student"], cells["id"]
        key = cells.get("sis login id") or cells.get("sis user id") or number
    elif {"identifier", "full name"} <= cells.keys():  # Moodle
        number = re.sub(r"\D", "", cells["identifier"])
        key = cells.get("id number") or cells.get("email address") or name
    if not key:
        return None
    logins = [cells.get(column, "") for column in KEYS]
    known = {alias for text in (name, *logins, *(x.split("@")[0] for x in logins)) for alias in aliases(text)}
    return Student(key, name or key, number, frozenset(known), _submitted(cells, key, path), row)


def _submitted(cells: dict[str, str], key: str, path: Path) -> datetime.datetime | None:
    text = next((cells[name] for name in TIMES if cells.get(name)), "-")
    try:
        return None if text == "-" else parse_time(text)
    except ValueError as error:
        raise ValueError(f"{path}, student {key!r}: {error}") from error


def aliases(text: str) -> set[str]:
    """A name without case, accents, spaces and punctuation, beginning with any of its words.

    So "Lee, Ann", "Ann Lee" and Canvas's "leeann" meet.
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    words = [word for word in re.split(r"[\W_]+", plain) if word]
    return {"".join(words[i:] + words[:i]) for i in range(len(words))}


def assign(submissions: Iterable[Submission], roster: list[Student]) -> list[Turn]:
    """Who handed in what: everybody on the roster in its order, then whoever is not on it, by name.

    A file belongs to the student whose number it has, else to the one whose name it has, if that is one only.
    Of several files of a student the newest that can be read counts.
    """
    numbers = {student.number: student for student in roster if student.number}
    names = _unique(roster)
    files: dict[Student, list[Submission]] = {}
    for one in submissions:
        student = numbers.get(one.number)
        if student is None:
            found = {names[alias] for alias in aliases(one.student) if alias in names}
            student = found.pop() if len(found) == 1 else Student(one.student, one.student, one.number)
        files.setdefault(student, []).append(one)
    strangers = sorted(set(files) - set(roster), key=lambda student: (student.key, student.number))
    return _apart([turn(student, files.get(student, [])) for student in [*roster, *strangers]])


def _unique(roster: list[Student]) -> dict[str, Student]:
    """Every alias that only one student has; the key itself goes before the names of others."""
    owners: dict[str, set[Student]] = {}
    for student in roster:
        for alias in student.aliases:
            owners.setdefault(alias, set()).add(student)
    names = {alias: next(iter(found)) for alias, found in owners.items() if len(found) == 1}
    return names | {"".join(re.findall(r"[^\W_]+", student.key.casefold())): student for student in roster}


def turn(student: Student, files: list[Submission]) -> Turn:
    """A student's turn: of several files the newest that can be read counts."""
    ordered = sorted(
        files,
        key=lambda one: (one.problem is None, one.submitted or EARLY, one.changed or EARLY, one.path),
    )
    return Turn(student, ordered[-1] if ordered else None, tuple(ordered[:-1]))


def _apart(turns: list[Turn]) -> list[Turn]:
    """Students whom only a number tells apart get it into their key: keys name files and rows."""
    seen: set[str] = set()
    apart = []
    for each in turns:
        key = each.student.key
        while key in seen:
            key = f"{key} ({each.student.number or 'not on the roster'})"
        seen.add(key)
        apart.append(replace(each, student=replace(each.student, key=key)))
    return apart
