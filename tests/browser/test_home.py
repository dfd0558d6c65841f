"""The first page: what it is, a figure that moves, three doors and the zoo, in one screen."""

import re

import pytest

from tests.browser.test_figures import PICTURE, ready
from tests.built import PAGES

CHAPTERS = [path for path in PAGES if re.match(r"\d\d-", path)]
DOORS = {"Read": "01-generative-models.html", "Learn": "#sec-learn", "Teach": "instructors.html"}
SHOWN = "nav.zoo a"
BOXES = """(all) => all.map((one) => {
    const { left, top, right, bottom } = one.getBoundingClientRect();
    return [left, top, right, bottom];
})"""
TEXTS = "(all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"


def bottom(page, selector):
    """Where an element ends, in pixels from the top of the window."""
    box = page.locator(selector).first.bounding_box()
    return box["y"] + box["height"]


def test_one_screen_shows_what_it_is(visit):
    """At 1280 x 800 the figure, the doors and the picture of all families are seen without scrolling."""
    page = visit("index.html").page
    page.set_viewport_size({"width": 1280, "height": 800})
    ready(page, page.query_selector(".ck-figure"))
    page.evaluate("scrollTo(0, 0)")
    for part in ("article h1", ".lead", ".doors", ".ck-figure", "nav.zoo"):
        assert bottom(page, part) <= 800, part


def test_a_phone_shows_doors_and_figure_first(visit):
    """At 390 x 844 the zoo begins on the first screen and goes on below it."""
    page = visit("index.html").page
    page.set_viewport_size({"width": 390, "height": 844})
    ready(page, page.query_selector(".ck-figure"))
    page.evaluate("scrollTo(0, 0)")
    for part in (".lead", ".doors", ".ck-figure"):
        assert bottom(page, part) <= 844, part
    assert page.locator("nav.zoo").bounding_box()["y"] < 844


def test_the_figure_draws_by_keyboard(visit):
    """From noise to digits with the arrow keys, for each of the three ways; the caption says what happens."""
    seen = visit("index.html")
    page, figure = seen.page, seen.page.query_selector(".ck-figure")
    ready(page, figure)
    for way in figure.query_selector_all("input[type=radio]"):
        way.check(force=True)
        slider = figure.query_selector("input[type=range]")
        shots = []
        for key in ("Home", "End"):
            slider.focus()
            page.keyboard.press(key)
            page.wait_for_timeout(300)
            shots.append((figure.evaluate(PICTURE), figure.query_selector(".ck-caption").inner_text()))
        assert shots[0][0] != shots[1][0]
        assert shots[0][1] != shots[1][1]
    assert seen.errors == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_zoo_leads_to_every_chapter(visit, width):
    """All chapters, each once, in their order; reached by Tab and opened by Enter."""
    seen = visit("index.html")
    page = seen.page
    page.set_viewport_size({"width": width, "height": 844})
    assert page.eval_on_selector_all(SHOWN, "(all) => all.map((a) => a.getAttribute('href'))") == CHAPTERS
    for address in (CHAPTERS[0], CHAPTERS[-1]):
        page.locator(f'{SHOWN}[href="{address}"]').focus()
        assert page.evaluate("document.activeElement.getAttribute('href')") == address
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{address}")
        page.go_back()
    assert seen.errors == []


@pytest.mark.parametrize("width", [360, 390, 640, 768, 900, 1000, 1280, 1920])
def test_the_cages_of_the_zoo_stand_apart(visit, width):
    """Each within the window, its links within it and high enough for a finger, its words large enough."""
    page = visit("index.html").page
    page.set_viewport_size({"width": width, "height": 844})
    cages = page.eval_on_selector_all(".zoo-cage", BOXES)
    assert len(cages) == 7
    for k, (left, top, right, bottom) in enumerate(cages):
        assert 0 <= left < right <= width
        for other in cages[k + 1 :]:
            assert other[0] >= right or other[2] <= left or other[1] >= bottom or other[3] <= top
    for cage, (left, top, right, bottom) in zip(page.query_selector_all(".zoo-cage"), cages, strict=True):
        assert cage.evaluate("(cage) => cage.scrollWidth <= cage.clientWidth")
        for x, y, end, low in cage.eval_on_selector_all("a", BOXES):
            assert low - y >= 24
            assert left <= x < end <= right
            assert top <= y < low <= bottom
    assert min(page.eval_on_selector_all(".zoo p, .zoo a", TEXTS)) >= 12


def test_the_table_of_questions_leads_to_every_chapter(visit):
    """Each has its question, in the order of the book."""
    rows = visit("index.html").page.locator("article table tbody tr td:last-child a")
    assert rows.evaluate_all("(all) => all.map((a) => a.pathname.slice(1))") == CHAPTERS


@pytest.mark.parametrize(("door", "target"), DOORS.items())
def test_a_door_leads_somewhere(visit, door, target):
    """Read, learn, teach."""
    page = visit("index.html").page
    page.locator(".doors .sd-card", has_text=door).click()
    page.wait_for_url(f"**/*{target}*")


def test_the_run_log_has_a_row_for_every_page_with_code(visit):
    """Chapters and the first page; each is told of, or said to have no record."""
    page = visit("run-log.html").page
    rows = page.locator(".run-log").first.locator("tbody th a")
    addresses = rows.evaluate_all("(all) => all.map((a) => a.getAttribute('href'))")
    assert addresses == [*CHAPTERS, "index.html"]
