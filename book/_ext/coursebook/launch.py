"""Two buttons a chapter or exercise: open it in Colab, and download its notebook from the site itself."""

from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx

from coursebook.notebooks import has_notebook

COLAB = "https://colab.research.google.com/github"
BRANCH, SOURCES = "notebooks", "main"


def colab_url(repository: str, pagename: str) -> str:
    """Where Colab opens it: 03-vae -> .../blob/notebooks/03-vae.ipynb; exercises lie in the main branch."""
    branch = SOURCES if pagename.startswith("exercises/") else BRANCH
    return f"{COLAB}{urlsplit(repository).path.rstrip('/')}/blob/{branch}/{pagename}.ipynb"


def add_buttons(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Put the buttons into the header of every page that is also a notebook: chapters and exercises."""
    if doctree is None or not has_notebook(pagename):
        return
    colab = {
        "type": "link",
        "text": "Open in Colab",
        "tooltip": "Run this page in Colab",
        "icon": "_static/images/logo_colab.png",
        "url": colab_url(app.config.html_theme_options["repository_url"], pagename),
        "label": "launch-colab",
    }
    download = {
        "type": "link",
        "text": ".ipynb",
        "tooltip": "Download this page as a notebook",
        "icon": "fas fa-download",
        "url": f"{pagename.rpartition('/')[2]}.ipynb",
        "label": "download-notebook",
    }
    context["header_buttons"][:0] = [colab, download]
