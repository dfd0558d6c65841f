"""The interactive figures move: by keyboard and by pointer, on a page that has no kernel."""

import re

import pytest

from tests.built import HTML, PAGES


def with_part(name):
    """The pages in which an element is of the class."""
    return [path for path in PAGES if HTML.exists() and f'class="{name}"' in (HTML / path).read_text()]


WITH_FIGURES, WITH_PLANES = with_part("ck-figure"), with_part("ck-pad")
PICTURE = "(figure) => figure.querySelector('.ck-picture canvas').toDataURL()"
STEPS = 12


@pytest.mark.parametrize("path", WITH_FIGURES)
def test_every_control_changes_its_figure_by_keyboard(visit, path):
    """Each control is stepped until the picture differs; a control that does nothing is a broken promise."""
    seen = visit(path)
    for figure in seen.page.query_selector_all(".ck-figure"):
        ready(seen.page, figure)
        controls = figure.query_selector_all("input[type=range], select, input[type=radio]:checked")
        assert controls, "a figure without controls"
        moved = [changes(seen.page, figure, control) for control in controls]
        assert all(moved), f"{figure.get_attribute('aria-label')}: controls that change nothing: {moved}"
    assert seen.errors == []


def ready(page, figure):
    """Bring the figure into the window, and wait for its first picture."""
    figure.scroll_into_view_if_needed()
    page.wait_for_function(
        "(f) => f.dataset.ready && f.dataset.tile !== undefined", arg=figure, timeout=20_000
    )


def changes(page, figure, control):
    """Whether some steps of the control, up or else down, show another picture."""
    before = figure.evaluate(PICTURE)
    for key in ("ArrowRight", "ArrowLeft"):
        control.focus()
        for _ in range(STEPS):
            page.keyboard.press(key)
            page.wait_for_timeout(60)
            if figure.evaluate(PICTURE) != before:
                return True
    return False


@pytest.mark.parametrize("path", WITH_PLANES)
def test_a_plane_follows_the_pointer(visit, path):
    """From corner to corner, as a reader would drag."""
    seen = visit(path)
    assert seen.page.query_selector_all(".ck-pad")
    for pad in seen.page.query_selector_all(".ck-pad"):
        figure = pad.evaluate_handle("(e) => e.closest('.ck-figure')").as_element()
        ready(seen.page, figure)
        states = []
        for x, y in ((0.1, 0.1), (0.9, 0.9)):
            pad.scroll_into_view_if_needed()
            box = pad.bounding_box()
            seen.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
            seen.page.wait_for_timeout(200)
            states.append((figure.get_attribute("data-state"), figure.evaluate(PICTURE)))
        assert states[0][0] != states[1][0]
        assert states[0][1] != states[1][1]
    assert seen.errors == []


def test_a_figure_starts_when_it_comes_near(visit):
    """Not before: the words of a page are there to be read while no picture has been unpacked."""
    page = visit("03-vae.html").page
    far = page.locator(".ck-figure").last
    assert page.locator("article p").last.text_content()
    page.wait_for_timeout(1000)
    assert far.bounding_box()["y"] > 3 * page.viewport_size["height"]
    assert far.get_attribute("data-ready") is None
    ready(page, far.element_handle())


def test_every_chapter_has_two_figures_that_move():
    """Each promises at least two."""
    chapters = [path for path in PAGES if re.match(r"\d\d-", path)]
    assert chapters, f"There are no chapters at {HTML}; run `make book` first."
    few = [path for path in chapters if (HTML / path).read_text().count('class="ck-figure"') < 2]
    assert few == []
