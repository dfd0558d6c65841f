"""Two buttons a chapter or exercise: open it in Colab, and download its notebook from the site itself."""

from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx

from coursebook.notebooks import has_notebook

COLAB = "https://colab.research.google.com/github"
BRANCH = "notebooks"


def colab_url(repository: str, sources: str, pagename: str) -> str:
    """Where Colab opens it: 03-vae -> .../blob/notebooks/03-vae.ipynb; exercises lie among the `sources`."""
    branch = sources if pagename.startswith("exercises/") else BRANCH
    return f"{COLAB}{urlsplit(repository).path.rstrip('/')}/blob/{branch}/{pagename}.ipynb"


def add_buttons(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Tell the header of every page that is also a notebook where to find it."""
    if doctree is None or not has_notebook(pagename):
        return
    theme = app.config.html_theme_options
    context["colab_url"] = colab_url(theme["repository_url"], theme["repository_branch"], pagename)
    context["notebook"] = f"{pagename.rpartition('/')[2]}.ipynb"
