"""The built pages as one document for paper.

It is made of the pages that readers see, not of a build of its own: the same numbers, the same formulas, no
cell executed again. Ids get the name of their page in front, since each chapter has a summary.
"""

import json
import re
from html import escape
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from pygments.formatters import HtmlFormatter

from coursebook import front
from coursebook.paper import Book, Page, read, wanted

ANSWERS = ("# exercise:", "# experiment:")
CODE_STYLE = "a11y-high-contrast-light"
NAMING = ("id", "for", "aria-labelledby", "aria-describedby")
LINKING = ("href", "xlink:href")
INDEX = "The first number is the page of the glossary, the others those where a chapter brings the word."


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


def name_headings(page: Page) -> None:
    """Give the names of a section to its heading: the section may begin on the page before."""
    for section in page.body.select("section[id]"):
        heading = section.find(re.compile("h[1-6]"), recursive=False)
        if heading is not None:
            heading["id"] = section["id"]
            del section["id"]
            for other in heading.find_previous_siblings("span", id=True):
                heading.insert(0, other.extract())


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
    for letters in page.body.select(".index-keys"):
        letters.decompose()
    for link in page.body.select(".index-words a"):
        if addresses(page.name, link["href"]).startswith("#"):
            if link.find_previous_sibling() is None and not (link.previous_sibling or "").strip():
                link.insert_before(f"{link.get_text()}: ")
            link.string, link["class"] = "000", "page-number"
        else:
            link.decompose()
    for entry in page.body.select(".index-words li")[::-1]:
        if not entry.select("a"):
            entry.decompose()
    for below in page.body.select(".index-words ul"):
        if not below.select("a"):
            below.decompose()
    for letter in page.body.select(".index-words"):
        if not letter.select("a"):
            letter.find_previous_sibling("h2").decompose()
            letter.decompose()
    about = page.body.select_one("h1 + p:has(~ .index-words)")
    if about:
        about.string = (
            "The first number is the page of the glossary, the others those where a chapter brings the word."
        )


def sheets(pages: list[Page]) -> str:
    """A running title for the sheets of each page."""
    rules = []
    for number, page in enumerate(pages):
        title = page.title.get_text().removesuffix("#")
        rules.append(f'[id="{page.name}"]{{page:p{number}}}')
        words = json.dumps(title, ensure_ascii=False)
        rules.append(f"@page p{number}{{@top-left{{content:{words}}}}}")
    return "".join(rules)


def document(root: Path) -> str:
    """The book of the checkout `root`, whose pages have been built, as one page of HTML."""
    site, book = root / "_build" / "html", Book.read(root / "_config.yml")
    pages = [read(site, name, part) for name, part in wanted(root / "_toc.yml").items()]
    addresses = Addresses(book.address, [page.name for page in pages])
    for page in pages:
        for figure in page.body.select(".ck-figure"):
            still(figure, urljoin(book.address, f"{page.name}.html"))
        drop(page)
        name_headings(page)
        number_index(page, addresses)
        addresses.rewrite(page)
    lead = pages[0].body.select_one(".lead")
    pages[0].title.string = "About this book"
    before = front.cover(book, str(lead.extract()) if lead else "") + front.contents(pages)
    colors = HtmlFormatter(style=CODE_STYLE).get_style_defs(".highlight")
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(book.title)}</title>'
        f'<link rel="stylesheet" href="/print/chinese.css"><style>{colors}</style>'
        f'<link rel="stylesheet" href="/print.css">'
        f"<style>{sheets(pages)}</style></head>"
        f"<body>{before}{''.join(str(page.body) for page in pages)}</body></html>"
    )
