"""Who handed in what, by the lists that learning systems export."""

import datetime
from pathlib import Path

import pytest

from coursekit.grading import roster
from coursekit.grading.archives import Source
from coursekit.grading.late import Late, parse_time
from coursekit.grading.notebook import Unreadable
from coursekit.grading.submissions import Submission

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,03-vae (77)
    Points Possible,,,,,20
"Lee, Ann",4711,s1,alee,A,
"Wong, Bo",4712,s2,bwong,A,
"Lee, Bo",4713,s3,blee,A,
"""
MOODLE = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (submission),Feedback comments
Participant 17,Zoë Ångström,zoe@x.edu,Submitted,,20,"Sunday, 1 March 2026, 11:59 PM",
Participant 18,王小明,wang@x.edu,No submission,,20,-,
"""
PLAIN = "id;name;submitted\nlee;Ann Lee;2026-03-01 22:00\nwong;Bo Wong;\n"


def handed_in(
    student: str, number: str = "", path: str = "", minute: int = 0, bad: bool = False
) -> Submission:
    time = datetime.datetime(2026, 3, 1, 12, minute).astimezone()
    problem = Unreadable("too large", "") if bad else None
    return Submission(student, number, path or student, time, time, Source(Path(path)), problem=problem)


def students(tmp_path: Path, text: str) -> list[roster.Student]:
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8-sig")
    return roster.read(tmp_path / "roster.csv")


def owners(tmp_path: Path, text: str, *files: Submission) -> list[tuple[str, str]]:
    turns = roster.assign(files, students(tmp_path, text))
    return [(turn.student.key, turn.submission.path if turn.submission else "-") for turn in turns]


def test_canvas_files_are_told_by_their_number(tmp_path):
    """Two students may well be called the same; the order is that of the roster."""
    files = [handed_in("leebo", "4713", "b"), handed_in("wongbo", "4712", "w"), handed_in("x", "4711", "a")]
    assert owners(tmp_path, CANVAS, *files) == [("alee", "a"), ("bwong", "w"), ("blee", "b")]


def test_moodle_files_are_told_by_their_participant(tmp_path):
    """The number in the folder's name is that of the worksheet's first column."""
    files = [handed_in("Someone", "18", "w")]
    assert owners(tmp_path, MOODLE, *files) == [("zoe@x.edu", "-"), ("wang@x.edu", "w")]


@pytest.mark.parametrize("name", ["Zoe Angstrom", "angstromzoe", "zoe", "ZOE@X.EDU", "Ångström, Zoë"])
def test_a_name_is_recognized_in_any_order_and_case(tmp_path, name):
    """File names lose accents, spaces and capitals on their way."""
    assert owners(tmp_path, MOODLE, handed_in(name, path="z"))[0] == ("zoe@x.edu", "z")


def test_a_chinese_name_is_recognized(tmp_path):
    """It is one word without case."""
    assert owners(tmp_path, MOODLE, handed_in("王小明", path="w"))[1] == ("wang@x.edu", "w")


def test_a_key_of_one_goes_before_a_first_name_of_another(tmp_path):
    """The student `lee` is not the one whose first name is Lee."""
    text = "id,name\nlee,Ann Wong\nwong,Lee\n"
    assert owners(tmp_path, text, handed_in("lee", path="x")) == [("lee", "x"), ("wong", "-")]


def test_a_name_that_two_students_share_is_nobodys(tmp_path):
    """Guessing would give the grade to the wrong one; the row stands at the end for the instructor."""
    text = "id,name\n1,Bo Lee\n2,Bo Lee\n"
    assert owners(tmp_path, text, handed_in("Bo Lee", path="x")) == [("1", "-"), ("2", "-"), ("Bo Lee", "x")]


def test_whoever_is_not_on_the_roster_stands_at_its_end(tmp_path):
    """No submission is lost."""
    files = [handed_in("zed", path="z"), handed_in("abe", path="a"), handed_in("lee", path="l")]
    expected = [("lee", "l"), ("wong", "-"), ("abe", "a"), ("zed", "z")]
    assert owners(tmp_path, PLAIN, *files) == expected


