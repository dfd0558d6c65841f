"""The scripts of a page: those that it needs, and none that its text would wait for."""

from pathlib import PurePosixPath
from typing import Any

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
"""Settings of parts of the theme that the book does not use; they must not wait for the file that they add to."""


def needed(script: JavaScript, body: str) -> bool:
    """Whether the page whose text is `body` has something for the script to do."""
    code = script.attributes.get("body", "")
    if code:
        return not code.startswith(UNREAD) and ("toggle" not in code.lower() or "toggle" in body)
    word = ONLY_WHERE.get(PurePosixPath(str(script.filename)).name)
    return word is None or word in body


def only_needed(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Drop the scripts that the page does not need; the others run in their order when the page is there."""
    body = context.get("body", "")
    context["script_files"] = [script for script in context["script_files"] if needed(script, body)]
    for script in context["script_files"]:
        if not script.attributes.get("body"):
            script.attributes["defer"] = "defer"
