"""The built pages as one document for paper.

It is made of the pages that readers see, not of a build of its own: the same numbers, the same formulas, no cell
executed again. Ids get the name of their page in front, since each chapter has a summary.
"""

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag
from pygments.formatters import HtmlFormatter

# For the screen alone: how to grade, when which cell ran, the package's reference, whose home is the editor.
LEFT_OUT = ("instructors", "run-log", "api")
ANSWERS = ("# exercise:", "# experiment:")
CODE_STYLE = "a11y-high-contrast-light"
NAMING = ("id", "for", "aria-labelledby", "aria-describedby")
LINKING = ("href", "xlink:href")


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


def anchor(page: str, fragment: str = "") -> str:
    """The id in the document of a page, or of a place on it."""
    return f"{page}--{fragment}" if fragment else page


class Addresses:
    """Turns addresses of the site into places of the document, or into whole addresses.

    Args:
        base: address of the site.
        names: of the pages that the document holds.
    """

    def __init__(self, base: str, names: list[str]):
        self.base, self.names = base, {f"{urljoin(base, name)}.html": name for name in names}

    def __call__(self, page: str, address: str) -> str:
        """Where a link on the page leads in the document."""
        whole = urljoin(self.base, f"{page}.html")
        whole = urljoin(whole, address)
        place, _, fragment = whole.partition("#")
        return f"#{anchor(self.names[place], unquote(fragment))}" if place in self.names else whole

    def rewrite(self, page: Page) -> None:
        """All ids of the page, what points at them, and its pictures."""
        for tag in page.body.find_all(True):
            for key in NAMING:
                if tag.get(key):
                    names = tag[key] if isinstance(tag[key], list) else str(tag[key]).split()
                    tag[key] = " ".join(anchor(page.name, name) for name in names)
            for key in LINKING:
                if tag.get(key):
                    tag[key] = self(page.name, tag[key])
            if tag.get("src") and not urlsplit(tag["src"]).scheme:
                tag["src"] = urljoin(f"/{page.name}", tag["src"])
        page.body["id"] = page.name


def drop(page: Page) -> None:
    """Leave out what moves, and of an exercise the cells that only a machine can check."""
    for tag in page.body.select("script, style, canvas, noscript"):
        tag.decompose()
    if "exercise" in page.body["class"]:
        for cell in page.body.select("div.cell"):
            if not cell.get_text().lstrip().startswith(ANSWERS):
                cell.decompose()


def settings(figure: Tag) -> list[tuple[str, str]]:
    """Label and value of each control, as the figure starts."""
    found = []
    for row in figure.select(".ck-coordinate, .ck-row:not(.ck-coordinates)"):
        value = row.select_one(".ck-value, input[checked] + span, option[selected]")
        if value is None:
            raise ValueError(f"A control without a value, which can't be printed: {row}")
        found.append((row.select_one(".ck-label").get_text(), value.get_text()))
    return found


def still(figure: Tag, address: str) -> None:
    """A figure that moves as its picture at the start, with the values it has there and a link to it."""
    values = "".join(
        f"<span><i>{escape(name)}</i> {escape(value)}</span>" for name, value in settings(figure)
    )
    link = f'<a href="{escape(address)}">moves online</a>'
    words = BeautifulSoup(f'<p class="ck-values">{values}{link}</p>', "html.parser")
    figure.select_one(".ck-controls").replace_with(words)
    for plane in figure.select(".ck-plane"):
        pad = plane.select_one(".ck-pad")
        for axis, name in zip(pad.select("input"), ("x", "y"), strict=True):
            share = (float(axis["value"]) + 0.5) / (float(axis["max"]) + 1)
            pad["style"] += f";--ck-{name}:{share:.4f}"
            axis.decompose()
        if pad.canvas:  # a script draws what lies under the point
            plane.decompose()


def number_index(page: Page, addresses: Addresses) -> None:
    """An index for paper: numbers of pages instead of names of places, and no names of the package."""
    words = page.body.select(".index-words")
    for link in page.body.select(".index-words a"):
        if addresses(page.name, link["href"]).startswith("#"):
            link.string, link["class"] = "000", "page-number"
        else:
            link.decompose()
    for entry in page.body.select(".index-words li")[::-1]:
        if not entry.select("a"):
            entry.decompose()
    for letter in words:
        if not letter.select("a"):
            letter.find_previous_sibling("h2").decompose()
            letter.decompose()


