"""From results to points, and to the tables that learning systems take."""

import csv
import datetime
from pathlib import Path

import pytest

from coursekit.grading import roster
from coursekit.grading.gradebook import Grade, Mark, write_canvas, write_gradebook, write_moodle
from coursekit.grading.late import Late
from coursekit.grading.roster import Student
from coursekit.grading.tables import read_table, write_table
from coursekit.grading.written import CHANGED, marked, read_sheet, write_sheet
from tests.grading.graded import EXERCISE, NOON, OPEN, SCALE, SQUARE, WHY, absent, grade, question
from tests.grading.test_roster import CANVAS, MOODLE


def full(name: str, **more) -> Grade:
    """Two code questions with 1.5 and 3 points, and two answers for people."""
    return grade(name, question(SQUARE, 1.5), question(SCALE, 3.0), question(OPEN), question(WHY), **more)


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_a_grade_adds_tests_and_marks_and_waits_for_the_rest():
    """What nobody has read yet is no zero."""
    one = full("lee")
    assert (one.reached, one.waiting, one.points(OPEN)) == (4.5, [OPEN, WHY], None)
    both = Grade(one.turn, EXERCISE, one.result, {OPEN: Mark(2.5), WHY: Mark(0.0)})
    assert (both.reached, both.waiting) == (7.0, [])


@pytest.mark.parametrize("answer", ["", "  \n", EXERCISE.questions[WHY].starter])
def test_an_answer_that_was_never_given_waits_for_nobody(answer):
    """An untouched text cell is zero points and no work."""
    one = grade("lee", question(SQUARE), question(SCALE), question(OPEN), question(WHY, answer=answer))
    assert one.waiting == [OPEN]
    assert one.points(WHY) == 0.0


def test_lateness_costs_a_share_of_all_points_reached():
    """Also of those given by hand later on."""
    late = Late(NOON - datetime.timedelta(hours=30), percent_per_day=10)
    one = full("lee", late=late)
    assert (one.days_late, one.lost, one.score) == (2, 0.9, 3.6)


def test_the_gradebook_keeps_the_order_and_says_everything(tmp_path):
    """A row for everybody, whatever happened."""
    grades = [full("wong"), absent(Student("lee", "Ann Lee")), grade("zed", status="too large")]
    write_gradebook(tmp_path / "g.csv", EXERCISE, grades)
    table = read_table(tmp_path / "g.csv")
    assert [(row["student"], row["status"], row["score"]) for row in table] == [
        ("wong", "graded", "4.5"),
        ("lee", "no submission", "0"),
        ("zed", "too large", "0"),
    ]
    assert table[0][SQUARE] == "1.5"
    assert table[0][OPEN] == ""
    assert table[0]["max"] == "12"
    assert table[0]["to_grade_by_hand"] == f"{OPEN} {WHY}"
    assert table[1]["file"] == ""


def of_roster(tmp_path: Path, text: str) -> list[Student]:
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    return roster.read(tmp_path / "roster.csv")


