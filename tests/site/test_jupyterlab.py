"""In JupyterLab the figures are live, each there once: a control that is moved makes the kernel draw."""

import time

import nbformat
import pytest
from playwright.sync_api import Locator

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


def changed(page, figure, before):
    """The picture as soon as it is another one than before."""
    until = time.monotonic() + 20
    while (picture := figure.evaluate(PICTURE)) == before:
        assert time.monotonic() < until, f"the picture stayed as it was: {figure.inner_text()}"
        page.wait_for_timeout(50)
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
    """Away, back, and away again: what a state shows does not depend on the way to it."""
    figure = control.locator("xpath=ancestor::*[contains(@class, 'widget-vbox')]")
    first = figure.evaluate(PICTURE)
    move(ways[0])
    second = changed(page, figure, first)
    move(ways[1])
    third = changed(page, figure, second)
    assert third == first
    move(ways[0])
    assert changed(page, figure, third) == second


def test_a_slider_follows_the_mouse(lab):
    """Dragged from where it stands to the farther end."""
    seen, _ = lab
    for figure in figures(seen).filter(has=seen.page.locator(".noUi-handle")).all():
        handle, track = figure.locator(".noUi-handle").first, figure.locator(".noUi-base").first
        handle.scroll_into_view_if_needed()
        first, box, rises = figure.evaluate(PICTURE), track.bounding_box(), handle.evaluate(RISES)
        handle.hover()
        seen.page.mouse.down()
        seen.page.mouse.move(box["x"] + box["width"] * rises, box["y"] + box["height"] / 2, steps=5)
        seen.page.mouse.up()
        changed(seen.page, figure, first)
    assert seen.errors == []
