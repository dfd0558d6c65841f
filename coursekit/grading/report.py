"""The page that a student gets: what was answered, what was checked, and nothing of the hidden tests."""

from collections import Counter
from typing import Any

from coursekit.grading.gradebook import Grade, remark
from coursekit.grading.markup import Markup, page, table, tag
from coursekit.grading.tables import number

MEANING = {
    "type": "a value of another type came",
    "shape": "a value of another shape came",
    "dtype": "numbers of another type came",
    "device": "a value on another device came",
    "nan": "NaN or infinity came",
    "value": "another value came",
    "inplace": "the arguments were changed",
    "randomness": "the global random state was changed",
    "exception": "an error was raised",
    "timeout": "it took too long",
    "died": "the process ended",
    "protocol": "it wrote to the grader's channel",
}


def student_page(grade: Grade) -> bytes:
    """The report for one student."""
    exercise, student = grade.exercise, grade.turn.student
    head = [
        tag("p", student.name),
        tag("p", f"{number(grade.score)} of {exercise.points} points", class_="score"),
        tag("p", remark(grade)) if remark(grade) else None,
        *(tag("p", note) for note in grade.result["notes"]),
    ]
    rows = [[key, _points(grade, key), grade.exercise.questions[key].points] for key in exercise.questions]
    sections = [_section(grade, key) for key in exercise.questions if grade.question(key)]
    return page(exercise.title, *head, table(["question", "points", "of"], rows, numbers=(1, 2)), *sections)


def _points(grade: Grade, key: str) -> str:
    points = grade.points(key)
    return "to be graded" if points is None else number(points)


def summary(seen: dict[str, Any]) -> list[str]:
    """The result of a question in lines of plain text, with no more than the page says."""
    lines = [seen["reason"]] if seen["reason"] else []
    for check in seen["checks"]:
        if check["which"] == "public":
            text = "" if check["passed"] else f"\n{check['problem']['text']}"
            lines.append(f"{'passed' if check['passed'] else 'failed'}: {check['name']}{text}")
    return [*lines, *_further(seen["checks"])]


def _section(grade: Grade, key: str) -> Markup:
    seen, question = grade.question(key), grade.exercise.questions[key]
    public = [check for check in seen["checks"] if check["which"] == "public"]
    return tag(
        "section",
        tag("h2", f"{key}: {_points(grade, key)} of {question.points}"),
        tag("p", seen["reason"]) if seen["reason"] else None,
        tag("ul", *(_check(check) for check in public)) if public else None,
        *(tag("p", line) for line in _further(seen["checks"])),
        _mark(grade, key) if question.kind != "code" else None,
        tag("h3", "Your answer"),
        tag("pre", seen["answer"] or "(none)"),
    )


def _check(check: dict[str, Any]) -> Markup:
    """One public check; students can read it in their notebook."""
    if check["passed"]:
        return tag("li", tag("span", "passed", class_="good"), f": {check['name']}")
    problem = tag("pre", check["problem"]["text"])
    return tag("li", tag("span", "failed", class_="bad"), f": {check['name']}", problem)


def _further(checks: list[dict[str, Any]]) -> list[str]:
    """How many of the hidden checks passed, and what kind of thing went wrong; not which, nor on what."""
    hidden = [check for check in checks if check["which"] != "public"]
    if not hidden:
        return []
    passed = sum(check["passed"] for check in hidden)
    kinds = Counter(check["problem"]["kind"] for check in hidden if not check["passed"])
    said = [f"{count} failed: {MEANING[kind]}." for kind, count in sorted(kinds.items())]
    return [" ".join([f"Further checks, on fresh inputs: {passed} of {len(hidden)} passed.", *said])]


def _mark(grade: Grade, key: str) -> Markup:
    mark = grade.marks.get(key)
    if mark is None:
        return tag("p", "This answer is graded by hand.")
    return tag("p", f"Graded by hand. {mark.comment}")
