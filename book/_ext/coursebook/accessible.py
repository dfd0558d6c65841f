"""Faults that the tools leave in a page's HTML, mended for readers who do not see it."""

import re
from typing import Any

from sphinx.application import Sphinx

EMPTY_HEADER = re.compile(r"<th((?: class=\"[^\"]*\")?)>(?:\s|<p>\s*</p>)*</th>")
PARAMETERS = re.compile(r"<dl>\s*(<dd>(?:(?!<dt|<dl).)*?</dd>)\s*</dl>", re.S)


def mend(body: str) -> str:
    """The HTML of a page's article without what hinders screen readers."""
    # A fold says what it holds; the label of myst-nb would be read in its place.
    body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    # The role of a bibliography's entry was withdrawn; its list has none but items.
    body = body.replace('role="doc-biblioentry"', 'role="listitem"')
    # The cell above the names of the rows heads nothing.
    body = EMPTY_HEADER.sub(r"<td\1></td>", body)
    # Sphinx sets the parameters of a long signature as definitions without a term.
    return PARAMETERS.sub(parameters, body)


def parameters(found: re.Match) -> str:
    """Each parameter a line of its own, and no list of definitions."""
    lines = found[1].replace("<dd>", "<div>").replace("</dd>", "</div>")
    return f'<div class="sig-lines">{lines}</div>'


def mend_page(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Mend the article just before the page is written."""
    if "body" in context:
        context["body"] = mend(context["body"])
