"""What goes on paper: the book's own facts, and the pages of the site that belong into a printed book."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from bs4 import BeautifulSoup, Tag

NAME = "deep-generative-models.pdf"
# For the screen alone: how to grade, when which cell ran, and the reference, which is searched and not read.
LEFT_OUT = ("instructors", "run-log", "api")


@dataclass(frozen=True)
class Book:
    """What the printed book says of itself.

    Attributes:
        title: of the book.
        author: whoever wrote it.
        year: of its copyright.
        address: of the site, where its figures move.
    """

    title: str
    author: str
    year: str
    address: str

    @classmethod
    def read(cls, config: Path) -> "Book":
        """As _config.yml says."""
        said = yaml.safe_load(config.read_text())
        return cls(said["title"], said["author"], str(said["copyright"]), said["html"]["baseurl"])


@dataclass(frozen=True)
class Page:
    """A page of the site: its name, the part of the book it is in, and its article."""

    name: str
    part: str
    body: Tag

    @property
    def title(self) -> Tag:
        """Its first heading."""
        return self.body.find("h1")


def wanted(toc: Path) -> dict[str, str]:
    """Name -> part of the pages that belong into a printed book, in their order."""
    said = yaml.safe_load(toc.read_text())
    parts = said.get("parts") or [{"chapters": said.get("chapters", [])}]
    listed = {said["root"]: ""}
    for part in parts:
        listed |= {entry["file"]: part.get("caption", "") for entry in part["chapters"]}
    return {name: part for name, part in listed.items() if name.split("/")[0] not in LEFT_OUT}


def read(site: Path, name: str, part: str) -> Page:
    """A page as it was built."""
    path = site / f"{name}.html"
    if not path.is_file():
        raise FileNotFoundError(f"There is no {path} to print; run `make book` first.")
    body = BeautifulSoup(path.read_text(), "html.parser").select_one("article.bd-article")
    if body is None or body.find("h1") is None:
        raise ValueError(f"{path} has no article.bd-article with a heading, so that it can't be printed.")
    body.name, body.attrs = "section", {"class": ["page", *(["exercise"] if part == "Exercises" else [])]}
    return Page(name, part, body)
