"""In JupyterLab the figures are live, each there once: a control that is moved makes the kernel draw."""

import time

import nbformat
import pytest
from playwright.sync_api import Locator

from tests.pointers import by_finger, by_mouse
from tests.site.lab import PYTHON, executed
from tests.site.test_colab import CHAPTERS, NOTEBOOKS

FIGURES = ".jp-OutputArea-output .widget-vbox:has(.widget-image)"
PICTURE = """async (figure) => {
    const bytes = await (await fetch(figure.querySelector("img").src)).arrayBuffer();
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    return new Uint8Array(digest).join();
}"""
RISES = "(slider) => Number(slider.ariaValueNow) < Number(slider.ariaValueMax)"
SECONDS = 600


def by_keyboard(option):
    """Press the button that has the focus."""
    option.scroll_into_view_if_needed()
    option.focus()
    option.page.keyboard.press("Space")


WAYS = {"keyboard": by_keyboard, "mouse": Locator.click, "finger": Locator.tap}


@pytest.fixture(scope="module", params=CHAPTERS)
def lab(request, browser, tmp_path_factory):
    """A chapter's notebook after a run, and its code."""
    assert PYTHON.is_file(), f"There is no JupyterLab at {PYTHON}; `make site-test` sets it up."
    path = NOTEBOOKS / f"{request.param}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    code = "".join(cell.source for cell in cells if cell.cell_type == "code")
    with executed(browser, tmp_path_factory.mktemp("lab"), path, SECONDS) as seen:
        yield seen, code


def figures(seen):
    """The live figures, in order."""
    return seen.page.locator(FIGURES)


def shows(page, figure, what, seconds=20.0):
    """Whether the picture comes to be what the function says."""
    until = time.monotonic() + seconds
    while not (so := what(figure.evaluate(PICTURE))) and time.monotonic() < until:
        page.wait_for_timeout(50)
    return so


def settled(page, figure):
    """The picture once it stays as it is."""
    picture, stays = figure.evaluate(PICTURE), False
    while not stays:
        page.wait_for_timeout(500)
        stays, picture = picture == (now := figure.evaluate(PICTURE)), now
    return picture


@pytest.mark.timeout(900)
def test_every_figure_is_there_once_and_live(lab):
    """The twin, which the same output holds for pages without a kernel, is not shown beside it."""
    seen, code = lab
    assert 0 < code.count("widgets.explore(") == figures(seen).count()
    assert seen.page.locator(".ck-figure").count() == 0
    assert seen.page.locator(".jp-RenderedText[data-mime-type*=stderr]").count() == 0


def test_every_slider_draws_by_keyboard_and_back(lab):
    """One step and back: another picture, then the same as before, byte by byte; a plane is two sliders."""
    seen, _ = lab
    sliders = figures(seen).locator(".noUi-handle")
    assert sliders.count()
    for slider in sliders.all():
        rises = slider.evaluate(RISES)
        there, back = ("ArrowRight", "ArrowLeft") if rises else ("ArrowLeft", "ArrowRight")
        slider.scroll_into_view_if_needed()
        slider.focus()
        there_and_back(seen.page, slider, seen.page.keyboard.press, (there, back))
    assert seen.errors == []


@pytest.mark.parametrize("way", WAYS)
def test_every_choice_draws_and_back(lab, way):
    """Another option and the first again."""
    seen, code = lab
    choices = figures(seen).locator(".widget-toggle-buttons")
    assert choices.count() == code.count("widgets.Choice(")
    for choice in choices.all():
        options = choice.locator("button")
        chosen = options.evaluate_all("(all) => all.findIndex((one) => one.matches('.mod-active'))")
        assert chosen >= 0
        there_and_back(seen.page, choice, WAYS[way], (options.nth(int(not chosen)), options.nth(chosen)))
    assert seen.errors == []


def there_and_back(page, control, move, ways):
    """Away, back, and away again: what a state shows does not depend on the way to it.

    A step on a plane may be finer than a grey level; so up to ten are made.
    """
    figure = control.locator("xpath=ancestor::*[contains(@class, 'widget-vbox')]")
    first, steps, other = figure.evaluate(PICTURE), 0, False
    while not other:
        assert steps < 10, f"the picture stayed as it was: {figure.inner_text()}"
        move(ways[0])
        other = shows(page, figure, lambda now: now != first, seconds=4)
        steps += 1
    second = settled(page, figure)
    for way, wanted in ((ways[1], first), (ways[0], second)):
        for _ in range(steps):
            move(way)
        same = shows(page, figure, lambda now, wanted=wanted: now == wanted)
        assert same, f"another picture on the way {way}: {figure.inner_text()}"


@pytest.mark.parametrize("pointer", [by_mouse, by_finger])
def test_a_slider_follows_mouse_and_finger(lab, pointer):
    """Dragged from where it stands to the farther end."""
    seen, _ = lab
    for figure in figures(seen).filter(has=seen.page.locator(".noUi-handle")).all():
        handle, track = figure.locator(".noUi-handle").first, figure.locator(".noUi-base").first
        handle.scroll_into_view_if_needed()
        first, rises = figure.evaluate(PICTURE), handle.evaluate(RISES)
        here, box = handle.bounding_box(), track.bounding_box()
        y = here["y"] + here["height"] / 2
        pointer(seen.page, (here["x"] + here["width"] / 2, y), (box["x"] + box["width"] * rises, y))
        other = shows(seen.page, figure, lambda now, first=first: now != first)
        assert other, f"the picture stayed as it was: {figure.inner_text()}"
    assert seen.errors == []
