"""The instructor's page: how it went, where students err, and what to look at."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from urllib.parse import quote

from coursekit.grading.alike import Pair, alike
from coursekit.grading.exercise import Exercise, Question
from coursekit.grading.gradebook import Grade
from coursekit.grading.markup import Markup, join, page, table, tag
from coursekit.grading.run import slug
from coursekit.grading.tables import number

BINS = 10
MOST = 20  # rows of a list of what to look at
UNKNOWN = "none of the known wrong answers"


def instructor_page(exercise: Exercise, grades: list[Grade]) -> bytes:
    """The page; reports of students are linked as reports/NAME.html."""
    graded = [grade for grade in grades if grade.status == "graded"]
    code = [question for question in exercise.questions.values() if question.kind == "code"]
    return page(
        f"{exercise.title}: how it went",
        _counts(grades),
        tag("h2", "Scores"),
        histogram([grade.score for grade in graded], exercise.points),
        tag("h2", "Questions"),
        _questions(exercise, graded),
        tag("h2", "What the failing answers behave like"),
        *(_mistakes(question, graded) for question in code),
        tag("h2", "To be looked at"),
        *_attention(exercise, grades, graded),
        tag("h2", "Students"),
        _students(grades),
    )


def histogram(scores: list[float], most: float) -> Markup:
    """How many students have how many points, as a drawing."""
    counts = Counter(min(int(score / most * BINS), BINS - 1) for score in scores)
    width, height, tallest = 56, 160, max(counts.values(), default=1)
    bars = []
    for i in range(BINS):
        tall, x = round(height * counts[i] / tallest), 30 + i * width
        bars.append(tag("rect", x=x, y=height + 20 - tall, width=width - 4, height=tall))
        middle = x + width // 2 - 2
        if counts[i]:
            bars.append(tag("text", counts[i], x=middle, y=height + 14 - tall, text_anchor="middle"))
        bars.append(tag("text", number(i * most / BINS), x=x - 2, y=height + 38, text_anchor="middle"))
    right = 30 + BINS * width
    bars.append(tag("text", number(most), x=right - 2, y=height + 38, text_anchor="middle"))
    axis = tag("line", x1=28, x2=right, y1=height + 20, y2=height + 20)
    unit = tag(
        "text", "points (numbers on the bars: students)", x=right // 2, y=height + 58, text_anchor="middle"
    )
    words = ", ".join(f"from {number(i * most / BINS)}: {counts[i]}" for i in range(BINS) if counts[i])
    box = f"0 0 {right + 20} {height + 66}"
    label = f"Students by points of {number(most)}: {words or 'none'}"
    return tag("svg", *bars, axis, unit, viewBox=box, width=right + 20, role="img", aria_label=label)


def _counts(grades: list[Grade]) -> Markup:
    counts = Counter(grade.status for grade in grades)
    said = [tag("li", f"{count} {status}") for status, count in counts.most_common()]
    waiting = sum(len(grade.waiting) for grade in grades)
    if waiting:
        said.append(tag("li", f"{waiting} answers wait to be graded by hand"))
    late = sum(grade.days_late > 0 for grade in grades)
    if late:
        said.append(tag("li", f"{late} late"))
    return tag("ul", *said)


def _questions(exercise: Exercise, graded: list[Grade]) -> Markup:
    rows: list[list[object]] = []
    for key, question in exercise.questions.items():
        points = [value for grade in graded if (value := grade.points(key)) is not None]
        n = max(len(points), 1)
        mean, full = sum(points) / n, sum(value == question.points for value in points)
        none = sum(value == 0 for value in points)
        cells = [key, question.kind, number(mean), question.points]
        rows.append([*cells, f"{100 * full / n:.0f} %", f"{100 * none / n:.0f} %", _checks(key, graded)])
    header = ["question", "kind", "mean", "of", "full marks", "no points", "checks passed"]
    return table(header, rows, numbers=(2, 3, 4, 5))


def _checks(key: str, graded: list[Grade]) -> Markup | str:
    """Each check with the share of students who pass it, the hardest first."""
    passed: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for grade in graded:
        for check in grade.question(key).get("checks", []):
            passed[check["which"], check["name"]].append(check["passed"])
    if not passed:
        return ""
    shares = sorted((sum(seen) / len(seen), *check) for check, seen in passed.items())
    rows = [tag("li", f"{100 * share:.0f} % {which}: {name}") for share, which, name in shares]
    return tag("details", tag("summary", f"{100 * shares[0][0]:.0f} % to {100 * shares[-1][0]:.0f} %"), *rows)


def _mistakes(question: Question, graded: list[Grade]) -> Markup | None:
    """Which wrong answer of the master each failing answer behaves like."""
    students: dict[str, list[str]] = defaultdict(list)
    for grade in graded:
        seen = grade.question(question.key)
        if (grade.points(question.key) or 0) < question.points:
            reason = seen.get("reason", "").split(":")[0]
            students[seen.get("like") or reason or UNKNOWN].append(grade.key)
    if not students:
        return None
    most = sorted(students.items(), key=lambda item: (-len(item[1]), item[0]))
    rows: list[list[object]] = [[len(keys), label, _links(keys)] for label, keys in most]
    return join(tag("h3", question.key), table(["students", "behaves like", "who"], rows, numbers=(0,)))


def _attention(exercise: Exercise, grades: list[Grade], graded: list[Grade]) -> Iterable[Markup]:
    slow = sorted(graded, key=lambda grade: -grade.result["seconds"])[:MOST]
    times: list[list[object]] = [[link(grade.key), f"{grade.result['seconds']:.1f} s"] for grade in slow]
    yield _folded("Slowest", table(["student", "time"], times, numbers=(1,)) if times else None)
    yield _folded("Suspiciously alike", _alike(exercise, graded))
    notes = [[link(grade.key), note] for grade in grades for note in grade.result["notes"]]
    yield _folded("Notes", table(["student", "note"], notes) if notes else None)
    aside = [
        [link(grade.key), one.path, one.problem.reason if one.problem else "another file counts"]
        for grade in grades
        for one in grade.turn.aside
    ]
    yield _folded("Files set aside", table(["student", "file", "why"], aside) if aside else None)
    stale = [[link(g.key), key, mark.note] for g in grades for key, mark in g.marks.items() if mark.note]
    yield _folded(
        "Marks to be looked at again", table(["student", "question", "why"], stale) if stale else None
    )


def _folded(title: str, content: Markup | None) -> Markup:
    return tag("details", tag("summary", title), content) if content else tag("p", f"{title}: none")


def _alike(exercise: Exercise, graded: list[Grade]) -> Markup | None:
    """Files that are the same, and pairs of students whose code is much the same."""
    same: dict[str, list[str]] = defaultdict(list)
    for grade in graded:
        same[grade.result["sha256"]].append(grade.key)
    groups = [tag("p", "The same file: ", _links(keys)) for keys in same.values() if len(keys) > 1]
    code = {key: question for key, question in exercise.questions.items() if question.kind != "written"}
    answers = {grade.key: {key: grade.answer(key) for key in code} for grade in graded}
    pairs = alike(answers, code)
    shown = [_pair(pair, answers) for pair in pairs[:MOST]]
    if len(pairs) > MOST:
        shown.append(tag("p", f"and {len(pairs) - MOST} pairs more"))
    return join(*groups, *shown) if groups or shown else None


def _pair(pair: Pair, answers: dict[str, dict[str, str]]) -> Markup:
    """The answers side by side."""
    texts = ["\n\n".join(answers[student][key] for key in pair.questions) for student in pair.students]
    sides = [tag("div", link(s), tag("pre", text)) for s, text in zip(pair.students, texts, strict=True)]
    title = f"{pair.students[0]}, {pair.students[1]}: {100 * pair.share:.0f} %, {', '.join(pair.questions)}"
    return tag("details", tag("summary", title), tag("div", *sides, class_="pair"))


def _students(grades: list[Grade]) -> Markup:
    rows: list[list[object]] = [
        [link(grade.key), grade.turn.student.name, grade.status, number(grade.score)] for grade in grades
    ]
    return table(["student", "name", "status", "points"], rows, numbers=(3,))


def link(key: str) -> Markup:
    """A link to a student's report."""
    return tag("a", key, href=f"reports/{quote(slug(key))}.html")


def _links(keys: list[str]) -> Markup:
    shown = [part for key in keys[:MOST] for part in (link(key), " ")]
    return join(*shown, f"and {len(keys) - MOST} more" if len(keys) > MOST else None)
