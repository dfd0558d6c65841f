"""No page has a fault that axe-core knows: WCAG 2.2 A and AA and its best practices."""

import pytest

from tests.browser.axe import violations
from tests.built import FONTS, PAGES, serving


@pytest.fixture(scope="module")
def context(browser):
    """One window for all pages: what they share is fetched once."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture(scope="module")
def site():
    """Address of the built book."""
    with serving() as address:
        yield address


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible(context, site, path):
    """In both colour schemes, on a wide screen and on a phone; a failure names rule, element and remedy."""
    page = context.new_page()
    page.goto(f"{site}/{path}")
    page.evaluate(FONTS)
    assert violations(page) == []
    page.close()
