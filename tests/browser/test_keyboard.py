"""A page without a pointer: everything is reached, seen to be reached, and worked by its keys."""

import pytest

CHAPTER = "07-image-flows.html"
FIRST_KEYS = 3

# What a reader must reach: all that is shown and does something. Of radio buttons Tab reaches the chosen one;
# the second slider of a plane is reached by the plane's own arrows.
REACHABLE = """() => {
    const wanted = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    window.reach = [...document.querySelectorAll(wanted)].filter((e) =>
        e.checkVisibility({visibilityProperty: true, contentVisibilityAuto: false})
        && !e.disabled && e.tabIndex >= 0 && !e.closest("dialog:not([open])")
        && !(e.type === "radio" && !e.checked));
    const parts = (e) => [e, e.parentElement, e.nextElementSibling, ...e.children].filter(Boolean);
    window.look = (e) => parts(e).map((part) => {
        const s = getComputedStyle(part);
        return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.backgroundColor, s.borderColor,
                s.textDecorationLine, s.stroke, s.opacity].join();
    }).join("|");
    window.before = new Map(window.reach.map((e) => [e, window.look(e)]));
    return window.reach.length;
}"""

FOCUSED = """() => {
    const e = document.activeElement;
    if (!e || e === document.body || e === document.documentElement) return null;
    const box = e.getBoundingClientRect(), header = document.querySelector(".bd-header-article");
    const top = e.closest("article") ? header.getBoundingClientRect().bottom : 0;
    return {number: window.reach.indexOf(e), html: e.outerHTML.slice(0, 160),
            seen: window.before.has(e) ? window.before.get(e) !== window.look(e)
                : getComputedStyle(e).outlineStyle !== "none",
            shown: box.bottom > top && box.top < innerHeight && getComputedStyle(e).visibility === "visible"};
}"""


def walk(page):
    """Press Tab from the top of the page until it has gone round; what had the focus, in this order.

    Boxes that scroll become stops on the way, when the reader comes near.
    """
    total = page.evaluate(REACHABLE)
    stops = []
    for _ in range(2 * total):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None or (stops and stop["number"] == stops[0]["number"]):
            return total, stops
        stops.append(stop)
    raise AssertionError(f"Tab never comes to the end of the page; last: {stops[-3:]}")


@pytest.mark.parametrize(("path", "width"), [(CHAPTER, 1280), (CHAPTER, 390), ("index.html", 1280)])
def test_tab_reaches_everything_and_shows_where_it_is(visit, path, width):
    """Each link and control once, in the order of the page, each with a mark that it has the focus."""
    page = visit(path).page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_timeout(500)
    total, stops = walk(page)
    reached = {stop["number"] for stop in stops}
    missed = page.evaluate(
        "(all) => all.map((i) => reach[i].outerHTML.slice(0, 160))", sorted(set(range(total)) - reached)
    )
    assert missed == []
    assert [stop["html"] for stop in stops if not stop["seen"]] == [], "no mark of the focus"
    assert [stop["html"] for stop in stops if not stop["shown"]] == [], "the focus is out of sight"


def test_the_first_tab_leads_past_the_menus(visit):
    """A link to the text comes first, and takes the reader there."""
    page = visit(CHAPTER).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.hash") == "#main-content"
    page.wait_for_function("document.activeElement.getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    for _ in range(FIRST_KEYS):
        page.keyboard.press("Tab")
    assert page.evaluate("!!document.activeElement.closest('main')")


def test_search_opens_finds_and_closes_by_keyboard(visit):
    """Ctrl+K, a word, Escape; and again with Enter."""
    page = visit(CHAPTER).page
    field = page.locator("dialog[open] input[type=search]")
    page.keyboard.press("Control+k")
    field.wait_for()
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.press("Escape")
    field.wait_for(state="hidden")
    page.keyboard.press("Control+k")
    page.keyboard.type("entropy")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=entropy*")
    page.wait_for_selector("#search-results li a", timeout=20_000)


@pytest.mark.parametrize(
    ("toggle", "sidebar"),
    [(".primary-toggle", "#pst-primary-sidebar"), (".secondary-toggle", "#pst-secondary-sidebar")],
)
def test_a_sidebar_of_the_phone_opens_and_closes_by_keyboard(visit, toggle, sidebar):
    """Its links are reached while it is open; Escape leads back to the button."""
    page = visit(CHAPTER).page
    page.set_viewport_size({"width": 390, "height": 844})
    link = page.locator("dialog[open] nav a[href]").first
    page.locator(toggle).focus()
    page.keyboard.press("Enter")
    link.wait_for()
    link.focus()
    assert page.evaluate("!!document.activeElement.closest('dialog[open]')")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")
    assert page.evaluate("(toggle) => document.activeElement.matches(toggle)", toggle)


def test_a_fold_opens_and_code_is_copied_by_keyboard(visit):
    """Hidden code is unfolded with Enter; its button is seen once it has the focus, and copies."""
    page = visit(CHAPTER).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fold = page.locator("details:has(button.copybtn)").first
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    button = fold.locator("button.copybtn").first
    button.wait_for()
    button.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.wait_for_timeout(400)
    assert float(button.evaluate("(e) => getComputedStyle(e).opacity")) > 0.9
    page.keyboard.press("Enter")
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.includes('import'))")


def test_the_theme_is_changed_by_keyboard(visit):
    """The button goes through its modes."""
    page = visit(CHAPTER).page
    page.locator(".theme-switch-button:visible").first.focus()
    themes = set()
    for _ in range(FIRST_KEYS):
        page.keyboard.press("Enter")
        themes.add(page.evaluate("document.documentElement.dataset.theme"))
    assert themes == {"light", "dark"}
