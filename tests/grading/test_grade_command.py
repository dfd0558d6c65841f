"""`coursekit grade` from built notebooks to grades, with the real engine in a real sandbox."""

import json
import os
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.grading.build import student_notebook
from coursekit.grading.late import parse_time
from coursekit.grading.tables import read_table, write_table
from tests.grading.graded import EXERCISE, LITTLE, OPEN, SCALE, SQUARE, WHY
from tests.grading.handed_in import put, zipped

SOLVED = {key: question.answer for key, question in EXERCISE.questions.items()}
ROSTER = """\
Student,ID,SIS User ID,SIS Login ID,Section,submitted
"Able, Ann",1,s1,ann,A,2026-03-01 12:00
"Bell, Bo",2,s2,bo,A,2026-03-03 12:00
"Cole, Cy",3,s3,cy,A,2026-03-01 12:00
"Dunn, Di",4,s4,di,A,2026-03-01 12:00
"East, Eve",5,s5,eve,A,2026-03-01 12:00
"Fox, Fay",6,s6,fay,A,2026-03-01 12:00
"Gray, Gus",7,s7,gus,A,2026-03-01 12:00
"Hall, Hal",8,s8,hal,A,2026-03-01 12:00
"Ives, Ivy",9,s9,ivy,A,2026-03-01 12:00
"""


LATE = {"bo": "2", "stranger": "1"}  # the stranger by the time of the file


def filled(**answers: str) -> bytes:
    """The built notebook with answers in place of the starters; keys have __ for the dot."""
    book = student_notebook(EXERCISE, "https://github.com/o/r", "https://o.github.io/r/")
    given = {key.replace("__", "."): source for key, source in answers.items()}
    for cell in book.cells:
        for key, question in EXERCISE.questions.items():
            if key in given and cell.source.rstrip() == question.starter.rstrip():
                cell.source = given[key]
    return nbformat.writes(book).encode()


def solved(**changes: str) -> bytes:
    return filled(**({key.replace(".", "__"): source for key, source in SOLVED.items()} | changes))


def wrong(key: str, label: str) -> str:
    source = dict(EXERCISE.questions[key].wrong)[label]
    return source.replace("# wrong:", "# exercise:")


def handed_in() -> dict[str, bytes]:
    """What Canvas gives: everything that students do."""
    square = SOLVED[SQUARE]
    return {
        "ableann_1_11_little.ipynb": solved(),
        "bellbo_LATE_2_12_little.ipynb": solved(little__square=wrong(SQUARE, "the other axis")),
        "colecy_3_13_little.ipynb": filled(),
        "dunndi_4_14_little.ipynb": solved(little__square=square.replace("return", "return (")),
        "easteve_5_15_little.ipynb": solved(little__square=f"{square}\nimport os\nos._exit(0)"),
        "foxfay_6_16_work.zip": zipped({"work/little.ipynb": solved(), "work/notes.txt": b"."}),
        "graygus_7_17_little.pdf": b"%PDF-1.7",
        "hallhal_8_18_little.ipynb": b'{"cells": [',
        "stranger_99_19_little.ipynb": solved(little__scale=wrong(SCALE, "s taken for the scale itself")),
    }


