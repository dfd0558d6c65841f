"""What stands before the first chapter on paper: cover, imprint and table of contents."""

from collections import Counter
from html import escape

from bs4 import BeautifulSoup, Tag

from coursebook.paper import Book, Page

COVER = "Rows of small pictures: noise turns into letters and digits."
EDITION = (
    "The book lives at {address}, where its figures move, its code runs, and its exercises are checked as "
    "one writes. On paper each figure that moves stands still, with the values of its controls below it. "
    "Code that only draws, hints and checks of exercises, and the reference of the package are left out."
)


def cover(book: Book, lead: str) -> str:
    """The title, and what the reader must know of this edition."""
    address = f'<a href="{book.address}">{escape(book.address.split("//")[-1].rstrip("/"))}</a>'
    return (
        f'<header class="cover"><p class="title">{escape(book.title)}</p>{lead}'
        f'<img src="/cover.png" alt="{COVER}"><p class="author">{escape(book.author)}</p></header>'
        f'<section class="imprint"><p>© {book.year} {escape(book.author)}. Text and figures: CC BY 4.0. '
        f"Code: MIT licence.</p><p>{EDITION.format(address=address)}</p></section>"
    )


def entry(target: str, heading: Tag) -> str:
    """A line of the table of contents."""
    words = BeautifulSoup(heading.decode_contents(), "html.parser")
    for link in words.select("a.headerlink"):
        link.decompose()
    for tag in words.select("[id]"):
        del tag["id"]
    return (
        f'<a href="#{target}"><span>{words.decode_contents()}</span><span class="leader"></span>'
        f'<span class="page-number">000</span></a>'
    )


def said(heading: Tag) -> str:
    """What a heading says after its number."""
    return "".join(
        text for text in heading.find_all(string=True) if not text.find_parent(class_="section-number")
    )


def contents(pages: list[Page]) -> str:
    """The table of contents: parts, pages, and the sections of the chapters, which have numbers.

    What most chapters have, like a summary, is not listed.
    """
    lines, part = [], ""
    chapters = [page for page in pages if page.title.select(".section-number")]
    titles = Counter(said(section) for page in chapters for section in page.body.select("section > h2"))
    for page in pages:
        if page.part != part:
            part = page.part
            lines.append(f'<li class="part">{escape(part)}</li>')
        sections = page.body.select("section > h2") if page in chapters else []
        sections = [section for section in sections if titles[said(section)] <= len(chapters) / 2]
        below = "".join(f"<li>{entry(section['id'], section)}</li>" for section in sections)
        lines.append(f"<li>{entry(page.name, page.title)}{f'<ol>{below}</ol>' if below else ''}</li>")
    return f'<nav class="contents"><h1 id="contents">Contents</h1><ol>{"".join(lines)}</ol></nav>'
