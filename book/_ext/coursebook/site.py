"""What a site needs to be found and to stay found: a map, and redirects where an address changed."""

import html
import json
import os
from pathlib import Path
from urllib.parse import urljoin

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

REDIRECTS = "redirects.txt"
MAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{urls}
</urlset>
"""
MOVED = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>This page has moved</title>
<link rel="canonical" href="{address}">
<meta http-equiv="refresh" content="0; url={link}">
<script>location.replace({script} + location.hash);</script>
<p>This page has moved to <a href="{link}">{address}</a>.</p>
</html>
"""

logger = logging.getLogger(__name__)


def read_redirects(folder: Path) -> dict[str, str]:
    """Old address -> new one, from lines `old.html new.html`; # begins a comment."""
    path = folder / REDIRECTS
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    for row in rows:
        if len(row) != 2:
            raise ValueError(f"{path}: expected a line `old.html new.html`, found {' '.join(row)!r}.")
    return dict(rows)


def addresses(app: Sphinx) -> list[str]:
    """Every page of the book, relative to its home."""
    return [app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]


def check_redirects(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn, which fails the build, where a redirect leads nowhere or hides a page."""
    if app.builder.name != "html":
        return
    pages = set(addresses(app))
    for old, new in read_redirects(Path(app.srcdir)).items():
        if new.partition("#")[0] not in pages:
            logger.warning("%s: %s leads to %s, which is no page of the book", REDIRECTS, old, new)
        if old in pages:
            logger.warning("%s: %s is a page of the book; rename the page or drop the line", REDIRECTS, old)


def moved(old: str, new: str, baseurl: str) -> str:
    """The page that stands at an old address."""
    link = os.path.relpath(new, os.path.dirname(old) or ".")
    address = html.escape(urljoin(baseurl, new))
    return MOVED.format(address=address, link=html.escape(link), script=json.dumps(link))


def add_files(app: Sphinx, error: Exception | None) -> None:
    """Write sitemap.xml and the redirects."""
    if error or app.builder.name != "html":
        return
    out, base = Path(app.outdir), app.config.html_baseurl
    urls = [f"<url><loc>{html.escape(urljoin(base, page))}</loc></url>" for page in addresses(app)]
    (out / "sitemap.xml").write_text(MAP.format(urls="\n".join(urls)))
    for old, new in read_redirects(Path(app.srcdir)).items():
        (out / old).parent.mkdir(parents=True, exist_ok=True)
        (out / old).write_text(moved(old, new, base))
