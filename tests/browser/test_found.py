"""What a reader looks for is found, on this server alone; every page says how to mend it."""

import re

import pytest
from bs4 import BeautifulSoup

from coursebook.site import read_redirects
from tests.book.little import ROOT
from tests.built import HTML, PAGES

REDIRECTS = read_redirects(ROOT / "book")
LONG = 60_000  # each hit fetches its page for the excerpt
ADDRESSES = (ROOT / "book" / "addresses.txt").read_text().split()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("扩散模型", {"10-diffusion.html", "glossary.html"}),
        ("变分", {"03-vae.html", "07-image-flows.html", "12-conditional.html", "glossary.html"}),
        ("熵", {"01-generative-models.html", "glossary.html"}),
        ("KL 散度", {"01-generative-models.html", "glossary.html"}),
        ("undoing noise", {"10-diffusion.html"}),
        ("dequantization", {"01-generative-models.html", "07-image-flows.html"}),
    ],
)
def test_a_word_that_is_typed_is_found(visit, query, wanted):
    """In both languages, typed into the search page; the index comes from this server alone."""
    seen = visit("search.html")
    field = seen.page.locator(".bd-search-container form.bd-search input")
    field.fill(query)
    field.press("Enter")
    seen.page.wait_for_selector("#search-results .search-summary:has-text('found')", timeout=LONG)
    links = seen.page.eval_on_selector_all("#search-results li a", "(all) => all.map((a) => a.pathname)")
    assert wanted <= {link.strip("/") for link in links}
    assert seen.outside == []
    assert seen.errors == []


def test_what_is_nowhere_is_not_found(visit):
    """Two characters that never stand side by side, though each stands somewhere."""
    seen = visit("search.html?q=熵流")
    seen.page.wait_for_selector("#search-results .search-summary:has-text('did not match')", timeout=LONG)


MADE = ("genindex.html", "py-modindex.html", "search.html")


@pytest.mark.parametrize("path", [path for path in PAGES if path != "404.html" and path not in REDIRECTS])
def test_every_page_says_how_to_mend_it(path):
    """By links whose words are their names; pages that have a source lead to it."""
    links = BeautifulSoup((HTML / path).read_text(), "html.parser").select(".page-source a")
    wanted = ["Report an error"] if path in MADE else ["Edit this page", "Report an error"]
    assert [link.get_text(strip=True) for link in links] == wanted


def test_the_links_below_a_page_are_seen_and_named(visit):
    """As a reader and as a screen reader finds them."""
    page = visit("notation.html").page
    for name in ("Edit this page", "Report an error"):
        assert page.get_by_role("link", name=name, exact=True).is_visible()


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_published_address_is_there(path):
    """As a page, or as a redirect to one."""
    assert (HTML / path).is_file()
    if path not in REDIRECTS:
        card = re.search(r'property="og:image" content="[^"]*/(_static/[^"]+)"', (HTML / path).read_text())
        assert path == "genindex.html" or (HTML / card[1]).is_file()
