"""The parts of the book's extension, each alone."""

import tarfile

import pytest
from docutils import nodes
from sphinx import addnodes

from coursebook import api, assets, cache, launch, lint
from coursekit.models.diffusion import VP, Denoises
from tests.book.little import CHAPTER, ROOT


def test_the_cache_key_sees_content_and_names_and_nothing_else(tmp_path):
    """Renaming a module changes what can be imported; a touched file or compiled code changes nothing."""
    module = tmp_path / "coursekit" / "a.py"
    module.parent.mkdir()
    module.write_text("x = 1\n")
    key = cache.cache_key(tmp_path)
    (module.parent / "__pycache__").mkdir()
    (module.parent / "__pycache__" / "a.pyc").write_text("compiled")
    module.touch()
    (tmp_path / "README.md").write_text("prose")
    assert cache.cache_key(tmp_path) == key
    module.rename(module.with_name("b.py"))
    renamed = cache.cache_key(tmp_path)
    assert renamed != key
    module.with_name("b.py").write_text("x = 2\n")
    assert cache.cache_key(tmp_path) not in (key, renamed)


def test_old_caches_are_forgotten_but_never_the_present_one(tmp_path):
    """Each edit of the package makes a folder; they must not pile up."""
    for name in "abcdef":
        (tmp_path / name).mkdir()
    cache.prune(tmp_path / "a", keep=3)
    left = {path.name for path in tmp_path.iterdir()}
    assert "a" in left
    assert len(left) == 3


def test_an_archive_with_another_hash_is_refused(tmp_path):
    """What npm delivers is trusted by its hash alone."""
    archive = tmp_path / "x-1.0.0.tgz"
    archive.write_bytes(b"not what was pinned")
    with pytest.raises(ValueError, match=r"x-1\.0\.0\.tgz has sha512 .* pins 00"):
        assets.verified(archive, "00")


def test_only_the_wanted_files_are_taken_from_an_archive(tmp_path):
    """A package of 24 MB gives the 3 MB that pages load."""
    source = tmp_path / "package"
    (source / "fonts").mkdir(parents=True)
    (source / "a.js").write_text("a")
    (source / "b.js").write_text("b")
    (source / "fonts" / "f").write_text("f")
    with tarfile.open(tmp_path / "p.tgz", "w:gz") as tar:
        tar.add(source, "package")
    assets.pick(tmp_path / "p.tgz", {"a.js": "lib/a.js", "fonts": "lib/fonts"}, tmp_path / "out")
    taken = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert taken == {"lib/a.js", "lib/fonts/f"}


def test_colab_is_sent_to_generated_chapters_and_to_the_exercises_themselves():
    """Colab can't open the MyST source."""
    url = launch.colab_url("https://github.com/a/b", "main", "03-vae")
    assert url == "https://colab.research.google.com/github/a/b/blob/notebooks/03-vae.ipynb"
    url = launch.colab_url("https://github.com/a/b", "main", "exercises/03-vae")
    assert url == "https://colab.research.google.com/github/a/b/blob/main/exercises/03-vae.ipynb"


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("(B, *) -> (B,)", r"(B, \*) -> (B,)"),
        ("p(x | z)", r"p(x \| z)"),
        ("`x * y` and ``a | b``", "`x * y` and ``a | b``"),
        (":ivar steps, lr: numbers", ":ivar steps,lr: numbers"),
        ("the array x_ holds", r"the array x\_ holds"),
        (":param steps: T.", r":param steps: \T."),
        (":param steps: T of them", ":param steps: T of them"),
    ],
)
def test_docstrings_are_text_and_not_markup(plain, escaped):
    """A formula must come through as it was written."""
    assert api.escape(plain) == escaped


def test_names_of_one_line_stand_apart():
    """Only what lies between them changes."""
    document = nodes.document(None, None)
    document += [addnodes.literal_strong("", text) for text in ("loc", ",", "scale")]
    api.space_names(None, document)
    assert document.astext().replace("\n", "") == "loc, scale"
    assert isinstance(document[2], addnodes.literal_strong)


def test_code_in_a_docstring_is_shown_as_it_is():
    """Below a colon and indented; a list of arguments is not, nor a paragraph that a colon announces."""
    lines = [
        "With x_ and y:",
        "",
        "    z = x * y_",
        "",
        "and so on:",
        "",
        "more *",
        ":param a: b:",
        "",
        "    c *",
    ]
    api.escape_docstring(None, "class", "x", None, None, lines)
    shown = [r"With x\_ and y::", "", "    z = x * y_", "", "and so on:", "", r"more \*", ":param a: b:", ""]
    assert lines == [*shown, r"    c \*"]


def test_what_python_says_of_itself_is_not_shown():
    """Neither the call of a class that only says what others have, nor the number of a field."""
    assert api.readable_signature(None, "class", "x", Denoises, None, "(*args)", None) == ("", None)
    assert api.readable_signature(None, "class", "x", VP, None, "(a=1)", None) == ("(a=1)", None)
    lines = ["Alias for field number 1"]
    api.escape_docstring(None, "attribute", "x", None, None, lines)
    assert lines == []


def test_ruff_hears_of_code_cells_and_we_of_lines(tmp_path, monkeypatch, capsys):
    """A report must lead to the line of the chapter, past options and prose."""
    monkeypatch.chdir(ROOT)
    chapter = tmp_path / "01-x.md"
    chapter.write_text(
        CHAPTER + "\n```{code-cell} ipython3\n:tags: [hide-input]\n\nimport os\nundefined_name\n```\n"
    )
    assert lint.main([chapter], fix=False) == 1
    line = chapter.read_text().splitlines().index("undefined_name") + 1
    assert f"{chapter}:{line}:1: F821" in capsys.readouterr().out


def test_formatting_changes_code_cells_and_nothing_else(tmp_path, monkeypatch):
    """Prose, options and other blocks stay as they are, byte by byte."""
    monkeypatch.chdir(ROOT)
    text = CHAPTER + "\n```python\nx=1\n```\n\n```{code-cell} ipython3\n---\nmystnb: {}\n---\nx=1\n```\n"
    chapter = tmp_path / "01-x.md"
    chapter.write_text(text)
    lint.main([chapter], fix=True)
    assert chapter.read_text() == text.replace("---\nx=1\n", "---\nx = 1\n")


def test_long_cells_are_named(tmp_path, monkeypatch, capsys):
    """Twenty lines are what a reader takes in."""
    monkeypatch.chdir(ROOT)
    chapter = tmp_path / "01-x.md"
    chapter.write_text("```{code-cell} ipython3\n" + "print()\n" * 21 + "```\n")
    assert lint.main([chapter], fix=False) == 1
    assert "a cell of 21 lines, more than 20" in capsys.readouterr().out


def test_masters_may_define_tests_anew_and_call_check(tmp_path, monkeypatch, capsys):
    """Every question has its `public`; a name that nobody defines is a mistake there as well."""
    monkeypatch.chdir(ROOT)
    (tmp_path / "solutions").mkdir()
    master = tmp_path / "solutions" / "01-x.md"
    cell = "```{code-cell}\ndef public(f):\n    yield\n\n\ncheck(1, 2, public)\n```\n"
    master.write_text(2 * cell)
    assert lint.main([master], fix=False) == 0
    master.write_text(2 * cell + "```{code-cell}\nundefined_name\n```\n")
    assert lint.main([master], fix=False) == 1
    assert f"{master}:16:1: F821" in capsys.readouterr().out
