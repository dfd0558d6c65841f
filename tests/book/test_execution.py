"""A chapter is executed once, when it must be, and a failure is never hidden."""

import pytest

from tests.book import little


@pytest.fixture
def book(tmp_path):
    """A little book that has not been executed yet."""
    return little.make(tmp_path)


def test_chapters_run_once_and_again_only_when_what_they_read_changes(book):
    """One story: the test executes, the build reuses; prose does not matter, the package does."""
    tested = book.test()
    assert tested.returncode == 0, tested.stdout
    assert book.runs == 1
    built = book.build()
    assert built.returncode == 0, built.stdout + built.stderr
    assert book.runs == 1, "the build executed a chapter that its test had executed"
    assert_complete(book)

    book.chapter.write_text(book.chapter.read_text().replace("Prose.", "Better prose."))
    assert book.build().returncode == 0
    assert "Better prose." in book.page
    assert book.runs == 1, "an edit of prose executed the chapter again"

    (book.root / "coursekit" / "__init__.py").write_text("answer = 43\n")
    assert book.build().returncode == 0
    assert book.runs == 2, "an edit of the package left the chapter as it was"

    part = book.root / "book" / "_ext" / "coursebook" / "social.py"
    part.write_text(part.read_text().replace("Noise turns into letters", "Out of noise come letters"))
    assert book.build().returncode == 0
    assert "Out of noise come letters" in book.page, "an edit of the extension left the page as it was"
    assert book.runs == 2


def assert_complete(book):
    """What a host of static pages needs, a button that Colab can follow, and no script that nothing uses."""
    html = book.root / "_build" / "html"
    assert (html / ".nojekyll").is_file()
    assert 'const home = "/dgm-course/"' in (html / "404.html").read_text()
    assert "/github/dgm-course/dgm-course/blob/notebooks/01-chapter.ipynb" in book.page
    assert "embed-amd" not in book.page


def test_a_failing_cell_fails_test_and_build_and_is_not_kept(book):
    """A failed run in the cache would be shown, or taken for a pass, the next time."""
    book.add_cell("assert 1 + 1 == 3, 'arithmetic'")
    tested = book.test()
    assert tested.returncode == 1
    assert "arithmetic" in tested.stdout
    assert book.runs == 1
    built = book.build()
    assert built.returncode != 0
    assert "arithmetic" in built.stdout + built.stderr
    assert book.runs == 2


def test_a_slow_chapter_fails_with_its_time(book):
    """The limit counts the seconds of this run, live."""
    slow = book.test("--chapter-seconds", "0.01")
    assert slow.returncode == 1
    assert "01-chapter.md ran for" in slow.stdout


def test_what_a_cell_writes_to_stderr_fails(book):
    """Warnings of libraries have no place on a page; whoever wants to show one prints it."""
    book.add_cell("import warnings\n\nwarnings.warn('deprecated', stacklevel=1)")
    done = book.test()
    assert done.returncode == 1
    assert "wrote to stderr" in done.stdout


def test_pictures_need_words_values_a_print_and_live_widgets_keep_their_state(book):
    """A forgotten text or semicolon fails the build; comm messages of a test's run reach the page."""
    plot = "import matplotlib.pyplot as plt\n\nplt.plot([1, 2]);"
    book.add_cell("import ipywidgets\n\nipywidgets.IntSlider(value=7, description='n')")
    book.add_cell(plot)
    book.add_cell("(-0.02, 1.05)")
    assert book.test().returncode == 0
    built = book.build()
    assert book.runs == 1
    assert built.returncode != 0
    assert "a picture without alternative text" in built.stdout + built.stderr
    assert "a value shown as text: (-0.02, 1.05)" in built.stdout + built.stderr

    told = f'---\nmystnb: {{image: {{alt: "a line"}}}}\n---\n{plot}'
    book.chapter.write_text(book.chapter.read_text().replace(plot, told).replace("1.05)", "1.05);"))
    built = book.build()
    assert built.returncode == 0, built.stdout + built.stderr
    assert 'alt="a line"' in book.page
    assert "embed-amd" in book.page
    assert '"description": "n"' in book.page
