"""What is made lighter on its way to the page looks as before: formulas, and the style sheet."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from coursebook import formulas
from tests.browser.formulas import FORMULAS, originals
from tests.built import HTML

PAGES = ["index.html", "03-vae.html", "exercises/01-generative-models.html", "api/train.html", "search.html"]
SHEET = "**/book-all.css*"
OPTIONAL = re.compile(r"font-display:\s*optional")


def pixels(picture: bytes) -> np.ndarray:
    """A screenshot in grey, (H, W) in [0, 1]."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("L"), dtype=float) / 255


@pytest.fixture(scope="module")
def drawn(browser):
    """Screenshots of each formula: as MathJax draws it, and as the page has it."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    found = {}
    for name, original in originals().items():
        ours = formulas.typeset(FORMULAS[name], display=True)
        store = "".join(f'<path id="{k}" d="{d}"/>' for k, d in formulas.typesetter().glyphs.items())
        shots = []
        same = formulas.LENGTH.sub(lambda length: f"{float(length[1]) * formulas.EX:.3f}em", original)
        for html in (same, ours.partition("<mjx-assistive-mml>")[0]):
            store_of_letters = f'<svg width="0" height="0"><defs>{store}</defs></svg>'
            page.set_content(f'{store_of_letters}<div style="font: 40px/1 serif">{html}</div>')
            page.add_style_tag(content="mjx-container { display: block } svg { overflow: visible }")
            shots.append(pixels(page.locator("div svg").first.screenshot()))
        found[name] = shots
    page.close()
    return found


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_in_one_list_of_letters_is_drawn_as_mathjax_draws_it(drawn, name):
    """Places are rounded to a thousandth of an em, outlines are written from step to step."""
    original, ours = drawn[name]
    height, width = (min(a, b) for a, b in zip(original.shape, ours.shape, strict=True))
    assert abs(original.shape[0] - ours.shape[0]) <= 1
    assert abs(original.shape[1] - ours.shape[1]) <= 2
    ink = (1 - original).sum()
    assert ink > 100, "nothing was drawn"
    assert abs(original[:height, :width] - ours[:height, :width]).sum() < 0.1 * ink


def waiting(route):
    """A sheet whose text waits for its fonts: on a busy machine they come later than `optional` allows."""
    text = route.fetch().text()
    route.fulfill(body=OPTIONAL.sub("font-display:block", text), content_type="text/css")


@pytest.mark.parametrize("path", PAGES)
def test_the_one_style_sheet_looks_like_those_that_it_is_made_of(browser, site, path):
    """A rule that was dropped and is needed would show: in light and dark, wide and on a phone."""
    text = (HTML / "_static" / "book-all.css").read_text()
    names = text.partition("*/")[0].split()[2:]
    assert "book.css" in " ".join(names)
    imports = "".join(f'@import url("{name}");\n' for name in names)
    for theme in ("light", "dark"):
        for width in (1280, 390):
            shots = []
            for whole in (False, True):
                context = browser.new_context(viewport={"width": width, "height": 1600}, color_scheme=theme)
                page = context.new_page()
                page.route("**/*.css*", waiting)
                if whole:
                    page.route(SHEET, lambda route: route.fulfill(body=imports, content_type="text/css"))
                page.goto(f"{site}/{path}", wait_until="networkidle")
                page.evaluate("document.fonts.ready.then(() => true)")
                shots.append(pixels(page.screenshot(animations="disabled", caret="hide")))
                context.close()
            ours, theirs = shots
            assert ours.std() > 0.01, "an empty page"
            assert (abs(ours - theirs) > 0.1).mean() < 1e-3, f"{path} differs at {width} px, {theme}"
