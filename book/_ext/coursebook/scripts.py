"""The scripts of a page: those that it needs, and none that its text would wait for."""

from pathlib import Path, PurePosixPath
from typing import Any

import pydata_sphinx_theme
from sphinx.application import Sphinx
from sphinx.builders.html._assets import _JavaScript as JavaScript

ONLY_WHERE = {
    "design-tabs.js": "sd-tab-",
    "togglebutton.js": "toggle",
    "clipboard.min.js": "highlight",
    "copybutton.js": "highlight",
}
"""Scripts that act on what a page may not have, and a word that stands in every page that has it."""
UNREAD = ("DOCUMENTATION_OPTIONS.",)
"""Settings of parts of the theme that the book does not use."""

MEASURING = '"complete"===document.readyState?I():window.addEventListener("load",I)'
THEME = Path(pydata_sphinx_theme.__file__).parent.joinpath(
    "theme/pydata_sphinx_theme/static/scripts/pydata-sphinx-theme.js"
)


def needed(script: JavaScript, body: str) -> bool:
    """Whether the page whose text is `body` has something for the script to do."""
    code = script.attributes.get("body", "")
    if code:
        return not code.startswith(UNREAD) and ("toggle" not in code.lower() or "toggle" in body)
    word = ONLY_WHERE.get(PurePosixPath(str(script.filename)).name)
    return word is None or word in body


def only_needed(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Drop the scripts that the page does not need; the others run in their order when the page is there.

    The page of the search runs its own at once, and they need what the others define.
    """
    body = context.get("body", "")
    scripts = [script for script in context["script_files"] if needed(script, body)]
    context["script_files"] = scripts if pagename == "search" else [deferred(script) for script in scripts]


def deferred(script: JavaScript) -> JavaScript:
    """The script, to be run when the page is there; a copy, since all pages share the one that is given."""
    if script.attributes.get("body"):
        return script
    attributes = {**script.attributes, "defer": "defer"}
    return JavaScript(str(script.filename), priority=script.priority, **attributes)


def without_measuring(app: Sphinx, error: Exception | None) -> None:
    """Take from the theme's script the part that measures every box of the page when it loads.

    That lays out the whole page at once: most of a second on a phone. `book.js` does it where the reader is.
    """
    if error or app.builder.format != "html":
        return
    text = THEME.read_text(encoding="utf-8")
    if MEASURING not in text:
        raise ValueError(
            f"{THEME.name} no longer holds {MEASURING!r}; look how it makes boxes that scroll focusable."
        )
    out = Path(app.outdir) / "_static" / "scripts" / THEME.name
    out.write_text(text.replace(MEASURING, "0"), encoding="utf-8")
