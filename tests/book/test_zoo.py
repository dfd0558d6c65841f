"""The picture of the zoo is drawn from the table of contents, whatever stands in it."""

import re

import pytest
import yaml
from bs4 import BeautifulSoup

from coursebook import zoo
from tests.book.little import ROOT

PARTS = [part for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"] if "numbered" in part]
SHORT = {part["caption"]: [("1", "One", "1.html"), ("2", "Two", "2.html")] for part in PARTS}
LAYOUTS = {"wide": (920, 5, 10, "zoo-wide"), "tall": (358, 1, 8, "zoo-tall")}


def boxes(svg):
    """(x, y, right, bottom) of each frame."""
    frames = BeautifulSoup(svg, "html.parser").select("rect.zoo-frame")
    sides = [[float(frame[name]) for name in ("x", "y", "width", "height")] for frame in frames]
    return [(x, y, x + w, y + h) for x, y, w, h in sides]


def test_every_part_of_the_book_has_a_cage():
    """A new part without one fails the build, so here is the place to notice."""
    assert [part["caption"] for part in PARTS] == list(zoo.FAMILIES)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cages_lie_within_the_picture_and_apart(layout):
    """On a wide screen and on a phone, however long the titles are."""
    long = {name: [("10", "a title of many words " * 3, "x.html")] * 3 for name in SHORT}
    for families in (SHORT, long):
        svg = zoo.drawing(families, *LAYOUTS[layout])
        width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups())
        found = boxes(svg)
        assert len(found) == len(families)
        for k, (x, y, right, bottom) in enumerate(found):
            assert x >= 0 <= y
            assert right <= width
            assert bottom <= height
            for left, top, end, low in found[k + 1 :]:
                assert right <= left or end <= x or bottom <= top or low <= y


@pytest.mark.parametrize("layout", LAYOUTS)
def test_links_lie_in_their_cage_and_can_be_hit(layout):
    """24 pixels are what a finger needs; a link that leaves its cage would cover another one."""
    page = BeautifulSoup(zoo.drawing(SHORT, *LAYOUTS[layout]), "html.parser")
    for cage in page.select("g.zoo-cage"):
        ((x, y, right, bottom),) = boxes(str(cage))
        links = cage.select("a")
        assert [link["href"] for link in links] == ["1.html", "2.html"]
        for field in (link.rect for link in links):
            left, top, wide, high = (float(field[name]) for name in ("x", "y", "width", "height"))
            assert high >= 24
            assert x <= left
            assert left + wide <= right
            assert y <= top
            assert top + high <= bottom


def test_what_titles_hold_is_text():
    """A title with an ampersand or a bracket must not become markup."""
    svg = zoo.drawing({name: [("1", "<b> & c", "1.html?a=1&b=2")] for name in SHORT}, *LAYOUTS["tall"])
    assert "&lt;b&gt; &amp; c" in svg
    assert "a=1&amp;b=2" in svg