def grade(folder: Path, *options: object, code: int = 0) -> str:
    arguments = [folder / "in", "--exercise", LITTLE, "--out", folder / "grades", *options]
    result = CliRunner().invoke(app, ["grade", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Path:
    """The folder after one run."""
    folder = tmp_path_factory.mktemp("course")
    put(folder / "in", handed_in())
    next_day = parse_time("2026-03-02 12:00").timestamp()
    for path in (folder / "in").iterdir():
        os.utime(path, (next_day, next_day))
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    late = ["--due", "2026-03-01 23:59", "--late-percent-per-day", 10]
    grade(folder, "--roster", folder / "roster.csv", *late, "--canvas-column", "Little (77)")
    return folder


@pytest.fixture
def copy(graded, tmp_path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copytree(graded, tmp_path / "course"))


def column(folder: Path, name: str) -> dict[str, str]:
    return {row["student"]: row[name] for row in read_table(folder / "grades" / "gradebook.csv")}


def test_everybody_has_a_score_or_a_reason_in_the_order_of_the_roster(graded):
    """Ten students, of whom one handed in nothing and one is on no list."""
    assert column(graded, "status") == {
        "ann": "graded",
        "bo": "graded",
        "cy": "graded",
        "di": "graded",
        "eve": "graded",
        "fay": "graded",
        "gus": "not a notebook",
        "hal": "not a notebook",
        "ivy": "no submission",
        "stranger": "graded",
    }


def test_each_gets_the_points_that_the_answers_deserve(graded):
    """An error, or an attack, in one answer costs that answer alone."""
    square, scale = column(graded, SQUARE), column(graded, SCALE)
    assert [scale[name] for name in ("ann", "bo", "di", "eve", "fay")] == ["3"] * 5
    assert square["ann"] == square["fay"] == "2"
    assert square["cy"] == square["di"] == "0"
    assert float(square["bo"]) < 2
    assert float(scale["stranger"]) < 3


def test_two_days_late_cost_a_fifth(graded):
    """By the roster's time, not that of the file."""
    assert column(graded, "days_late") == dict.fromkeys(column(graded, "status"), "0") | LATE
    reached, score = column(graded, "reached")["bo"], column(graded, "score")["bo"]
    assert float(score) == pytest.approx(0.8 * float(reached), abs=0.01)


def test_the_wrong_answer_is_recognized_and_the_instructor_told(graded):
    """By what it returns, not by how it is written."""
    result = json.loads((graded / "grades" / "results" / "bo.json").read_text())
    assert result["questions"][SQUARE]["like"] == "the other axis"
    assert "the other axis" in (graded / "grades" / "instructor.html").read_text()


def test_canvas_takes_the_table_back(graded):
    """With the identities that its roster had."""
    rows = read_table(graded / "grades" / "canvas.csv")
    assert rows[0]["Student"] == "Points Possible"
    assert rows[1]["ID"] == "1"
    assert float(rows[1]["Little (77)"]) == 5.0
    assert next(row for row in rows if row["ID"] == "9")["Little (77)"] == ""


def test_nothing_of_the_hidden_tests_reaches_a_student(graded):
    """Not a name, not an input, in any report."""
    for path in (graded / "grades" / "reports").iterdir():
        report = path.read_text()
        assert "random rows" not in report, path.name
        assert "columns random" not in report, path.name
    assert "random rows" in LITTLE.read_text()


def test_every_student_has_a_report_that_the_instructors_page_links(graded):
    """A broken link would look like a lost submission."""
    page = (graded / "grades" / "instructor.html").read_text()
    for path in (graded / "grades" / "reports").iterdir():
        assert f'href="reports/{path.name}"' in page


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "grades" / "results").glob("*.json")}


def test_the_same_command_again_grades_only_what_is_new(copy):
    """One student hands in again."""
    before = stamps(copy)
    put(copy / "in", {"colecy_3_13_little.ipynb": solved()})
    grade(copy, "--roster", copy / "roster.csv")
    after = stamps(copy)
    unread = {"gus.json", "hal.json"}  # cost nothing
    assert {name for name in before if after[name] != before[name]} - unread == {"cy.json"}
    assert column(copy, SQUARE)["cy"] == "2"


def test_points_given_by_hand_come_into_the_grade(copy):
    """The sheet in the output folder is read when the command runs again."""
    sheet = copy / "grades" / "written.csv"
    rows = read_table(sheet)
    assert {(row["student"], row["key"]) for row in rows} >= {("ann", OPEN), ("ann", WHY)}
    assert ("cy", WHY) not in {(row["student"], row["key"]) for row in rows}
    for row in rows:
        row["points"] = "1.5" if row["student"] == "ann" else ""
    write_table(sheet, list(rows[0]), [list(row.values()) for row in rows])
    said = grade(copy, "--roster", copy / "roster.csv")
    assert column(copy, "score")["ann"] == "8"
    assert "answers to grade by hand" in said


def test_a_cluster_comes_to_the_same_grades(copy):
    """The same jobs on a Dask cluster, in processes of their own."""
    from distributed import LocalCluster

    before = column(copy, "score")
    shutil.rmtree(copy / "grades")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(host="127.0.0.1", **options) as cluster:
        late = ["--due", "2026-03-01 23:59", "--late-percent-per-day", 10]
        address = cluster.scheduler_address
        grade(copy, "--roster", copy / "roster.csv", *late, "--scheduler", address)
    assert column(copy, "score") == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--exercise", "99-nothing"], "'99-nothing' is neither"),
        (["--sandbox", "prayer"], "no sandbox 'prayer'"),
        (["--due", "tomorrow"], "'tomorrow' is not a time"),
        (["--roster", "nowhere.csv"], "nowhere.csv is not there"),
        (["--late-percent-per-day", "300"], "0 to 100 percent"),
    ],
)
def test_a_mistake_is_answered_by_its_message_before_anything_is_graded(graded, options, message):
    """Not after an hour, and not by a traceback."""
    before = stamps(graded)
    output = grade(graded, *options, code=1)
    assert message in output
    assert "Traceback" not in output
    assert stamps(graded) == before


def test_a_master_that_answers_could_read_is_refused(tmp_path, monkeypatch):
    """It holds the solutions."""
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    put(tmp_path / "in", {"ann.ipynb": solved()})
    shutil.copy(LITTLE, tmp_path / "little.md")
    output = grade(tmp_path, "--exercise", tmp_path / "little.md", code=1)
    assert "could read" in output
    assert "little.md" in output
