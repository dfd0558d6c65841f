"""Tables that people open in spreadsheets: what students wrote does nothing there."""

import pytest

from coursekit.grading.tables import Verbatim, harmless, plain, read_table, write_table

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "\tx",
    "\n=1",
    "\r=1",
    " =1",
    "\u00a0=1",
    "\u3000=1",
    "\x0b=1",
    "\x00=1",
    "\u200b=1",
    "\ufeff=1",
    "\u202e=1",
    "\u3164=1",
    "\u2800=1",
    "\ufe0f=1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    "\ufe661",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_table_of_what_students_wrote_holds_no_formula(tmp_path, text):
    """A spreadsheet would run it on the instructor's machine, also after a blank or a wide sign."""
    write_table(tmp_path / "t.csv", ["answer"], [[text]])
    (row,) = read_table(tmp_path / "t.csv")
    assert row["answer"].startswith("'")


@pytest.mark.parametrize("sign", ["\x1b", "\x07", "\x9b", "\r", "\u202e", "\u200b"])
def test_signs_that_steer_a_terminal_or_hide_text_are_left_out(tmp_path, sign):
    """Somebody prints the table; a file's name may hold anything."""
    write_table(tmp_path / "t.csv", ["file"], [[f"a{sign}[31mb"]])
    assert (tmp_path / "t.csv").read_text("utf-8-sig") == "file\na[31mb\n"


@pytest.mark.parametrize(
    "text", ["Lee, Ann", "O'Brien", "'quoted'", "小明", "é", "a = b", "    Points Possible", "1.5"]
)
def test_ordinary_text_stays_as_it_is(text):
    """A grade with an apostrophe would be no number."""
    assert harmless(text) == text


def test_a_field_of_the_learning_system_stays_as_it_is(tmp_path):
    """It would not find its student."""
    write_table(tmp_path / "t.csv", ["name"], [[Verbatim("-Lee")]])
    assert read_table(tmp_path / "t.csv") == [{"name": "-Lee"}]


@pytest.mark.parametrize("text", ["- unclear", "=1", "good", "'quoted'", "'", ""])
def test_the_apostrophe_of_a_cell_comes_off_again(text):
    """A comment is read by the student as the instructor typed it."""
    assert plain(harmless(text)) == text


def test_a_table_survives_quotes_lines_and_delimiters(tmp_path):
    """Answers are long texts."""
    text = 'a "quoted", line;\nand 王 \\ another'
    write_table(tmp_path / "t.csv", ["key", "answer"], [["k", text]])
    assert read_table(tmp_path / "t.csv") == [{"key": "k", "answer": text}]
