"""What a page must have, and what a site needs beside its pages."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
NOT_FOUND = Path(__file__).with_name("404.html")

FIGURE_ALT = re.compile(r'<div class="ck-picture[^>]*><img alt="([^"]*)"')
KINDS = "figure|plot|picture|image|graph|chart|diagram|photo|screenshot"
SAYS_ITS_KIND = re.compile(rf"((an?|the) )?((line|bar|scatter) )?({KINDS})( (of|showing|that shows)|:)", re.I)

logger = logging.getLogger(__name__)


def demand_alt_texts(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Warn, which fails the build, where the text of a picture is missing, or says that it is a picture."""
    for image in doctree.findall(nodes.image):
        if fault := alt_fault(image.get("alt", "")):
            hint = "say in `alt` what is to be seen (code cells: `mystnb: {image: {alt: ...}}`)"
            logger.warning("%s: %s", fault, hint, location=image)
    for text in doctree.findall(nodes.raw):
        for alt in FIGURE_ALT.findall(text.astext()):
            if fault := alt_fault(unescape(alt)):
                logger.warning("%s: say in `alt` what is to be seen", fault, location=text)


def alt_fault(alt: str) -> str | None:
    """What is wrong with the alternative text of a picture, if anything is."""
    if not alt.strip():
        return "a picture without alternative text"
    if found := SAYS_ITS_KIND.match(alt.strip()):
        return f"an alternative text that begins with {found[0]!r}, which a screen reader says by itself"
    return None


def forbid_leftovers(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Warn, which fails the build, where a cell shows its last value as bare text."""
    for shown in doctree.findall(nodes.literal_block):
        if "text_plain" in shown["classes"]:
            hint = "end the cell with a semicolon, or print what the reader shall see"
            logger.warning("a value shown as text: %s: %s", shown.astext(), hint, location=shown)


def raw_texts(doctree: nodes.document, mime: str) -> list[nodes.raw]:
    """The raw HTML nodes that hold a script of type `mime`."""
    return [node for node in doctree.findall(nodes.raw) if mime in node.astext()]


def drop_unused_widget_state(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Keep the saved state of live widgets only on pages that show one: it is large, and nothing reads it."""
    if not raw_texts(doctree, WIDGET_VIEW):
        for node in raw_texts(doctree, WIDGET_STATE):
            node.parent.remove(node)


def add_widget_scripts(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Load the widget manager where a live widget is shown, and nowhere else."""
    if WIDGET_VIEW in context.get("body", ""):
        app.add_js_file("widgets/require.js")
        app.add_js_file("widgets/embed-amd.js")


def add_site_files(app: Sphinx, error: Exception | None) -> None:
    """Write .nojekyll (folders that begin with _ are pages' assets) and the page for a wrong address."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    (out / ".nojekyll").touch()
    home = json.dumps(urlsplit(app.config.html_baseurl).path or "/")
    page = NOT_FOUND.read_text().replace("HOME", home).replace("TITLE", app.config.html_title)
    (out / "404.html").write_text(page)
