"""On a phone the figures follow a finger, the page stays where it is, and what is too wide is drawn aside."""

from functools import partial

import pytest

from tests.browser.conftest import Visit, watch
from tests.browser.test_figures import PICTURE, WITH_PLANES, ready, with_part
from tests.built import FONTS
from tests.pointers import by_finger, by_mouse

STATE = "(figure) => figure.dataset.state"
PLACE = "() => [scrollX, scrollY]"
READABLE = 0.7  # of the size in which it was drawn


@pytest.fixture
def phone(browser, site):
    """A function that opens a page on a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)

    def open_page(path):
        seen = Visit(context.new_page())
        watch(seen, site)
        seen.page.goto(f"{site}/{path}", wait_until="load")
        seen.page.evaluate("() => document.documentElement.classList.add('whole')")
        seen.page.evaluate(FONTS)
        return seen

    yield open_page
    context.close()


def centred(page, element):
    """Where the element is on the screen, once it is in the middle of it."""
    element.evaluate("(e) => e.scrollIntoView({ block: 'center', behavior: 'instant' })")
    page.wait_for_timeout(100)
    return element.bounding_box()


def changed(page, figure, act):
    """Whether what is done changes state and picture; the page must stay where it is."""
    before, place = (figure.evaluate(STATE), figure.evaluate(PICTURE)), page.evaluate(PLACE)
    act()
    page.wait_for_timeout(250)
    assert page.evaluate(PLACE) == place, "the page moved under the finger"
    state, picture = figure.evaluate(STATE), figure.evaluate(PICTURE)
    return state != before[0] and picture != before[1]


def controls(page, selector):
    """Each control of the kind with its figure, which is ready, and its place in the middle of the screen."""
    found = page.query_selector_all(f".ck-figure {selector}")
    assert found
    for control in found:
        figure = control.evaluate_handle("(e) => e.closest('.ck-figure')").as_element()
        ready(page, figure)
        yield control, figure, centred(page, control)


@pytest.mark.parametrize("path", with_part("ck-slide"))
@pytest.mark.parametrize("drag", [by_mouse, by_finger])
def test_every_slider_follows_mouse_and_finger(phone, path, drag):
    """From its handle to the farther end."""
    seen = phone(path)
    for slider, figure, box in controls(seen.page, ".ck-slide input[type=range]"):
        share = slider.evaluate("(e) => (e.value - e.min) / (e.max - e.min)")
        ends = [box["x"] + 12, box["x"] + box["width"] - 12]
        y, here = box["y"] + box["height"] / 2, ends[0] + share * (ends[1] - ends[0])
        way = (here, y), (ends[int(share < 0.5)], y)
        label = slider.get_attribute("aria-label")
        assert changed(seen.page, figure, partial(drag, seen.page, *way)), label
    assert seen.errors == []


@pytest.mark.parametrize("path", WITH_PLANES)
def test_every_plane_follows_a_finger(phone, path):
    """From corner to corner."""
    seen = phone(path)
    for _, figure, box in controls(seen.page, ".ck-pad"):
        corners = [(box["x"] + k * box["width"], box["y"] + k * box["height"]) for k in (0.15, 0.85)]
        assert changed(seen.page, figure, partial(by_finger, seen.page, *corners))
    assert seen.errors == []


@pytest.mark.parametrize("path", with_part("ck-segments"))
def test_every_choice_is_made_by_a_finger(phone, path):
    """Each answer that shows beside the chosen one; where a figure starts, all may draw the same."""
    seen = phone(path)
    for option, figure, _ in controls(seen.page, ".ck-segments input:not(:checked)"):
        for slider in figure.query_selector_all(".ck-slide input[type=range]"):
            slider.press("ArrowRight")
        centred(seen.page, option)
        assert changed(seen.page, figure, option.tap), option.evaluate("(e) => e.parentElement.textContent")
        assert option.is_checked()
    assert seen.errors == []


@pytest.mark.parametrize("path", with_part("ck-wide"))
def test_a_wide_plot_can_be_read_and_drawn_aside(phone, path):
    """Its words keep most of their size; who has a keyboard reaches its far end too."""
    page = phone(path).page
    for plot in page.locator(".ck-wide").all():
        centred(page, plot)
        box, scroll, tab = plot.evaluate("(e) => [e.clientWidth, e.scrollWidth, e.tabIndex]")
        picture = plot.locator("img")
        assert picture.bounding_box()["width"] >= READABLE * int(picture.get_attribute("width"))
        assert box <= 390 < scroll
        assert tab == 0
        at = plot.bounding_box()
        y = at["y"] + at["height"] / 2
        by_finger(page, (350, y), (50, y))
        page.wait_for_function("(e) => e.scrollLeft > 100", arg=plot.element_handle(), timeout=5000)
