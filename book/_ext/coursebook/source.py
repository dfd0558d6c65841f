"""Where a page comes from: links to mend it, and to tell of what is wrong with it."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

from sphinx.application import Sphinx

MODULE = re.compile(r"^\.\. automodule:: (\S+)", re.M)


def source(pagename: str, path: Path) -> str:
    """The file or folder of the repository in which the words of a page stand.

    An exercise is built from its master, and a page of the reference from the docstrings of the modules that
    it shows: the folder that holds them all.
    """
    if pagename.startswith("exercises/"):
        return f"solutions/{Path(pagename).name}.md"
    modules = [name.replace(".", "/") for name in MODULE.findall(path.read_text())]
    return os.path.commonpath(modules) if modules else f"book/{pagename}{path.suffix}"


def edit_url(repository: str, branch: str, name: str) -> str:
    """Where a file of the repository is edited, or a folder looked into."""
    return f"{repository}/{'edit' if Path(name).suffix else 'tree'}/{branch}/{name}"


def report_url(repository: str, title: str, address: str) -> str:
    """A new issue that already says which page it is about."""
    words = {"title": f"Error on the page: {title}", "body": f"Page: {address}\n\nWhat is wrong: "}
    return f"{repository}/issues/new?{urlencode(words)}"


def add_links(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give the template the two addresses; a page that Sphinx makes by itself has no source to edit."""
    theme, env = app.config.html_theme_options, app.env
    repository = theme["repository_url"].rstrip("/")
    title = env.titles[pagename].astext() if pagename in env.titles else pagename
    address = urljoin(app.config.html_baseurl, app.builder.get_target_uri(pagename))
    context["report_url"] = report_url(repository, title, address)
    if doctree is not None:
        name = source(pagename, Path(env.doc2path(pagename)))
        context["edit_url"] = edit_url(repository, theme["repository_branch"], name)
