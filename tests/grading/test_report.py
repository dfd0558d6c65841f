"""What students and instructors get to see, and what nobody's text can do to a page."""

import re

import pytest
from bs4 import BeautifulSoup

from coursekit.grading.gradebook import Grade, Mark
from coursekit.grading.late import Late
from coursekit.grading.markup import page, tag, text
from coursekit.grading.overview import histogram, instructor_page
from coursekit.grading.problem import KINDS
from coursekit.grading.report import MEANING, student_page
from coursekit.grading.roster import Student
from tests.grading.graded import EXERCISE, NOON, OPEN, SCALE, SQUARE, WHY, absent, check, grade, question

EVIL = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\" onclick='x' &amp; {{7*7}}"


def soup(content: bytes) -> BeautifulSoup:
    return BeautifulSoup(content.decode(), "html.parser")


def words(content: bytes) -> str:
    return " ".join(soup(content).get_text(" ").split())


def full(name: str = "lee", **more) -> Grade:
    public = check("a column"), check("one row", kind="value", text="3.0 came, 4.0 was expected")
    hidden = check("SECRET 7", "hidden", "value", "SECRET input"), check("SECRET 8", "hidden")
    answers = question(SQUARE, 1.0, *public, *hidden), question(SCALE, 3.0), question(OPEN), question(WHY)
    return grade(name, *answers, **more)


def test_a_student_reads_answers_checks_and_points():
    """With the value that came and the one that was expected, as in the notebook."""
    seen = words(student_page(full()))
    for part in ("4 of 12 points", "passed : a column", "failed : one row", "3.0 came, 4.0 was expected"):
        assert part in seen
    for key in EXERCISE.questions:
        assert f"# answer to {key}" in seen
    assert f"{OPEN} to be graded 4" in seen


def test_a_student_reads_nothing_of_hidden_tests_but_how_many_passed():
    """Neither names nor inputs nor what came: the next class gets the same exercise."""
    content = student_page(full())
    assert b"SECRET" not in content
    assert "1 of 2 passed" in words(content)
    assert "1 failed: another value came" in words(content)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_problem_has_words(kind):
    """A new kind without words would break the report of whoever meets it first."""
    assert MEANING[kind]


def test_a_student_reads_marks_comments_and_what_lateness_cost():
    """All that is in the score is on the page."""
    late = Late(NOON.replace(hour=10), percent_per_day=10)
    one = full(late=late)
    marked = Grade(one.turn, EXERCISE, one.result, {WHY: Mark(2.0, "well argued")}, late)
    seen = words(student_page(marked))
    assert "5.4 of 12 points" in seen
    assert "1 day late: 0.6 points lost" in seen
    assert "well argued" in seen


def test_a_submission_without_a_score_says_why():
    """A student who handed in a PDF reads that."""
    one = grade("lee", status="not a notebook", notes=["lee.pdf is no .ipynb file."])
    seen = words(student_page(one))
    assert "0 of 12 points" in seen
    assert "not a notebook" in seen
    assert "lee.pdf is no .ipynb file." in seen


def everywhere(evil: str) -> Grade:
    """A grade in which everything that a student can influence is evil."""
    checks = check(evil, kind="value", text=evil), check(evil, "hidden", "value", evil)
    answers = [question(key, 0.5, *checks, answer=evil, reason=evil, like=evil) for key in EXERCISE.questions]
    one = grade("lee", *answers, notes=[evil], student=Student(evil, evil), sha256="0")
    return Grade(one.turn, EXERCISE, one.result, {WHY: Mark(1.0, evil, evil)})


@pytest.mark.parametrize("make", [student_page, lambda one: instructor_page(EXERCISE, [one, one])])
def test_what_a_student_wrote_is_text_and_never_markup(make):
    """In whatever field it comes: a report is opened by people with more rights than the student."""
    found = soup(make(everywhere(EVIL)))
    assert not found.find_all(["script", "img", "iframe", "object"])
    names = {attribute for element in found.find_all(True) for attribute in element.attrs}
    assert not any(name.startswith("on") for name in names), names
    assert EVIL in found.get_text()
    assert all(a["href"].startswith("reports/") for a in found.find_all("a"))


def test_pages_forbid_scripts_and_addresses_even_if_a_tag_slipped_through():
    """A second lock on the same door."""
    policy = soup(page("t")).find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in re.sub("http-equiv", "", page("t").decode())


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\x00", "\x1b", "\x08", "\u200f"])
def test_signs_that_hide_or_reorder_text_are_spelled_out(sign):
    """Else a line of code shows something other than what was run."""
    shown = text(f"a{sign}b")
    assert sign not in shown
    assert re.fullmatch(r"a⟨[\w +-]+⟩b", shown)


def test_text_keeps_its_lines_and_letters():
    """Code and Chinese answers are to be read."""
    assert tag("pre", "def f():\n\treturn 王\r\n") == "<pre>def f():\n\treturn 王\n</pre>"


def test_the_instructor_sees_what_failing_answers_behave_like():
    """That is what to explain in the next lecture."""
    labels = ["the other axis", "the other axis", None]
    grades = [
        grade(f"s{i}", question(SQUARE, 0.5, like=like), sha256=str(i)) for i, like in enumerate(labels)
    ]
    grades.append(grade("s3", question(SQUARE, 0.0, reason="no answer"), sha256="3"))
    tables = soup(instructor_page(EXERCISE, grades)).find("h3", string=SQUARE).find_next("table")
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.find_all("td")] for row in tables.find_all("tr")[1:]
    ]
    assert rows == [
        ["2", "the other axis", "s0 s1"],
        ["1", "no answer", "s3"],
        ["1", "none of the known wrong answers", "s2"],
    ]


def test_the_instructor_sees_which_check_is_the_hardest():
    """Hidden ones too: the page is for the instructor alone."""
    easy, hard = check("easy"), check("hard", "hidden", "value")
    grades = [grade(f"s{i}", question(SQUARE, 1.0, easy, hard), sha256=str(i)) for i in range(2)]
    seen = words(instructor_page(EXERCISE, grades))
    assert "0 % hidden: hard 100 % public: easy" in seen


def test_the_instructor_sees_the_same_file_handed_in_twice():
    """However short it is."""
    grades = [full("ann", sha256="x"), full("bo", sha256="x"), full("cy", sha256="y")]
    assert "The same file: ann bo" in words(instructor_page(EXERCISE, grades))


def test_the_instructor_sees_who_is_slow_late_missing_and_waiting():
    """All that needs a decision is on the page."""
    late = Late(NOON.replace(hour=10), 10)
    grades = [full("ann", sha256="x", seconds=9.0, late=late), absent(Student("bo", "Bo"))]
    seen = words(instructor_page(EXERCISE, grades))
    for part in ("1 graded", "1 no submission", "2 answers wait", "1 late", "ann 9.0 s"):
        assert part in seen


def test_the_histogram_counts_everybody_once():
    """Also full marks, which belong to the last bar, and nobody."""
    drawing = soup(histogram([0.0, 0.5, 6.0, 11.9, 12.0], 12).encode())
    assert drawing.svg["aria-label"] == "Students by points of 12: from 0: 2, from 6: 1, from 10.8: 2"
    heights = [int(bar["height"]) for bar in drawing.find_all("rect")]
    assert heights == [160, 0, 0, 0, 0, 80, 0, 0, 0, 160]
    assert "none" in histogram([], 12)
