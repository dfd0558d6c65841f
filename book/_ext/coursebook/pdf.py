"""Print the built book: `python -m coursebook.pdf FOLDER` writes it there as one PDF.

Chromium prints the document of `coursebook.printed`. It can't say on which page a place will be, so the
document is printed, asked for its places, and printed again with the numbers of their pages.
"""

import functools
import mimetypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import matplotlib
from playwright.sync_api import Page, Route, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import BooleanObject, DictionaryObject, NameObject, TextStringObject

from coursebook import assets, browser, printed
from coursebook.cache import ROOT
from coursebook.paper import NAME, Book

HERE = Path(__file__).parent
SERVER = "http://book.invalid/"
PAPER = {"width": 643, "height": 930}  # what the margins in print.css leave of A4, in CSS pixels
MINUTES, PASSES = 10, 4


@functools.cache
def folders() -> tuple[Path, ...]:
    """Where the files of the document are, in the order in which they are looked for."""
    drawings = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    ours = ROOT / "coursekit" / "plots" / "fonts"
    return (
        HERE,
        assets.ensure(assets.PRINT),
        drawings,
        ours,
        ROOT / "book" / "_assets",
        ROOT / "_build" / "html",
    )


def serve(route: Route, document: str) -> None:
    """Answer the browser from the machine's own files, and refuse every other address."""
    path = unquote(urlsplit(route.request.url).path).lstrip("/")
    found = next((folder / path for folder in folders() if (folder / path).is_file()), None)
    if route.request.url == SERVER:
        route.fulfill(body=document, content_type="text/html; charset=utf-8")
    elif found and route.request.url.startswith(SERVER):
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        route.fulfill(path=found, content_type=kind)
    else:
        route.abort()


@contextmanager
def opened(document: str) -> Iterator[Page]:
    """The document in a browser, laid out as on paper, with all its files."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.find(playwright))
        page = chromium.new_page(viewport=PAPER, color_scheme="light")
        page.set_default_timeout(60_000 * MINUTES)
        missing: list[str] = []
        page.on("requestfailed", lambda request: missing.append(request.url))
        page.route("**/*", lambda route: serve(route, document))
        page.emulate_media(media="print")
        page.goto(SERVER)
        page.add_script_tag(path=HERE / "print.js")
        stop_at("Files of the printed book that are not there", page.evaluate("ready()") + missing)
        yield page
        chromium.close()


def stop_at(what: str, found: list[str]) -> None:
    """Print nothing that has a fault."""
    if found:
        sys.exit("\n    ".join([f"{what}:", *dict.fromkeys(found)]))


def undrawn(page: Page) -> list[str]:
    """Characters that none of the book's own fonts has: one machine shows another shape, the next a box."""
    asked = page.evaluate("probes()")
    devtools = page.context.new_cdp_session(page)
    devtools.send("DOM.enable")
    devtools.send("CSS.enable")
    root = devtools.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    nodes = devtools.send("DOM.querySelectorAll", {"nodeId": root, "selector": "#probes span"})["nodeIds"]
    found = []
    for probe, node in zip(asked, nodes, strict=True):
        fonts = devtools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        if probe["box"] or not all(font["isCustomFont"] for font in fonts):
            found.append(f"{probe['sign']} (U+{ord(probe['sign']):04X}) in {probe['page']}")
    page.evaluate("document.getElementById('probes').remove()")
    return found


def places(path: Path) -> dict[str, int]:
    """The number of the page of each place that a link leads to."""
    reader = PdfReader(path)
    numbers = {page.indirect_reference.idnum: number for number, page in enumerate(reader.pages, 1)}
    found = reader.named_destinations.items()
    return {unquote(name.lstrip("/")): numbers[place.page.idnum] for name, place in found}


def write(page: Page, path: Path) -> None:
    """Print it until all numbers of pages are right; the first time, when none is, without the slow tags."""
    for time in range(PASSES):
        whole = time > 0
        page.pdf(path=path, prefer_css_page_size=True, print_background=True, tagged=whole, outline=whole)
        if not page.evaluate("number", places(path)) and whole:
            return
    raise RuntimeError(
        f"The numbers of the pages were still wrong after the book was printed {PASSES} times."
    )


def bookmarks(parent: DictionaryObject) -> Iterator[DictionaryObject]:
    """The bookmarks below one, from top to bottom, each before those below it."""
    child = parent.get("/First")
    while child is not None:
        item = child.get_object()
        yield item
        yield from bookmarks(item)
        child = item.get("/Next")


def describe(path: Path, book: Book, headings: list[str]) -> None:
    """Say who wrote what, and what the bookmarks are called: Chromium repeats the words of each.

    All of it is appended, so that what Chromium wrote stays as it is.
    """
    writer = PdfWriter(path, incremental=True)
    for item, heading in zip(bookmarks(writer.root_object["/Outlines"]), headings, strict=True):
        item[NameObject("/Title")] = TextStringObject(heading)
    writer.add_metadata({"/Title": book.title, "/Author": book.author, "/Subject": book.address})
    shown = DictionaryObject({NameObject("/DisplayDocTitle"): BooleanObject(True)})
    writer.root_object[NameObject("/ViewerPreferences")] = shown
    writer.write(path)


def main(folder: Path) -> None:
    """Write the PDF."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    with opened(printed.document(ROOT)) as page:
        stop_at(
            "Links to places that the printed book does not have, or has twice", page.evaluate("deadLinks()")
        )
        stop_at("No font of the printed book has", undrawn(page))
        page.evaluate("fit()")
        stop_at("Wider than the page", page.evaluate("tooWide()"))
        write(page, path)
        headings = page.evaluate("headings()")
    describe(path, Book.read(ROOT / "_config.yml"), headings)
    print(f"The book is printed at {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
