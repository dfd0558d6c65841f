"""The student's notebook holds all that a student needs and nothing of what was cut."""

import ast
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.grading import build
from coursekit.grading.exercise import read
from coursekit.grading.leaks import leaks, raw_myst

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TEXT = (HERE / "little.md").read_text()
LITTLE = read(HERE / "little.md")
REPOSITORY, SITE = "https://github.com/owner/book", "https://owner.github.io/book/"
NOTEBOOK = build.student_notebook(LITTLE, REPOSITORY, SITE)
CODE = {cell.id: cell.source for cell in NOTEBOOK.cells if cell.cell_type == "code"}
PROSE = "\n".join(cell.source for cell in NOTEBOOK.cells if cell.cell_type == "markdown")


def test_the_notebook_is_valid_and_has_nothing_run():
    """No outputs, no metadata beyond the kernel; every cell has its own id."""
    nbformat.validate(NOTEBOOK)
    assert NOTEBOOK.metadata == {"kernelspec": build.KERNEL}
    assert all(not cell.metadata and not cell.get("outputs") for cell in NOTEBOOK.cells)
    assert len({cell.id for cell in NOTEBOOK.cells}) == len(NOTEBOOK.cells)


def test_cells_come_in_the_order_of_the_master():
    """Install, sheet, then question by question: answer, probe, check; the score last."""
    named = [name for name in CODE if not name.startswith("cell-")]
    assert named == [
        "install",
        "sheet",
        "exercise-little-square",
        "check-little-square",
        "exercise-little-scale",
        "probe-little-scale",
        "check-little-scale",
        "experiment-little-open",
        "check-little-open",
        "score",
    ]


def test_the_sheet_knows_all_points():
    """Also those that are given by hand."""
    names = {}
    exec(CODE["sheet"], names)
    assert names["sheet"].exercise == "little"
    assert names["sheet"].points == {"little.square": 2, "little.scale": 3}
    assert names["sheet"].by_hand == {"little.open": 4, "little.why": 3}


def test_the_key_stands_in_the_source():
    """Colab loses metadata."""
    for key, question in LITTLE.questions.items():
        if question.kind != "written":
            assert re.search(
                rf"^# {question.kind.replace('code', 'exercise')}: {re.escape(key)} ",
                "\n".join(CODE.values()),
                re.M,
            )
        else:
            assert f"**Answer to `{key}` (3 points, graded by hand).**" in PROSE


def test_it_opens_in_colab_and_installs_from_the_repository():
    """One click, one install line for the package alone."""
    assert "(https://colab.research.google.com/github/owner/book/blob/main/exercises/little.ipynb)" in PROSE
    assert CODE["install"].count("install") == 1
    assert f"%pip install -q git+{REPOSITORY}\n" in CODE["install"]
    assert "about 20 minutes · 2 CPU cores · 12 points" in PROSE


def test_links_lead_into_the_published_book():
    """A path of the repository leads nowhere from Colab."""
    assert f"[Chapter 3]({SITE}03-vae.html)" in PROSE
    assert "../book" not in PROSE


def test_hints_and_formulas_are_as_they_were_written():
    """Colab and GitHub show both."""
    assert PROSE.count("<details><summary>Hint ") == 6
    assert r"$$\frac{1}{n} \sum_i x_i^2 .$$" in PROSE


def test_every_code_cell_but_the_install_cell_is_plain_python():
    """Magics would not survive a grader that is no notebook."""
    for name, source in CODE.items():
        if name != "install":
            ast.parse(source)


def test_nothing_leaks_and_nothing_is_raw():
    """The fixture is as it should be."""
    assert leaks(LITTLE, NOTEBOOK) == []
    assert raw_myst(NOTEBOOK) == []


