"""Every page as a reader sees it: complete, quiet, on a wide screen and on a phone, by day and by night."""

import io

import pytest
from PIL import Image

from tests.built import PAGES

RAW_TEX = r"""() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (node.parentElement.closest("script, style, code, pre, textarea, mjx-container")) continue;
        if (/\$\$|\\\(|\\\[|\\begin\{/.test(node.data)) found.push(node.data.trim());
    }
    const math = [...document.querySelectorAll(".math")].filter((e) => !e.querySelector("mjx-container"));
    const wrong = [...document.querySelectorAll("[data-mjx-error], mjx-merror")];
    return [...found, ...math.map((e) => e.textContent), ...wrong.map((e) => e.title || e.textContent)];
}"""

BAD_PICTURES = """() => [...document.images].filter((i) =>
    !i.hasAttribute("alt") || (i.complete && !i.naturalWidth)
    || (!i.alt.trim() && i.closest("article") && !i.closest(".ck-pad"))
).map((i) => i.outerHTML.slice(0, 200))"""

OVERFLOWING = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.outerHTML.slice(0, 120)).slice(0, 8)"""

LOST = """() => {
    const own = (e) => /auto|scroll/.test(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth;
    const scrolls = (e) => !e.matches("article, body") && (own(e) || scrolls(e.parentElement));
    const unseen = (e) => e.closest("pre, mjx-assistive-mml, .ck-said, .visually-hidden, title, defs");
    const past = (rect, e) => rect.width && rect.right > e.getBoundingClientRect().right + 1;
    const article = document.querySelector("article") ?? document.body;
    const range = document.createRange(), found = [];
    const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        range.selectNodeContents(node);
        const rect = range.getBoundingClientRect(), e = node.parentElement;
        if (node.data.trim() && past(rect, article) && !scrolls(e) && !unseen(e)) found.push(node.data);
    }
    for (const formula of article.querySelectorAll("span.math:not(td *, th *) svg")) {
        if (past(formula.getBoundingClientRect(), formula.closest("p, li, dd, dt, div"))) {
            found.push(formula.closest("p, li, dd, dt, div").textContent);
        }
    }
    return found.map((text) => text.trim().slice(0, 80));
}"""

PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

BRIGHTNESS = """() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
    return (r + g + b) / 765;
}"""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_complete_and_quiet_and_fits(visit, path):
    """One visit, since loading is what takes the time; every rule has a message of its own."""
    seen = visit(path)
    page = seen.page
    assert page.title().strip()
    assert page.evaluate(RAW_TEX) == [], "formulas that were not typeset"
    assert page.evaluate(BAD_PICTURES) == [], "pictures that are missing or have no alternative text"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(PAINTED)
            assert page.evaluate(OVERFLOWING) == [], f"wider than the window of {width} px, {scheme}"
            assert page.evaluate(LOST) == [], f"text or formulas past the edge at {width} px"
        bright = page.evaluate(BRIGHTNESS)
        assert bright > 0.9 if scheme == "light" else bright < 0.25, f"background {bright:.2f} in {scheme}"
    assert seen.outside == [], "requests to other servers"
    assert seen.errors == [], "errors in the console"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_read_without_any_script(browser, site, scheme):
    """Words, formulas and pictures are there, dark on light."""
    context = browser.new_context(java_script_enabled=False, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{site}/03-vae.html")
    assert page.locator("article h1").is_visible()
    assert page.locator("mjx-container svg use").first.bounding_box()["width"] > 1
    assert page.locator("article").inner_text().count(" ") > 100
    shot = Image.open(io.BytesIO(page.screenshot())).convert("L")
    assert shot.getpixel((640, 5)) > 240
    assert shot.getextrema()[0] < 80
    context.close()


def test_search_finds_a_word(visit):
    """The index is searched in the browser; no server is asked."""
    seen = visit("search.html?q=entropy")
    seen.page.wait_for_selector("#search-results li a", timeout=20_000)
    assert seen.errors == []


def test_the_theme_button_is_remembered(visit):
    """A reader who chose the dark theme finds the next page dark."""
    page = visit("index.html").page
    page.evaluate("() => localStorage.setItem('mode', 'dark')")
    page = visit("notation.html").page
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_page_for_a_wrong_address_leads_home(visit):
    """It is shown at any depth, so nothing in it may be a relative address."""
    page = visit("404.html").page
    page.click("#home")
    page.wait_for_selector("article h1:has-text('Deep Generative Models')")
