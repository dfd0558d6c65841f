"""The run log tells what was executed, and nothing that was not."""

import json
import platform
import shutil
from importlib import metadata

import pytest
from bs4 import BeautifulSoup

from coursebook import runs
from tests.book import little

PARTS = ("summary", "chapters", "surroundings")


@pytest.fixture
def book(tmp_path):
    """A little book with a run log."""
    made = little.make(tmp_path)
    parts = "".join(f"```{{run-log}} {part}\n```\n\n" for part in PARTS)
    (made.root / "book" / "run-log.md").write_text(f"# Run log\n\n{parts}")
    with (made.root / "_toc.yml").open("a") as toc:
        toc.write("  - file: run-log\n")
    return made


def built(book):
    """The page of the log, after a build that must succeed."""
    done = book.build()
    assert done.returncode == 0, done.stdout + done.stderr
    return BeautifulSoup((book.root / "_build/html/run-log.html").read_text(), "html.parser").article


def row(page):
    """The cells of the chapter's row."""
    line = page.select_one("tbody tr")
    assert line.th.a["href"] == "01-chapter.html"
    return [cell.get_text() for cell in line.select("td")]


def noted(book):
    """The one run that was written down."""
    (path,) = book.root.glob("_build/.jupyter_cache/*/runs/*.json")
    return json.loads(path.read_text())


def test_the_log_shows_the_run_that_the_test_made(book):
    """Seconds, date and versions on the page are those of the run, though the build executed nothing."""
    assert book.test().returncode == 0
    page, run = built(book), noted(book)
    assert book.runs == 1
    assert_accessible(page)
    seconds, worked, when, source, letter = row(page)
    assert (seconds, worked) == (f"{run['seconds']:.1f}", f"{run['processor_seconds']:.1f}")
    assert 0 < run["processor_seconds"] < 100 > run["seconds"] > 0
    assert when == run["executed"][:16].replace("T", " ")
    assert (source, letter) == ("its test", "A")
    facts = {tr.th.get_text(): tr.td.get_text() for tr in page.select("#surroundings-A tbody tr")}
    assert facts["Python"] == platform.python_version()
    assert facts["torch"] == metadata.version("torch")
    assert facts["coursekit"] == metadata.version("dgm-coursekit")
    assert facts["processor"] == runs.processor()
    assert facts["cores it may use"] == str(runs.surroundings()["cores"])
    assert "1 of them have a record" in page.p.get_text()


def test_a_build_that_executes_says_so_and_the_next_one_says_it_did_not(book):
    """A reader must be able to tell a fresh run from a kept one; a page without a record has none."""
    page = built(book)
    assert book.runs == 1
    assert row(page)[3] == "this build"
    assert noted(book)["processor_seconds"] > 0
    assert "1 were executed by this build, 0 came" in page.p.get_text()

    page = built(book)
    assert book.runs == 1
    assert row(page)[3] == "an earlier build"

    shutil.rmtree(next(book.root.glob("_build/.jupyter_cache/*/runs")))
    page = built(book)
    assert row(page) == ["none", "none", *3 * ["no record"]]
    assert "0 of them have a record" in page.p.get_text()
    assert "No run has a record." in page.get_text()


def assert_accessible(page):
    """A screen reader announces each column and row; a wide table scrolls by keyboard."""
    for table in page.select("table"):
        assert table.caption.get_text().strip()
        assert {th["scope"] for th in table.select("thead th")} == {"col"}
        assert {th["scope"] for th in table.select("tbody th")} == {"row"}
        assert table.parent["tabindex"] == "0"
    first = page.select_one("table")
    assert len(first.select("thead th")) == len(first.select("tbody tr:first-child > *"))
