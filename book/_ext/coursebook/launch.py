"""One button a chapter or exercise: open it in Colab."""

from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx

COLAB = "https://colab.research.google.com/github"
BRANCH, SOURCES = "notebooks", "main"


def colab_url(repository: str, pagename: str) -> str:
    """Where Colab opens it: 03-vae -> .../blob/notebooks/03-vae.ipynb; exercises lie in the main branch."""
    branch = SOURCES if pagename.startswith("exercises/") else BRANCH
    return f"{COLAB}{urlsplit(repository).path.rstrip('/')}/blob/{branch}/{pagename}.ipynb"


def add_button(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Put the button into the header of every page that is also a notebook: chapters and exercises."""
    if doctree is None or not (pagename[:2].isdigit() or pagename.startswith("exercises/")):
        return
    button = {
        "type": "link",
        "text": "Open in Colab",
        "tooltip": "Run this page in Colab",
        "icon": "_static/images/logo_colab.png",
        "url": colab_url(app.config.html_theme_options["repository_url"], pagename),
        "label": "launch-colab",
    }
    context["header_buttons"].insert(0, button)
