"""One button a chapter: open it in Colab, from the branch of generated notebooks."""

from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx

COLAB = "https://colab.research.google.com/github"
BRANCH = "notebooks"


def colab_url(repository: str, pagename: str) -> str:
    """Where Colab opens the notebook made from the page: 03-vae -> .../blob/notebooks/03-vae.ipynb."""
    return f"{COLAB}{urlsplit(repository).path.rstrip('/')}/blob/{BRANCH}/{pagename}.ipynb"


def add_button(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Put the button into the header of every page that has code cells."""
    if doctree is None or "kernelspec" not in app.env.metadata[pagename]:
        return
    button = {
        "type": "link",
        "text": "Open in Colab",
        "tooltip": "Run this chapter in Colab",
        "icon": "_static/images/logo_colab.png",
        "url": colab_url(app.config.html_theme_options["repository_url"], pagename),
        "label": "launch-colab",
    }
    context["header_buttons"].insert(0, button)