LEAKS = [
    (
        "Square first.",
        "Try `return squares.mean(dim=0)`.",
        "little.square, solution: the line 'return squares.mean",
    ),
    (
        "A small exercise",
        "The mean square is x.square().sum(dim=0).\nreturn x.square().sum(dim=0)",
        "wrong answer 'the sum",
    ),
    (
        "## A layer that scales",
        "## x = torch.randn(n, 3)",
        "little.square, hidden tests: the line 'x = torch",
    ),
    ("Square first.", 'return torch.einsum("ni,ni->i", x, x) / len(x)', "right answer 'by a product"),
    (
        "Square first.",
        "The derivative of the mean square is twice the mean difference. It vanishes at the mean.",
        "little.why, solution",
    ),
    (
        "    return torch.arange(1.0, n + 1)[:, None]\n```",
        "    return torch.arange(1.0, n + 1)[:, None]\n```\n\n```{code-cell}\nsquares = x.square()  # \n```",
        "the line 'squares = x.square()'",
    ),
    ("Which axis counts", "# BEGIN SOLUTION\nWhich axis counts", "The marker 'BEGIN SOLUTION'"),
]


@pytest.mark.parametrize(("old", "new", "message"), LEAKS)
def test_a_secret_line_in_code_text_or_hints_is_found(tmp_path, old, new, message):
    """Wherever it comes from."""
    path = tmp_path / "00-leaky.md"
    assert old in TEXT
    path.write_text(TEXT.replace(old, new))
    leaky = read(path)
    found = leaks(leaky, build.student_notebook(leaky, REPOSITORY, SITE))
    assert any(message in line for line in found), found


RAW = [
    ("{ref}`sec-elbo`", "a role"),
    (":::{note}\nText\n:::", "a directive"),
    ("(sec-squares)=", "a label"),
    ("$$x$$ (squares)", "a labelled equation"),
    ("[data](../data/x.csv)", "a relative link"),
]


@pytest.mark.parametrize(("text", "name"), RAW)
def test_text_that_only_the_book_shows_is_found(tmp_path, text, name):
    """In Colab it would stand there raw."""
    path = tmp_path / "00-raw.md"
    path.write_text(TEXT.replace("Why is the mean the best constant?", f"Why?\n\n{text}\n"))
    (found,) = raw_myst(build.student_notebook(read(path), REPOSITORY, SITE))
    assert f"The text holds {name}" in found


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project of one master."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "00-little.md").write_text(TEXT)
    shutil.copy(ROOT / "_config.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def coursekit(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["exercises", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


def test_build_prints_the_counts_and_writes_the_notebook(project):
    """Twice the same, byte by byte; then nothing is stale."""
    assert build.stale(project / "solutions", project / "exercises") == ["00-little.ipynb"]
    output = coursekit("build")
    assert "4 questions, 10 wrong answers rejected, 4 right alternatives accepted" in output
    path = project / "exercises" / "00-little.ipynb"
    first = path.read_bytes()
    assert build.stale(project / "solutions", project / "exercises") == []
    assert build.write(project / "solutions", project / "exercises") == [project / "exercises" / path.name]
    assert path.read_bytes() == first


def test_a_changed_master_and_a_stray_notebook_are_stale(project):
    """What students get has to be what the masters say."""
    build.write(project / "solutions", project / "exercises")
    master = project / "solutions" / "00-little.md"
    master.write_text(TEXT.replace("Square first.", "First square."))
    (project / "exercises" / "01-gone.ipynb").write_text("{}")
    assert build.stale(project / "solutions", project / "exercises") == ["00-little.ipynb", "01-gone.ipynb"]


def test_with_a_violation_nothing_is_written(project):
    """Students must not find a half-right exercise."""
    master = project / "solutions" / "00-little.md"
    master.write_text(TEXT.replace("x.square().sum(dim=0)", "x.square().mean(dim=0)"))
    output = coursekit("build", code=1)
    assert "little.square: the wrong answer 'the sum in place of the mean' passes all 6 checks" in output
    assert not (project / "exercises").exists()


def test_without_masters_or_addresses_the_way_on_is_told(project):
    """A sentence and no traceback."""
    assert "holds no master: expected files such as" in coursekit("build", "--solutions", project, code=1)
    (project / "_config.yml").unlink()
    assert "_config.yml is missing" in coursekit("build", code=1)
