"""A master is read into questions, starters, tests and answers; what can't be read is named."""

from pathlib import Path

import pytest

from coursekit.grading.exercise import read, starter

TEXT = (Path(__file__).parent / "little.md").read_text()
LITTLE = read(Path(__file__).parent / "little.md")


def test_the_header_gives_name_title_minutes_and_points():
    """They stand at the top of the student's notebook."""
    assert (LITTLE.name, LITTLE.title, LITTLE.minutes) == ("little", "Exercise 0: Sums and noise", 20)
    assert (LITTLE.hardware, LITTLE.points) == ("2 CPU cores", 12)


def test_each_question_has_its_parts():
    """Key, kind, points, what the check hands to the tests, hints, answers."""
    parts = [
        (q.key, q.kind, q.points, q.target, q.hints, len(q.wrong), len(q.right))
        for q in LITTLE.questions.values()
    ]
    assert parts == [
        ("little.square", "code", 2, "mean_square", 3, 5, 2),
        ("little.scale", "code", 3, "run", 3, 5, 2),
        ("little.open", "experiment", 4, "best_constant", 0, 0, 0),
        ("little.why", "written", 3, "", 0, 0, 0),
    ]


def test_a_starter_raises_where_a_solution_stood():
    """A student sees at once that nothing is there yet; the docstring stays."""
    assert LITTLE.questions["little.square"].starter.splitlines() == [
        "# exercise: little.square (2 points)",
        "def mean_square(x):",
        '    """Mean over the rows of the squared numbers: (n, d) -> (d,)."""',
        '    raise NotImplementedError("Write your answer here.")',
    ]


def test_starter_lines_take_the_place_of_a_solution():
    """They keep the indent of the region, and what follows the marker keeps its own."""
    region = ["# BEGIN SOLUTION", "# starter: for y in x:", "# starter:     ...", "y = 1", "# END SOLUTION"]
    source = "if x:\n" + "".join(f"    {line}\n" for line in region)
    assert starter(source) == "if x:\n    for y in x:\n        ...\n"
    assert "vanishes" not in LITTLE.questions["little.why"].starter
    assert "*Write your answer here.*" in LITTLE.questions["little.why"].starter


def test_public_tests_end_before_the_call_of_check():
    """The grader runs the generator and has no check."""
    public = LITTLE.questions["little.square"].public
    assert "def public(mean_square)" in public
    assert "check(" not in public


def test_the_version_changes_with_any_change(tmp_path):
    """Results of another version are graded again."""
    path = tmp_path / "little.md"
    path.write_text(TEXT.replace("14 / 3", "4.66667"))
    assert read(path).version != LITTLE.version
    path.write_text(TEXT)
    assert read(path).version == LITTLE.version


BAD = [
    ("# exercise: little.scale (3 points)", "# exercise: little.scale", "needs a key and points"),
    ("# exercise: little.scale (3 points)", "# exercise little.scale (3 points)", "can't read the marker"),
    ("# exercise: little.scale (3 points)", "# exercise: little.square (3 points)", "stands twice"),
    (
        "# wrong: little.square | the other",
        "# wrong: little.circle | the other",
        "before its question, or has none",
    ),
    ("# probe: little.scale", "# hidden: little.scale", "'# hidden: little.scale' stands twice"),
    ('check("little.square", mean_square, public)', "", "must end in check"),
    (
        'check("little.square", mean_square, public)',
        'check("little.scale", mean_square, public)',
        "must end in check",
    ),
    ("# Exercise 0: Sums and noise", "Sums", "needs a heading"),
    ("minutes: 20, ", "", "needs a heading, and `exercise:"),
]


@pytest.mark.parametrize(("old", "new", "message"), BAD)
def test_what_can_not_be_read_is_named(tmp_path, old, new, message):
    """An author looks for the cell by its marker."""
    path = tmp_path / "little.md"
    assert old in TEXT
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(ValueError, match=r"little\.md") as error:
        read(path)
    assert message in str(error.value)
