"""The twin in Chromium: several figures on one page, moved by keyboard, mouse and touch."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from coursekit.widgets import Choice, Plane, Slider, explore

PAGE = """<!doctype html><html lang="en"{attribute}><meta charset="utf-8"><title>figures</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>body{{margin:0;padding:12px}}
html[data-theme=dark] body{{background:#14181e}}
.far .ck-figure{{margin-bottom:3000px}}</style><body><main>{figures}</main></body></html>"""

GREY = (
    "f => [...f.querySelector('canvas[role=img]').getContext('2d').getImageData(3, 3, 1, 1).data].slice(0, 3)"
)
GLOBALS = "() => Object.keys(window).sort()"


def colour(level, tone):
    return np.broadcast_to(np.array([level, 0, 255 if tone == "blue" else 0], np.uint8), (12, 16, 3))


def plane_grey(z):
    return np.full((8, 8), 10 * z[0] + z[1], np.uint8)


def curve(k, kind):
    fig, ax = plt.subplots(figsize=(6.4, 3))
    ax.plot([0, 1, 2], [0, k, 1])
    return fig


@pytest.fixture(scope="module")
def figures():
    slider = explore(
        colour,
        Slider("level", [0, 40, 80, 120, 160], label="red level", start=1, play=True),
        Choice("tone", ["blue", "black"], label="tone"),
        title="Which red?",
        alt="A square of one colour.",
        caption=lambda level, tone: f"red {level}, {tone}",
    )
    plane = explore(
        plane_grey,
        Plane("z", range(5), range(7), label=("z_1", "z_2"), background="tiles"),
        title="Where on the plane?",
        alt="A square of one grey.",
        color="vae",
    )
    many = explore(
        curve,
        Slider("k", [1, 2], label="a rather long label for one slider"),
        Choice("kind", [f"option number {i}" for i in range(7)], label="kind"),
        title="Does a long title wrap at the width of a telephone without any overflow?",
        alt="A line of two pieces.",
    )
    return slider, plane, many


@pytest.fixture
def show(figures, tmp_path, visit):
    def show(which=figures, attribute="", ready=True, **options) -> Page:
        path = tmp_path / "page.html"
        path.write_text(
            PAGE.format(attribute=attribute, figures="".join(f.html for f in which)), encoding="utf-8"
        )
        page = visit(path, **options)
        for figure in page.locator(".ck-figure").all() if ready else ():
            figure.scroll_into_view_if_needed()
            expect(figure).to_have_attribute("data-ready", "true")
        return page

    return show


def state(figure, expected, pixel=None):
    """The figure comes to show this state, by its own word and by its pixels."""
    expect(figure).to_have_attribute("data-state", expected)
    if pixel is not None:
        assert figure.evaluate(GREY) == pixel


def test_a_slider_moves_by_keyboard(show):
    """Arrows step, Home and End jump; picture, value and spoken value follow."""
    figure = show().locator(".ck-figure").nth(0)
    slider = figure.get_by_role("slider", name="red level")
    state(figure, "1,0", [40, 0, 255])
    slider.focus()
    slider.press("ArrowRight")
    state(figure, "2,0", [80, 0, 255])
    slider.press("End")
    state(figure, "4,0", [160, 0, 255])
    expect(slider).to_have_attribute("aria-valuetext", "160")
    expect(figure.locator(".ck-value")).to_have_text("160")
    expect(figure.locator(".ck-caption")).to_have_text("red 160, blue")
    expect(figure.get_by_role("status")).to_have_text("red level: 160, tone: blue. red 160, blue")


def test_a_slider_moves_by_mouse(show):
    """A click at three quarters of the track is the fourth of five values."""
    figure = show().locator(".ck-figure").nth(0)
    slider = figure.get_by_role("slider")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    figure.page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    state(figure, "3,0", [120, 0, 255])


def test_a_choice_changes_the_picture(show):
    """A few options stand side by side as radio buttons; more are a list."""
    page = show()
    few, many = page.locator(".ck-figure").nth(0), page.locator(".ck-figure").nth(2)
    few.get_by_role("radio", name="black").click()
    state(few, "1,1", [40, 0, 0])
    few.get_by_role("radio", name="black").press("ArrowLeft")
    state(few, "1,0", [40, 0, 255])
    many.get_by_role("combobox", name="kind").select_option(label="option number 5")
    state(many, "0,5")


def test_a_plane_follows_the_mouse(show):
    """x to the right, y upwards: the picture is that of the cell under the pointer."""
    figure = show().locator(".ck-figure").nth(1)
    state(figure, "2,3", [23, 23, 23])
    pad = figure.locator(".ck-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    figure.page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.07 * box["height"])
    state(figure, "4,6", [46, 46, 46])
    figure.page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.93 * box["height"])
    state(figure, "1,0", [10, 10, 10])


def test_a_plane_moves_by_arrow_keys(show):
    """Both directions from either of its two sliders, and no further than the border."""
    figure = show().locator(".ck-figure").nth(1)
    figure.get_by_role("slider", name="z₁").focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        figure.page.keyboard.press(key)
    state(figure, "3,5", [35, 35, 35])
    for key in ("End", "ArrowRight", "ArrowDown"):
        figure.page.keyboard.press(key)
    state(figure, "4,4", [44, 44, 44])
    expect(figure.get_by_role("slider", name="z₂")).to_have_attribute("aria-valuetext", "4")


def test_a_plane_follows_a_finger(show):
    """Touch has no hovering: a tap is enough."""
    figure = show(width=390, has_touch=True).locator(".ck-figure").nth(1)
    pad = figure.locator(".ck-pad")
    box = pad.bounding_box()
    pad.tap(position={"x": 0.1 * box["width"], "y": 0.5 * box["height"]})
    state(figure, "0,3", [3, 3, 3])


def test_a_plane_of_tiles_shows_each_where_it_belongs(show):
    """The background is made of the same pictures, y upwards."""
    pad = show().locator(".ck-pad")
    corner = """(pad, [x, y]) => { const c = pad.querySelector("canvas");
        return c.getContext("2d").getImageData(x * (c.width - 1), y * (c.height - 1), 1, 1).data[0]; }"""
    expect(pad).to_have_attribute("data-ground", "drawn")
    assert [pad.evaluate(corner, at) for at in ([0, 0], [1, 0], [0, 1], [1, 1])] == [6, 46, 0, 40]


def test_the_play_button_runs_to_the_end(show):
    """And then offers to play again."""
    figure = show().locator(".ck-figure").nth(0)
    figure.get_by_role("button", name="Play red level").click()
    expect(figure.get_by_role("button", name="Pause red level")).to_be_visible()
    state(figure, "4,0", [160, 0, 255])
    expect(figure.get_by_role("button", name="Play red level")).to_be_visible()


def test_nothing_plays_for_those_who_want_no_motion(show):
    """The slider is still there."""
    figure = show(reduced_motion="reduce").locator(".ck-figure").nth(0)
    expect(figure.locator(".ck-play")).to_be_hidden()
    expect(figure.get_by_role("slider")).to_be_visible()


def test_figures_do_not_disturb_each_other(show, figures):
    """The same figure twice and another: each moves alone, and nothing is left in the global scope."""
    page = show((figures[0], figures[0], figures[1]))
    first, second, third = page.locator(".ck-figure").all()
    first.get_by_role("slider").press("End")
    second.get_by_role("radio", name="black").click()
    state(first, "4,0", [160, 0, 255])
    state(second, "1,1", [40, 0, 0])
    state(third, "2,3")
    assert page.evaluate(GLOBALS) == show(()).evaluate(GLOBALS)


def test_every_control_has_a_name(show):
    """A screen reader says what each of them is."""
    page = show()
    roles = ("slider", "radio", "combobox", "button", "radiogroup", "group")
    for role in roles:
        controls = page.get_by_role(role)
        named = page.get_by_role(role, name=re.compile(r"\S"))
        assert controls.count() == named.count() > 0, role


def test_the_picture_is_described_in_its_present_state(show):
    """The description of the figure, then the values, then the caption."""
    figure = show().locator(".ck-figure").nth(0)
    picture = figure.get_by_role("img")
    words = "A square of one colour. Now red level: 40, tone: blue. red 40, blue"
    expect(picture).to_have_attribute("aria-label", words)


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_overflows(show, width):
    """A telephone, a small one, and a desk."""
    page = show(width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for picture in page.locator(".ck-picture, .ck-pad").all():
        box = picture.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_nothing_jumps_when_a_figure_starts(show):
    """The space of picture and controls is there before the script runs."""
    still = show(java_script_enabled=False, ready=False)
    heights = [f.bounding_box()["height"] for f in still.locator(".ck-figure").all()]
    assert [f.bounding_box()["height"] for f in show().locator(".ck-figure").all()] == pytest.approx(
        heights, abs=1
    )


CONTRAST = """() => {
  const mix = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = (css) => { mix.clearRect(0, 0, 1, 1); mix.fillStyle = css; mix.fillRect(0, 0, 1, 1);
    return [...mix.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] === 255) return c; } return [255, 255, 255]; };
  const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll(".ck-figure *")].filter((e) => own(e) && e.getClientRects().length
      && !["SCRIPT", "STYLE", "OPTION"].includes(e.tagName) && !e.matches(".ck-said")).map((e) => {
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    return [e.className + " " + e.textContent.slice(0, 20), (a + 0.05) / (b + 0.05)]; });
}"""


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
def test_text_can_be_read_in_light_and_dark(show, theme):
    """WCAG's 4.5:1 for each text; the book's attribute decides, without it the system."""
    attribute = "" if theme == "system" else f' data-theme="{theme}"'
    page = show(attribute=attribute, dark=theme != "light")
    card = page.locator(".ck-figure").first.evaluate("e => getComputedStyle(e).backgroundColor")
    assert card == ("rgb(255, 255, 255)" if theme == "light" else "rgb(28, 33, 43)")
    ratios = dict(page.evaluate(CONTRAST))
    assert len(ratios) > 15
    assert {text: ratio for text, ratio in ratios.items() if ratio < 4.5} == {}


def test_the_books_light_theme_wins_over_a_dark_system(show):
    """A reader who chose light gets light."""
    page = show(attribute=' data-theme="light"', dark=True)
    card = page.locator(".ck-figure").first
    assert card.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"


def test_a_figure_far_below_waits_until_the_reader_comes(show):
    """No picture is decoded before it can be seen."""
    page = show(attribute=' class="far"', ready=False)
    first, last = page.locator(".ck-figure").first, page.locator(".ck-figure").last
    expect(first).to_have_attribute("data-ready", "true")
    assert last.get_attribute("data-ready") is None
    last.scroll_into_view_if_needed()
    expect(last).to_have_attribute("data-ready", "true")