def entry(target: str, heading: Tag) -> str:
    """A line of the table of contents."""
    words = BeautifulSoup(heading.decode_contents(), "html.parser")
    for link in words.select("a.headerlink"):
        link.decompose()
    return (
        f'<a href="#{target}"><span>{words.decode_contents()}</span><span class="leader"></span>'
        f'<span class="page-number">000</span></a>'
    )


def contents(pages: list[Page]) -> str:
    """The table of contents: parts, pages, and the sections of the chapters, which have numbers."""
    lines, part = [], ""
    for page in pages:
        if page.part != part:
            part = page.part
            lines.append(f'<li class="part">{escape(part)}</li>')
        sections = page.body.select("section > h2") if page.title.select(".section-number") else []
        below = "".join(f"<li>{entry(section.parent['id'], section)}</li>" for section in sections)
        lines.append(f"<li>{entry(page.name, page.title)}{f'<ol>{below}</ol>' if below else ''}</li>")
    return f'<nav class="contents"><h1 id="contents">Contents</h1><ol>{"".join(lines)}</ol></nav>'


def sheets(pages: list[Page]) -> str:
    """A running title for the sheets of each page."""
    rules = []
    for number, page in enumerate(pages):
        title = page.title.get_text().removesuffix("#")
        rules.append(f'[id="{page.name}"]{{page:p{number}}}')
        words = json.dumps(title, ensure_ascii=False)
        rules.append(f"@page p{number}{{@top-left{{content:{words}}}}}")
    return "".join(rules)


def cover(book: Book, lead: str) -> str:
    """The title, and what the reader must know of this edition."""
    address = f'<a href="{book.address}">{escape(book.address.split("//")[-1].rstrip("/"))}</a>'
    return (
        f'<header class="cover"><p class="title">{escape(book.title)}</p>{lead}'
        f'<img src="/_static/cover.png" alt="Rows of small pictures: noise turns into letters and digits.">'
        f'<p class="author">{escape(book.author)}</p></header>'
        f'<section class="imprint"><p>© {book.year} {escape(book.author)}. Text and figures: CC BY 4.0. '
        f"Code: MIT licence.</p><p>The book lives at {address}, where its figures move, its code runs, and its "
        f"exercises are checked as one writes. On paper each figure that moves stands still, with the values of its "
        f"controls below it. Code that only draws, the hints and checks of the exercises, and the reference of "
        f"the package are left out.</p></section>"
    )


def math_scripts(site: Path, root: str) -> str:
    """What typesets the formulas, where the pages leave that to the browser."""
    head = BeautifulSoup((site / f"{root}.html").read_text(), "html.parser").head
    found = [tag for tag in head.select("script") if "mathjax" in str(tag).lower()]
    for tag in found:
        if tag.get("src"):
            tag["src"] = urljoin("/", tag["src"])
    return "".join(map(str, found))


def document(root: Path) -> str:
    """The book of the checkout `root`, whose pages have been built, as one page of HTML."""
    site, book = root / "_build" / "html", Book.read(root / "_config.yml")
    pages = [read(site, name, part) for name, part in wanted(root / "_toc.yml").items()]
    addresses = Addresses(book.address, [page.name for page in pages])
    for page in pages:
        for figure in page.body.select(".ck-figure"):
            still(figure, urljoin(book.address, f"{page.name}.html"))
        drop(page)
        number_index(page, addresses)
        addresses.rewrite(page)
    lead = pages[0].body.select_one(".lead")
    pages[0].title.string = "About this book"
    front = cover(book, str(lead.extract()) if lead else "") + contents(pages)
    colors = HtmlFormatter(style=CODE_STYLE).get_style_defs(".highlight")
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(book.title)}</title>'
        f'<link rel="stylesheet" href="/print/chinese.css"><link rel="stylesheet" href="/print.css">'
        f"<style>{colors}{sheets(pages)}</style>{math_scripts(site, pages[0].name)}</head>"
        f"<body>{front}{''.join(str(page.body) for page in pages)}</body></html>"
    )
