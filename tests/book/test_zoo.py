"""The picture of the zoo is drawn from the table of contents, whatever stands in it."""

import yaml
from bs4 import BeautifulSoup

from coursebook import zoo
from tests.book.little import ROOT

PARTS = [part for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"] if "numbered" in part]
SHORT = {part["caption"]: [("1", "One", "1.html"), ("2", "Two", "2.html")] for part in PARTS}


def test_every_part_of_the_book_has_a_cage():
    """A new part without one fails the build, so here is the place to notice."""
    assert [part["caption"] for part in PARTS] == list(zoo.FAMILIES)


def test_each_cage_has_its_name_its_sign_and_its_chapters():
    """In the order of the book; the sign says nothing to who hears the page."""
    cages = BeautifulSoup(zoo.drawing(SHORT), "html.parser").select(".zoo-cage")
    assert [cage.select_one(".zoo-name").text for cage in cages] == list(SHORT)
    for cage in cages:
        assert [(link.text, link["href"]) for link in cage.select("a")] == [
            ("1 One", "1.html"),
            ("2 Two", "2.html"),
        ]
        assert cage.svg["aria-hidden"] == "true"
        assert cage.svg.select("path")


def test_what_titles_hold_is_text():
    """A title with an ampersand or a bracket must not become markup."""
    html = zoo.drawing({name: [("1", "<b> & c", "1.html?a=1&b=2")] for name in SHORT})
    assert "&lt;b&gt; &amp; c" in html
    assert "a=1&amp;b=2" in html
