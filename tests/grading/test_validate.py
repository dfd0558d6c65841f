"""A master that breaks a promise is told which one, with key and check."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.grading.exercise import read
from coursekit.grading.validate import validate

TEXT = (Path(__file__).parent / "little.md").read_text()


def report(tmp_path, *changes):
    """The report on the little master with some of its text replaced."""
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = tmp_path / "00-little.md"
    path.write_text(text)
    return validate(read(path))


def test_a_good_master_is_counted(tmp_path):
    """Questions, wrong answers that fail, right ones that pass."""
    good = report(tmp_path)
    assert good.violations == []
    assert (good.questions, good.rejected, good.accepted) == (4, 10, 4)
    assert str(good) == "00-little: 4 questions, 10 wrong answers rejected, 4 right alternatives accepted"


SQUARE, SCALE = "little.square: ", "little.scale: "
BROKEN = [
    (
        "return squares.mean(dim=0)",
        "return squares.sum(dim=0)",
        SQUARE + "the solution fails the public check 'a column' (seed 0): value: 14 came",
    ),
    (
        "    squares = x.square()\n",
        "    squares = y.square()\n",
        "exception: NameError: name 'y' is not defined",
    ),
    (
        'yield "one row", mean_square(torch.tensor([[-2.0, 5.0]])), torch.tensor([4.0, 25.0])',
        'yield "one row", 1.0, 1.0',
        SQUARE + "the starter passes the public check 'one row'",
    ),
    (
        "return x.square().sum(dim=0)",
        "return x.square().sum(dim=0) / len(x)",
        SQUARE + "the wrong answer 'the sum in place of the mean' passes all 6 checks",
    ),
    (
        "return x.square().sum(dim=0)",
        "return square(x).sum(dim=0)",
        "fails by a slip of its own, not by its mistake: exception: NameError",
    ),
    (
        "return x.square().sum(dim=0)",
        "return x.square().sum(dim=0",
        "the wrong answer 'the sum in place of the mean' can't be run: SyntaxError",
    ),
    (
        'einsum("ni,ni->i"',
        'einsum("ni,ni->n"',
        SQUARE + "the right answer 'by a product of matrices' fails the public check 'a column'",
    ),
    (
        "# wrong: little.square | the other axis",
        "# right: little.square | the other axis",
        SQUARE + "it has 4 wrong answers, needs at least 5",
    ),
    (
        "# right: little.scale | with helpers",
        "# wrong: little.scale | with helpers",
        SCALE + "it has 1 right answers, needs at least 2",
    ),
    (
        "# wrong: little.square | the other axis",
        "# wrong: little.square | no return",
        SQUARE + "the label 'no return' stands 2 times",
    ),
    ("# wrong: little.square | the other axis", "# wrong: little.square", SQUARE + "an answer has no label"),
    (
        "<summary>Hint 2</summary>\n\nSquare",
        "<summary>Square</summary>\n\nSquare",
        SQUARE + "2 hints stand above its check cell, it needs 3",
    ),
    ("for n in (2, 5, 100)", "for n in (2, 5)", SQUARE + "it has 2 hidden checks, needs at least 3"),
    ('yield "one row"', 'yield "a column"', SQUARE + "two checks are called 'a column'"),
    (
        '    """Mean over the rows of the squared numbers: (n, d) -> (d,)."""\n',
        "",
        SQUARE + "the answer cell needs a docstring",
    ),
    ("    # BEGIN SOLUTION\n    squares", "    squares", SQUARE + "there is no solution between"),
    (
        "x = torch.randn(n, 3)",
        "x = torch.from_numpy(np.random.default_rng().normal(n, 3))",
        SQUARE + "the tests use default_rng() without a seed",
    ),
    (
        '        yield f"{n} random rows", mean_square(x),',
        '        first, *_ = mean_square(x)\n        yield f"{n} random rows", mean_square(x),',
        SQUARE + "the hidden tests stop at or before '2 random rows' when a call fails",
    ),
    (
        "run(x, d)[0], (x",
        "run(x, seed=iter([d]))[0], (x",
        SCALE + "an argument of type list_iterator can't be sent",
    ),
    (
        "return layer(x), sum(",
        "return layer(x), layer, sum(",
        SCALE + "a value of type Scale can't be sent to another process",
    ),
    (
        "def hidden(mean_square):",
        "def hiden(mean_square):",
        SQUARE
        + "the solution or its tests can't be run: The cell '# hidden: little.square' has to define hidden",
    ),
    ("# hidden: little.square", "# prelude", SQUARE + "it has no hidden tests"),
    ("    # BEGIN SOLUTION\n    return float", "    return float", "little.open: there is no solution"),
    ("<!-- BEGIN SOLUTION -->\n", "", "little.why: there is no model answer"),
    ("import math\n", "import maths\n", "The prelude fails: ModuleNotFoundError: No module named 'maths'"),
    (
        "Square first.",
        "return squares.mean(dim=0)",
        "appears in the student's notebook; word one of the two differently",
    ),
    (
        'yield f"{n} random rows"',
        'yield f"{x[0, 0]:.9f}"',
        "has another name for another seed; no name may be drawn",
    ),
    (
        "## A layer that scales\n",
        "```{code-cell}\nprint(mean_square(column(3)))\n```\n\n## A layer that scales\n",
        "the cell 'print(mean_square(column(3)))' fails while nothing is answered (NotImplementedError",
    ),
    ("Square first.", "See {ref}`sec-squares`.", "The text holds a role, 'See {ref}`sec-squares`.'"),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_a_broken_promise_is_named(tmp_path, old, new, message):
    """With the key of its question, so that its author finds the place."""
    violations = report(tmp_path, (old, new)).violations
    assert any(message in violation for violation in violations), violations


def test_all_violations_are_told_at_once(tmp_path):
    """An author mends ten things in one go."""
    changes = [(old, new) for old, new, _ in (BROKEN[0], BROKEN[8], BROKEN[23])]
    violations = report(tmp_path, *changes).violations
    assert {"little.square", "little.scale", "little.why"} <= {line.split(":")[0] for line in violations}


def test_an_answer_may_use_the_answers_before_it(tmp_path):
    """As it does in the notebook, and in the grader."""
    change = (
        "return self.s.exp() * x, log_det",
        "return self.s.exp() * x, log_det + 0 * mean_square(x).sum()",
    )
    assert report(tmp_path, change).violations == []


def test_a_cell_may_wait_for_its_answer(tmp_path):
    """A picture of what one has written comes when it is right."""
    cell = "```{code-cell}\nif sheet.passed('little.square'):\n    print(mean_square(column(3)))\n```\n"
    change = ("## A layer that scales\n", f"{cell}\n## A layer that scales\n")
    assert report(tmp_path, change).violations == []


def test_the_command_lists_what_is_broken_and_fails(tmp_path):
    """Also what can't be read at all."""
    bad, unreadable = tmp_path / "00-bad.md", tmp_path / "01-unreadable.md"
    bad.write_text(TEXT.replace(*BROKEN[0][:2]))
    unreadable.write_text(TEXT.replace(" (2 points)", ""))
    result = CliRunner().invoke(app, ["exercises", "validate", str(bad), str(unreadable)])
    assert result.exit_code == 1
    assert "the solution fails the public check 'a column'" in result.output
    assert "needs a key and points" in result.output