def test_strangers_of_one_name_stay_two(tmp_path):
    """Without a roster Canvas's number is all that tells them apart."""
    turns = roster.assign([handed_in("lee", "1", "a"), handed_in("lee", "2", "b")], [])
    assert [turn.student.key for turn in turns] == ["lee", "lee (2)"]


def test_the_newest_readable_file_counts_and_the_others_are_kept_aside():
    """A student may hand in twice, and a PDF beside the notebook."""
    files = [handed_in("lee", path=p, minute=m, bad=b) for p, m, b in (("a", 1, 0), ("b", 2, 0), ("c", 3, 1))]
    (turn,) = roster.assign(files, [])
    assert turn.submission.path == "b"
    assert [one.path for one in turn.aside] == ["c", "a"]


def test_the_rosters_time_goes_before_the_files(tmp_path):
    """A download gives all files one time."""
    ann, _ = roster.assign([handed_in("lee")], students(tmp_path, PLAIN))
    assert ann.submitted == datetime.datetime(2026, 3, 1, 22).astimezone()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("grade,section\n1,2\n", "names no student"),
        ("id,id\n1,2\n", "two columns called 'id'"),
        ("id,name\nlee,A\nlee,B\n", "'lee' stands in roster.csv twice"),
        ("id,submitted\nlee,soon\n", "student 'lee': 'soon' is not a time"),
    ],
)
def test_a_wrong_roster_is_an_error_that_says_what_to_mend(tmp_path, text, message):
    """A silent mistake would move grades."""
    with pytest.raises(ValueError, match=message):
        students(tmp_path, text)


def test_a_roster_in_another_encoding_says_so(tmp_path):
    """Spreadsheets on Windows save so."""
    (tmp_path / "roster.csv").write_bytes("id,name\n1,Zoë\n".encode("latin-1"))
    with pytest.raises(ValueError, match="UTF-8"):
        roster.read(tmp_path / "roster.csv")


@pytest.mark.parametrize(
    "text",
    ["2026-03-01 23:59", "2026-03-01T23:59:00", "Sunday, 1 March 2026, 11:59 PM"],
)
def test_times_are_read_as_learning_systems_write_them(text):
    """Without an offset they are local."""
    assert parse_time(text) == datetime.datetime(2026, 3, 1, 23, 59).astimezone()


def test_an_offset_is_respected():
    """Gradescope writes one."""
    utc = datetime.datetime(2026, 3, 2, 7, 59, tzinfo=datetime.UTC)
    assert parse_time("2026-03-01 23:59:00 -0800") == parse_time("2026-03-01T23:59-08:00") == utc


DUE = datetime.datetime(2026, 3, 1, 23, 59, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("minutes", "days"), [(-5, 0), (0, 0), (15, 0), (16, 1), (15 + 1440, 1), (16 + 1440, 2), (1e6, 695)]
)
def test_every_day_begun_after_the_grace_counts(minutes, days):
    """Fifteen minutes are forgiven, and then shift the whole count."""
    late = Late(DUE, percent_per_day=10, grace_minutes=15)
    assert late.days(DUE + datetime.timedelta(minutes=minutes)) == days


@pytest.mark.parametrize(("days", "lost"), [(0, 0), (1, 1.5), (10, 15), (11, 15)])
def test_a_deduction_is_a_share_of_the_points_reached_and_never_more(days, lost):
    """A score is never below zero."""
    assert Late(DUE, percent_per_day=10).deduction(15.0, days) == lost


def test_without_a_due_time_or_a_known_time_nothing_is_late():
    """An unknown time must not cost points."""
    assert Late().days(DUE) == Late(DUE, 10).days(None) == 0


@pytest.mark.parametrize("values", [(DUE, 101), (DUE, -1), (DUE, 10, -1)])
def test_a_late_policy_that_makes_no_sense_is_refused(values):
    """A day can't cost more than everything."""
    with pytest.raises(ValueError, match="not"):
        Late(*values)


def test_a_day_and_month_that_could_be_swapped_are_not_guessed():
    """Half of the world would be two months late."""
    with pytest.raises(ValueError, match="write it as 2026-03-01"):
        parse_time("01/03/2026 23:59")
