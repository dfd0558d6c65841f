"""Nothing moves by itself for readers who asked their system for less motion."""

import pytest

MOVING = """() => {
    const moves = (style) => style.scrollBehavior === "smooth"
        || (style.animationName !== "none" && parseFloat(style.animationDuration) > 0)
        || style.transitionDuration.split(",").some((time) => parseFloat(time) > 0);
    return [...document.querySelectorAll("*")].flatMap((e) => [null, "::before", "::after"]
        .filter((part) => moves(getComputedStyle(e, part)))
        .map((part) => `${e.outerHTML.slice(0, 80)} ${part ?? ""}`)).slice(0, 10);
}"""


@pytest.mark.parametrize("path", ["index.html", "10-diffusion.html"])
def test_less_motion_is_no_motion(visit, path):
    """No transition, no animation, no smooth scrolling; a figure is moved by its reader alone."""
    page = visit(path).page
    assert page.evaluate(MOVING) != [], "there is nothing to see here: the check would pass on any page"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(MOVING) == []
    plays = page.locator(".ck-play")
    assert plays.count()
    assert not any(play.is_visible() for play in plays.all())


def test_a_figure_without_play_is_moved_by_its_slider(visit):
    """What the hidden button would play, step by step."""
    page = visit("10-diffusion.html").page
    page.emulate_media(reduced_motion="reduce")
    figure = page.locator(".ck-figure:has(.ck-play)").first
    figure.scroll_into_view_if_needed()
    page.wait_for_function("(f) => f.dataset.tile !== undefined", arg=figure.element_handle())
    before = figure.get_attribute("data-state")
    figure.locator(".ck-slide:has(.ck-play) input").focus()
    page.keyboard.press("ArrowRight")
    assert figure.get_attribute("data-state") != before
    page.wait_for_timeout(600)
    after = figure.get_attribute("data-state")
    page.wait_for_timeout(600)
    assert figure.get_attribute("data-state") == after
