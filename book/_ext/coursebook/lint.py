"""Check the code cells of chapters and of masters of exercises with ruff, or format them in place.

Ruff reads notebooks but not MyST, so a file is handed to it as a notebook of its code cells, and what ruff
says of a cell is told of the file's line.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from coursebook.stale import stale

MAX_CELL_LINES = 20
PLACE = re.compile(r"\S*?([^/\s]+)\.ipynb:cell (\d+):(\d+):(\d+)")
RUFF = (sys.executable, "-m", "ruff")
# Masters of exercises define `public` anew for each question and hold answers as students write them; `check`
# comes from a cell that is added when they are built.
MASTERS = ("--select", "E,F,W,I", "--ignore", "F811,F841,E741", "--config", 'builtins = ["check", "sheet"]')


def cells(text: str) -> list[tuple[int, int]]:
    """The code cells of a MyST notebook as ranges of its lines (from 0), cell options left out."""
    found, lines, start = [], text.splitlines(), None
    for number, line in enumerate(lines):
        if start is None and line.startswith("```{code-cell}"):
            start = number + 1
        elif start is not None and line.rstrip() == "```":
            found.append((start + options(lines[start:number]), number))
            start = None
    return found


def options(lines: list[str]) -> int:
    """How many lines of a cell are options: a block between two `---`, or lines that begin with a colon."""
    if lines and lines[0].strip() == "---":
        return next(k for k, line in enumerate(lines) if k and line.strip() == "---") + 1
    return next((k for k, line in enumerate(lines) if not line.startswith(":")), len(lines))


def notebook(text: str) -> str:
    """The chapter's code cells as a notebook, in JSON."""
    lines = text.splitlines()
    sources = ["\n".join(lines[a:b]) for a, b in cells(text)]
    code = [
        {"cell_type": "code", "source": s, "metadata": {}, "outputs": [], "execution_count": None}
        for s in sources
    ]
    return json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def with_sources(text: str, sources: list[str]) -> str:
    """The chapter with the sources of its code cells replaced."""
    lines = text.splitlines()
    for (a, b), source in reversed(list(zip(cells(text), sources, strict=True))):
        lines[a:b] = source.splitlines()
    return "\n".join(lines) + "\n"


def too_long(path: Path) -> list[str]:
    """One message a cell of more than 20 lines."""
    ranges = [(a, b - a) for a, b in cells(path.read_text()) if b - a > MAX_CELL_LINES]
    return [f"{path}:{a + 1}:1: a cell of {n} lines, more than {MAX_CELL_LINES}" for a, n in ranges]


def stale_figures(path: Path) -> list[str]:
    """One message a figure that would draw something else once its page has run."""
    text = path.read_text()
    lines = text.splitlines()
    return [f"{path}: {message}" for message in stale(["\n".join(lines[a:b]) for a, b in cells(text)])]


def ruff(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run ruff on the notebooks in `folder` with the project's settings."""
    command = [*RUFF, *arguments, "--config", "pyproject.toml", "--no-cache", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def located(report: str, chapters: dict[str, Path]) -> str:
    """Ruff's report with `NAME.ipynb:cell 3:2:1` turned into the chapter's path and line."""

    def place(match: re.Match) -> str:
        path = chapters[match[1]]
        start, _ = cells(path.read_text())[int(match[2]) - 1]
        return f"{path}:{start + int(match[3])}:{match[4]}"

    return PLACE.sub(place, report)


def lint(paths: list[Path], fix: bool, *options: str) -> list[str]:
    """Check the code cells with ruff, or format them; returns what is wrong.

    Args:
        options: for `ruff check`, beside the project's settings.
    """
    chapters = {path.stem: path for path in paths}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for stem, path in chapters.items():
            (folder / f"{stem}.ipynb").write_text(notebook(path.read_text()))
        if fix:
            ruff(folder, "check", "--fix", *options)
            ruff(folder, "format")
            for stem, path in chapters.items():
                formatted = json.loads((folder / f"{stem}.ipynb").read_text())["cells"]
                path.write_text(
                    with_sources(path.read_text(), ["".join(cell["source"]) for cell in formatted])
                )
            return []
        style, report = ruff(folder, "check", "--output-format", "concise", *options)
        layout, diff = ruff(folder, "format", "--diff")
    return ([located(report, chapters)] if style else []) + ([diff] if layout else [])


def main(paths: list[Path], fix: bool) -> int:
    """Check chapters and masters, or format them; 0 if all is well."""
    masters = [path for path in paths if path.parent.name == "solutions"]
    chapters = [path for path in paths if path not in masters]
    found = lint(chapters, fix) if chapters else []
    found += lint(masters, fix, *MASTERS) if masters else []
    for path in [] if fix else chapters:
        found += too_long(path) + stale_figures(path)
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="format the cells in place")
    parser.add_argument("chapters", nargs="*", type=Path)
    arguments = parser.parse_args()
    sys.exit(main(arguments.chapters, arguments.fix))
