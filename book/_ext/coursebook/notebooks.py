"""Chapters as notebooks for Colab, JupyterLab and file viewers, and exercises as they are, beside the pages.

The build of the site writes them: it has resolved every reference and given every number. `make notebooks`
gathers them in a folder of their own.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import nbformat
from docutils import nodes
from myst_nb.core.read import read_myst_markdown_notebook
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sphinx.application import Sphinx

from coursebook.cache import ROOT
from coursebook.markdown import Writer

ABOUT = "A chapter of [{title}]({address}). Run the cells from top to bottom."
INSTALL = """try:
    import coursekit
except ModuleNotFoundError:
    %pip install -q git+{repository}"""
RECORDED = """
from pathlib import Path

if not Path("results").is_dir():  # longer runs, which the chapter reads
    if not Path("course").is_dir():
        !git clone -q --depth 1 {repository} course
    %cd -q course/book"""
READS = re.compile(r"""["'](results|weights)["'/]""")


def has_notebook(pagename: str) -> bool:
    """Whether the page is a notebook, too: a chapter or an exercise."""
    return pagename[:2].isdigit() or pagename.startswith("exercises/")


def beside_the_page(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Write the page's notebook into the site."""
    if doctree is None or not has_notebook(pagename):
        return
    source, target = Path(app.env.doc2path(pagename)), Path(app.outdir, f"{pagename}.ipynb")
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".ipynb":
        shutil.copy(source, target)
    else:
        nbformat.write(chapter(app, pagename, doctree, source.read_text()), target)


def chapter(app: Sphinx, pagename: str, doctree: nodes.document, source: str) -> NotebookNode:
    """The chapter as a notebook, without outputs."""
    address = urljoin(app.config.html_baseurl, f"{pagename}.html")
    codes = {
        index: cell.source
        for index, cell in enumerate(read_myst_markdown_notebook(source).cells)
        if cell.cell_type == "code"
    }
    found = pieces(Writer(app.builder, address), doctree)
    about = f"{next(found)}\n\n{ABOUT.format(title=app.config.html_title, address=address)}"
    install = INSTALL + (RECORDED if any(map(READS.search, codes.values())) else "")
    repository = app.config.html_theme_options["repository_url"]
    install = new_code_cell(install.format(repository=repository))
    written = [new_markdown_cell(about), install, *cells(found, codes)]
    for number, cell in enumerate(written):
        cell.id = f"cell-{number}"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = new_notebook(cells=written, metadata=kernel)
    nbformat.validate(notebook)
    return notebook


def cells(found: Iterator[str | int], codes: dict[int, str]) -> Iterator[NotebookNode]:
    """Prose and code in turn; a heading begins a cell, as Colab folds by them.

    A code cell that the page leaves out is there nevertheless: later ones may need it.
    """
    waiting, prose = dict(codes), []
    for piece in found:
        if prose and (isinstance(piece, int) or piece.startswith("#")):
            yield new_markdown_cell("\n\n".join(prose))
            prose = []
        if isinstance(piece, str):
            prose.append(piece)
            continue
        for index in [index for index in waiting if index <= piece]:
            yield new_code_cell(waiting.pop(index))
    if prose:
        yield new_markdown_cell("\n\n".join(prose))
    yield from map(new_code_cell, waiting.values())


def pieces(writer: Writer, parent: nodes.Element, depth: int = 0) -> Iterator[str | int]:
    """The title, then headings and blocks in Markdown; of a code cell its index."""
    for node in parent:
        if isinstance(node, nodes.section):
            yield from pieces(writer, node, depth + 1)
        elif isinstance(node, nodes.title):
            yield f"{'#' * depth} {writer.line(node)}"
        elif node.get("nb_element") == "cell_code":
            yield node["cell_index"]
        elif text := writer.write(node):
            yield text


def gather(site: Path, folder: Path) -> None:
    """Copy all notebooks of the built site, and nothing else, into the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in sorted(site.rglob("*.ipynb")):
        target = folder / path.relative_to(site)
        target.parent.mkdir(parents=True, exist_ok=True)
        print(shutil.copy(path, target))


if __name__ == "__main__":
    gather(ROOT / "_build" / "html", Path(sys.argv[1]))