def test_canvas_gets_its_own_columns_back(tmp_path):
    """Its importer wants these names in this order, the row of points, and the assignment as it calls it."""
    ann, bo, _ = of_roster(tmp_path, CANVAS)
    grades = [full("x", student=ann), absent(bo), full("y", student=Student("y", "Yi, Yo", "99"))]
    write_canvas(tmp_path / "c.csv", EXERCISE, grades, "03-vae (77)")
    assert rows(tmp_path / "c.csv") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "03-vae (77)"],
        ["    Points Possible", "", "", "", "", "12"],
        ["Lee, Ann", "4711", "s1", "alee", "A", "4.5"],
        ["Wong, Bo", "4712", "s2", "bwong", "A", ""],
        ["Yi, Yo", "99", "", "y", "", "4.5"],
    ]
    assert not (tmp_path / "c.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_moodle_gets_its_own_columns_back(tmp_path):
    """Its importer finds rows by the identifier, and needs the column of the last change."""
    zoe, wang = of_roster(tmp_path, MOODLE)
    late = Late(NOON - datetime.timedelta(hours=1), 10)
    grades = [full("x", student=zoe, late=late), absent(wang), full("y", student=Student("y", "Yo Yi", "99"))]
    write_moodle(tmp_path / "m.csv", EXERCISE, grades)
    header, first, second, third = rows(tmp_path / "m.csv")
    assert {"Identifier", "Grade", "Last modified (grade)", "Feedback comments"} <= set(header)
    assert dict(zip(header, first, strict=True))["Identifier"] == "Participant 17"
    assert dict(zip(header, first, strict=True))["Full name"] == "Zoë Ångström"
    assert dict(zip(header, second, strict=True))["Grade"] == ""
    assert dict(zip(header, second, strict=True))["Feedback comments"] == "no submission"
    assert third[0] == "Participant 99"
    assert first[-1].startswith("1 day late: 0.45 points lost")


EVIL = "=cmd|' /c calc'!A0"


@pytest.mark.parametrize("name", [EVIL, "@SUM(1)", "\uff1d1+1", "\u200b=1"])
def test_a_name_out_of_a_file_is_no_formula_in_any_table(tmp_path, name):
    """Who is on no roster chose the name of the file."""
    one = full(name, student=Student(name, name, name))
    write_canvas(tmp_path / "canvas.csv", EXERCISE, [one], "x")
    write_moodle(tmp_path / "moodle.csv", EXERCISE, [one])
    write_gradebook(tmp_path / "gradebook.csv", EXERCISE, [one])
    write_sheet(tmp_path / "written.csv", [one], {})
    for file in ("canvas", "moodle", "gradebook", "written"):
        cells = [cell for row in rows(tmp_path / f"{file}.csv") for cell in row]
        assert any(cell.startswith("'") for cell in cells)
        assert not any(cell.startswith(("=", "@", "\uff1d", "\u200b")) for cell in cells), file


def test_a_learning_system_finds_its_own_fields_unchanged(tmp_path):
    """Whatever they look like: it wrote them."""
    (odd,) = of_roster(tmp_path, f"Student,ID,SIS User ID,SIS Login ID,Section\n{EVIL},1,-s1,@lee,+A\n")
    write_canvas(tmp_path / "c.csv", EXERCISE, [full("x", student=odd)], "x")
    assert rows(tmp_path / "c.csv")[2][:5] == [EVIL, "1", "-s1", "@lee", "+A"]


def test_a_comment_that_begins_like_a_formula_comes_back_as_it_was_typed(tmp_path):
    """However often the sheet is written."""
    sheet = tmp_path / "written.csv"
    write_sheet(sheet, [full("lee")], {})
    fill(sheet, "2", "- unclear")
    for _ in range(2):
        (lee,) = marked([full("lee")], read_sheet(sheet, EXERCISE))
        assert lee.marks[WHY] == Mark(2.0, "- unclear")
        write_sheet(sheet, [lee], read_sheet(sheet, EXERCISE))
        assert "'- unclear" in [row["comment"] for row in read_table(sheet)]


def test_a_student_the_grader_failed_on_gets_no_number(tmp_path):
    """A zero would be a lie."""
    write_canvas(tmp_path / "c.csv", EXERCISE, [grade("lee", status="grader failed")], "x")
    assert rows(tmp_path / "c.csv")[2][-1] == ""


def fill(path: Path, points: str, comment: str = "", key: str = WHY) -> None:
    """What a person does with the sheet in a spreadsheet, on Windows, in a country with decimal commas."""
    table = read_table(path)
    for row in table:
        if row["key"] == key:
            row |= {"points": points, "comment": comment}
    lines = [list(table[0]), *(list(row.values()) for row in table)]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\r\n").writerows(lines)


def test_marks_come_back_from_the_sheet(tmp_path):
    """With comments, in the spreadsheet's own dialect."""
    sheet = tmp_path / "written.csv"
    assert write_sheet(sheet, [full("lee"), full("wong")], {}) == 4
    fill(sheet, "1,5", "good")
    lee, wong = marked([full("lee"), full("wong")], read_sheet(sheet, EXERCISE))
    assert lee.marks == wong.marks == {WHY: Mark(1.5, "good")}
    assert write_sheet(sheet, [lee, wong], read_sheet(sheet, EXERCISE)) == 2
    (again,) = marked([full("lee")], read_sheet(sheet, EXERCISE))
    assert again.marks == lee.marks


@pytest.mark.parametrize("other", ["lee\u200b", "lee ", "'lee", "\x1blee", "Lee"])
def test_a_mark_goes_to_its_student_and_not_to_one_whose_name_looks_the_same(tmp_path, other):
    """Whoever is on no roster can choose a name."""
    sheet = tmp_path / "written.csv"
    write_sheet(sheet, [full("lee"), full(other)], {})
    table = read_table(sheet)
    for i in range(len(table)):
        table[i]["points"] = str(i / 4)
    write_table(sheet, list(table[0]), [list(row.values()) for row in table])
    for grades in ([full("lee"), full(other)], [full(other), full("lee")]):
        found = {one.key: one.marks for one in marked(grades, read_sheet(sheet, EXERCISE))}
        assert found["lee"] == {OPEN: Mark(0.0), WHY: Mark(0.25)}
        assert found[other] == {OPEN: Mark(0.5), WHY: Mark(0.75)}


def test_two_rows_for_one_answer_are_an_error_that_names_both(tmp_path):
    """A row was copied by mistake: which points count?"""
    sheet = tmp_path / "written.csv"
    write_sheet(sheet, [full("lee")], {})
    table = read_table(sheet)
    table.append(table[0] | {"student": "copy", "points": "1"})
    write_table(sheet, list(table[0]), [list(row.values()) for row in table])
    with pytest.raises(
        ValueError, match=f"student 'copy', question '{OPEN}': a row of 'lee' has the same id"
    ):
        read_sheet(sheet, EXERCISE)


def test_no_mark_is_lost_when_a_submission_disappears(tmp_path):
    """Somebody graded with half of the folder by mistake."""
    sheet = tmp_path / "written.csv"
    write_sheet(sheet, [full("lee"), full("wong")], {})
    fill(sheet, "2")
    write_sheet(sheet, marked([full("wong")], read_sheet(sheet, EXERCISE)), read_sheet(sheet, EXERCISE))
    lee, _ = marked([full("lee"), full("wong")], read_sheet(sheet, EXERCISE))
    assert lee.marks[WHY].points == 2.0


def test_an_answer_that_changed_after_it_was_marked_is_pointed_out_until_it_is_settled(tmp_path):
    """The student handed in again; the points may not fit any more."""
    sheet = tmp_path / "written.csv"
    write_sheet(sheet, [full("lee")], {})
    fill(sheet, "2")
    changed = grade("lee", *full("lee").result["questions"].values())
    changed.result["questions"][WHY]["answer"] = "something else"
    for _ in range(2):
        (lee,) = marked([changed], read_sheet(sheet, EXERCISE))
        assert lee.marks[WHY] == Mark(2.0, "", CHANGED)
        write_sheet(sheet, [lee], read_sheet(sheet, EXERCISE))


def test_what_students_wrote_is_no_formula_in_the_sheet(tmp_path):
    """It is opened in a spreadsheet, on the instructor's machine."""
    answer = '=HYPERLINK("http://evil","x")'
    write_sheet(tmp_path / "w.csv", [grade("-lee", *[question(WHY, answer=answer)] * 4)], {})
    for row in read_table(tmp_path / "w.csv"):
        assert row["answer"] == "'" + answer
        assert row["student"] == "'-lee"


def test_a_very_long_answer_fits_into_a_cell(tmp_path):
    """Spreadsheets cut silently."""
    write_sheet(tmp_path / "w.csv", [grade("lee", *[question(WHY, answer="x" * 10**6)] * 4)], {})
    answer = read_table(tmp_path / "w.csv")[0]["answer"]
    assert len(answer) < 32_767
    assert "cut here" in answer


@pytest.mark.parametrize("points", ["3 points", "-1", "99", "nan"])
def test_points_that_can_not_be_are_an_error_that_names_the_row(tmp_path, points):
    """A slip of the finger should not become a grade."""
    write_sheet(tmp_path / "w.csv", [full("lee")], {})
    fill(tmp_path / "w.csv", points)
    with pytest.raises(ValueError, match=f"student 'lee', question '{WHY}'"):
        read_sheet(tmp_path / "w.csv", EXERCISE)


def test_another_table_is_refused_as_a_sheet(tmp_path):
    """The gradebook, say."""
    write_gradebook(tmp_path / "g.csv", EXERCISE, [full("lee")])
    with pytest.raises(ValueError, match="no column 'key'"):
        read_sheet(tmp_path / "g.csv", EXERCISE)
