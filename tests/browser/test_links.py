"""Links inside the book lead somewhere."""

import functools
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from tests.built import HTML, PAGES


@functools.cache
def anchors(path: Path) -> set[str]:
    """The ids of a page."""
    return set(re.findall(r'\sid="([^"]+)"', path.read_text()))


@pytest.mark.parametrize("name", [name for name in PAGES if name != "404.html"])
def test_links_within_the_book_have_their_target(name):
    """File and anchor; addresses of other sites are not asked."""
    page, broken = HTML / name, []
    for link in BeautifulSoup(page.read_text(), "html.parser").select("a[href]"):
        parts = urlsplit(link["href"])
        if parts.scheme or parts.netloc or not link["href"].strip("#"):
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in anchors(target)):
            broken.append(link["href"])
    assert broken == []
