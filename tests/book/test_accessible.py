"""What the tools leave in the HTML is mended, and nothing else is touched."""

import pytest

from coursebook.accessible import mend
from coursebook.pages import alt_fault

MENDED = {
    '<summary aria-label="Toggle hidden content">': "<summary>",
    '<th class="head"><p></p></th>': '<td class="head"></td>',
    "<tr><th></th>\n<th>x</th></tr>": "<tr><td></td>\n<th>x</th></tr>",
    "<dl>\n<dd>a</dd>\n<dd>b</dd>\n</dl>": '<div class="sig-lines"><div>a</div>\n<div>b</div></div>',
    '<div class="citation" id="a" role="doc-biblioentry">': '<div class="citation" id="a" role="listitem">',
}
KEPT = [
    '<th><p><span class="math"><math><mi>g</mi></math></span></p></th>',
    '<th class="head"><p>x</p></th>',
    "<dl>\n<dt>a</dt><dd>b</dd>\n</dl>",
    '<dl class="glossary">\n<dd>a</dd>\n</dl>',
]


@pytest.mark.parametrize(("left", "mended"), MENDED.items())
def test_a_fault_of_the_tools_is_mended(left, mended):
    """Each was found by axe-core."""
    assert mend(f"<p>a</p>{left}<p>b</p>") == f"<p>a</p>{mended}<p>b</p>"


@pytest.mark.parametrize("html", KEPT)
def test_what_is_right_is_kept(html):
    """Headers that head something, and lists of definitions."""
    assert mend(html) == html


@pytest.mark.parametrize("alt", ["", " ", "A figure of a curve.", "Image: a digit", "A plot of x"])
def test_an_alternative_text_says_what_is_seen(alt):
    """That it is a picture is what a screen reader says of itself."""
    assert alt_fault(alt)


@pytest.mark.parametrize("alt", ["Three pictures side by side: a digit", "Drawings of a network", "A line"])
def test_a_text_that_says_it_is_taken(alt):
    """What a picture shows may be pictures."""
    assert alt_fault(alt) is None
