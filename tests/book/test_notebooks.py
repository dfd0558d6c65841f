"""Chapters as notebooks: all of MyST is translated, what is left would be seen, and nothing is lost."""

import shutil

import nbformat
import pytest
from docutils.core import publish_doctree

from coursebook.markdown import Writer
from tests.book import little
from tests.book.constructs import CONSTRUCTS, PAGE, PLAIN, UNTRANSLATED
from tests.book.myst import traces

INDEX = "\n```{glossary}\nEntropy\n  How uncertain it is.\n```\n"
REMOVED = "\n```{code-cell} ipython3\n:tags: [remove-cell]\n\nhidden = Path('results/x.json')\n```\n"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The little book's chapter with everything in it, as a notebook, from a build that allows no warning."""
    book = little.make(tmp_path_factory.mktemp("book"))
    shutil.copy(little.ROOT / "book" / "_assets" / "cover.png", book.root / "book" / "dot.png")
    index = book.root / "book" / "index.md"
    index.write_text(index.read_text() + INDEX)
    toc = "format: jb-book\nroot: index\nparts:\n- numbered: 1\n  chapters:\n  - file: 01-chapter\n"
    (book.root / "_toc.yml").write_text(toc)
    parts = [source for source, _ in CONSTRUCTS.values()]
    book.chapter.write_text("\n\n".join([book.chapter.read_text(), *parts, *PLAIN.values(), REMOVED]))
    built = book.build()
    assert built.returncode == 0, built.stdout + built.stderr
    return nbformat.read(book.root / "_build" / "html" / "01-chapter.ipynb", as_version=4)


@pytest.fixture(scope="module")
def prose(notebook):
    """All its text."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


@pytest.mark.parametrize(("source", "expected"), CONSTRUCTS.values(), ids=CONSTRUCTS)
def test_a_construct_becomes_markdown(prose, source, expected):
    """With the site's numbers and links."""
    assert f"\n\n{expected}" in prose


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_markdown_stays_as_it_is(prose, text):
    """Nothing is escaped that needs no escape."""
    assert f"\n\n{text}" in prose
    assert traces(text) == []


def test_nothing_of_myst_is_left(prose):
    """In the whole of it; the footnote's text is at the end."""
    assert traces(prose) == []
    assert "<sup>1</sup> Below." in prose


SEEN = {name: source for name, (source, _) in CONSTRUCTS.items() if name != "table"}
SEEN |= {
    "break": "+++",
    "substitution": "A {{ word }}.",
    "header": "---\na: b\n---",
    "role in math": "{math}`x`",
}
SEEN |= {"in a quotation": "> :::{note}\n> x\n> :::", "in a list": "- a\n\n  ```{note}\n  x\n  ```"}
SEEN |= {"project link": "<project:#sec-here>", "equation in a list": "1. a\n\n   $$a = b$$ (eq-three)"}


@pytest.mark.parametrize("source", SEEN.values(), ids=SEEN)
def test_a_construct_left_raw_is_seen(source):
    """The check of the real notebooks would fail on each."""
    assert traces(f"Words with $x$ before.\n\n{source}\n\nWords after.") or traces(source)


def test_the_first_code_cell_installs_and_no_cell_of_code_is_lost(notebook):
    """Not even one that the page leaves out: what follows may need it. There are no outputs, and no tags."""
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert notebook.cells[1] == codes[0]
    assert "%pip install -q git+https://github.com/dgm-course/dgm-course\n" in codes[0].source
    assert "git clone" in codes[0].source, "the chapter reads a recorded result"
    assert "log.write" in codes[1].source
    assert codes[-1].source == "hidden = Path('results/x.json')"
    assert not any(cell.outputs or cell.execution_count or cell.metadata for cell in codes)
    assert f"[Deep Generative Models]({PAGE})" in notebook.cells[0].source


@pytest.mark.parametrize(("source", "tag", "remedy"), UNTRANSLATED.values(), ids=UNTRANSLATED)
def test_what_has_no_translation_is_an_error(source, tag, remedy):
    """Silence would publish a notebook with a gap in it."""
    document = publish_doctree(source, settings_overrides={"report_level": 5})
    node = next(node for node in document.findall() if node.tagname == tag)
    with pytest.raises(ValueError, match=rf"{PAGE}: .* no translation for notebooks; .*{remedy}"):
        Writer(None, PAGE).write(node)
