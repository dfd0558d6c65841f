"""Build the students' notebooks, exercises/NN-name.ipynb, from the masters, solutions/NN-name.md."""

import re
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from coursekit.grading.exercise import Cell, Exercise, read, starter

INSTRUCTORS = ("hidden", "wrong", "right")
ANSWERS = ("exercise", "experiment", "markdown")
BOOK_LINK = re.compile(r"\]\(\.\./book/([\w./-]+)\.md(#[\w-]+)?\)")
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}

ABOUT = """[Open in Colab]({colab}) · about {minutes} minutes · {hardware} · {points} points

Answers go into the cells that begin with `# exercise:` or `# experiment:` and into the texts that begin with
**Answer to**. Only these are graded: a helper that an answer needs belongs into the answer's own cell. Run
the check below an answer as often as you like. Hints stand above it; open as few as you can."""

INSTALL = """try:
    import coursekit.grading
except ModuleNotFoundError:
    %pip install -q git+{repository}
import torch

gpu = torch.cuda.is_available()
print(torch.cuda.get_device_name() if gpu else "No GPU here. The times given are for {hardware}.")"""

SHEET = """# sheet
from coursekit.grading import Sheet

sheet = Sheet({arguments})
check = sheet.check"""

HAND_IN = """## Hand in

Run all cells once more from top to bottom and look at the score. Then save the notebook (in Colab: File,
Download, Download .ipynb) and hand in this one file. Keep the first line of each answer as it is: it tells
which question it answers."""


def student_notebook(exercise: Exercise, repository: str, site: str) -> NotebookNode:
    """The notebook as students get it: starters for solutions, no hidden tests, nothing run.

    Args:
        exercise: a master.
        repository: address of the project, from which Colab opens the notebook and installs the package.
        site: address of the book, with a slash at its end.
    """
    given = [cell for cell in exercise.cells if cell.kind not in INSTRUCTORS]
    head = next(cell for cell in given if f"# {exercise.title}" in cell.source)
    cells = []
    for number, cell in enumerate(given):
        source = _about(exercise, cell, repository, site) if cell is head else _given(cell, site)
        make = new_markdown_cell if cell.kind == "markdown" else new_code_cell
        cells.append(make(source.rstrip(), id=_identity(cell, number)))
        if cell is head:
            install = INSTALL.format(repository=repository, hardware=exercise.hardware)
            cells += [new_code_cell(install, id="install"), new_code_cell(_sheet(exercise), id="sheet")]
    cells += [new_markdown_cell(HAND_IN, id="hand-in"), new_code_cell("sheet.score()", id="score")]
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})


def settings(root: Path) -> tuple[str, str]:
    """Addresses of the repository and of the book, from the project's _config.yml.

    Raises:
        FileNotFoundError: there is no such file.
    """
    path = root / "_config.yml"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: it holds the addresses for links, beside solutions/.")
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    return config["repository"]["url"], config["html"]["baseurl"]


def masters(solutions: Path) -> list[Path]:
    """The masters of a folder, in order.

    Raises:
        FileNotFoundError: there are none.
    """
    found = sorted(solutions.glob("[0-9][0-9]-*.md"))
    if not found:
        raise FileNotFoundError(f"{solutions} holds no master: expected files such as 03-vae.md.")
    return found


def write(solutions: Path, exercises: Path) -> list[Path]:
    """Build every master's notebook into the folder `exercises`; returns the paths.

    Raises:
        FileNotFoundError: there is no master, or no _config.yml beside `solutions`.
        ValueError: a master can't be read.
    """
    exercises.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in _texts(solutions).items():
        paths.append(exercises / name)
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def stale(solutions: Path, exercises: Path) -> list[str]:
    """The notebooks that differ from what their masters give now, are missing, or have no master."""
    wanted = _texts(solutions)
    found = {path.name: path.read_text(encoding="utf-8") for path in exercises.glob("*.ipynb")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def _texts(solutions: Path) -> dict[str, str]:
    addresses = settings(solutions.resolve().parent)
    exercises = [read(path) for path in masters(solutions)]
    return {f"{e.name}.ipynb": nbformat.writes(student_notebook(e, *addresses)) + "\n" for e in exercises}


def _given(cell: Cell, site: str) -> str:
    """A cell's text without solutions, with links into the book that work anywhere."""
    source = starter(cell.source) if cell.kind in ANSWERS and cell.key else cell.source
    if cell.kind != "markdown":
        return source
    return BOOK_LINK.sub(lambda match: f"]({site}{match[1]}.html{match[2] or ''})", source)


def _identity(cell: Cell, number: int) -> str:
    return re.sub(r"[^\w-]", "-", f"{cell.kind}-{cell.key}") if cell.key else f"cell-{number}"


def _about(exercise: Exercise, head: Cell, repository: str, site: str) -> str:
    """The first cell, with what a student has to know below its heading."""
    path = f"{repository.removeprefix('https://github.com/')}/blob/main/exercises/{exercise.name}.ipynb"
    colab = f"https://colab.research.google.com/github/{path}"
    facts = {"minutes": exercise.minutes, "hardware": exercise.hardware, "points": exercise.points}
    title = f"# {exercise.title}"
    return _given(head, site).replace(title, f"{title}\n\n{ABOUT.format(colab=colab, **facts)}", 1)


def _sheet(exercise: Exercise) -> str:
    """The cell that makes the sheet, with the points of each question."""
    parts = {True: {}, False: {}}
    for key, question in exercise.questions.items():
        parts[question.kind == "code"][key] = question.points
    lines = [f'    "{exercise.name}",', *_points("", parts[True]), *_points("by_hand=", parts[False])]
    return SHEET.format(arguments="\n" + "\n".join(lines) + "\n")


def _points(name: str, points: dict[str, int]) -> list[str]:
    entries = [f'        "{key}": {value},' for key, value in points.items()]
    return [f"    {name}{{", *entries, "    },"] if points else [f"    {name}{{}},"]
