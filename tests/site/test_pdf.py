"""The printed book: whole, numbered right, readable by machines, and with every glyph."""

import re
from collections import Counter
from functools import cache
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from coursebook import pdf
from coursebook.paper import NAME, Book, wanted
from tests.built import HTML, ROOT

PATH = ROOT / "_build" / "pdf" / NAME
MEGABYTES = 30
PAGES = wanted(ROOT / "_toc.yml")
ADDRESS = Book.read(ROOT / "_config.yml").address
CHAPTERS = [name for name in PAGES if name[:2].isdigit()]
USUAL = ("Whatyouwillbeabletodo", "Summary", "Words", "Furtherreading", "Exercise")
HAN = re.compile(r"[\u3400-\u9fff]")
LINE = re.compile(r"(.+?) (\d+)")
TEXT = re.compile(rb"/(\w+) [\d.]+ Tf|<([0-9A-Fa-f]+)> Tj")


@pytest.fixture(scope="module")
def book() -> PdfReader:
    """The file."""
    assert PATH.is_file(), f"There is no {PATH}; run `make pdf`."
    return PdfReader(PATH)


@pytest.fixture(scope="module")
def texts(book) -> list[str]:
    """What each page says, with no space in it: where lines break is not asked."""
    return [plain(page.extract_text()) for page in book.pages]


@cache
def article(name: str) -> Tag:
    """A page of the site, without the marks beside its headings."""
    found = BeautifulSoup((HTML / f"{name}.html").read_text(), "html.parser").select_one("article")
    for link in found.select("a.headerlink"):
        link.decompose()
    return found


def plain(text: str) -> str:
    """Letters as they are, all apostrophes one, no space."""
    return re.sub(r"\s", "", text.replace("\u02bc", "'").replace("\u2019", "'"))


def titles(name: str, tag: str) -> list[str]:
    """The headings of a page; of those with a formula only the words before it."""
    return [plain(re.split(r"\\\(", heading.get_text())[0]) for heading in article(name).select(tag)]


def elements(root: DictionaryObject) -> list[DictionaryObject]:
    """All elements of the tree of tags."""
    found, waiting = [], [root]
    while waiting:
        each = waiting.pop().get_object()
        if isinstance(each, DictionaryObject):
            found.append(each)
            each = each.get("/K", ArrayObject()).get_object()
        if isinstance(each, ArrayObject):
            waiting += each
        elif isinstance(each, DictionaryObject):
            waiting.append(each)
    return found


def test_it_is_tagged_and_says_what_it_is(book):
    """A screen reader needs the tags and the language, a library the title and the author."""
    root, said = book.trailer["/Root"], Book.read(ROOT / "_config.yml")
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/Lang"] == "en"
    assert (book.metadata.title, book.metadata.author) == (said.title, said.author)
    kinds = Counter(each.get("/S") for each in elements(root["/StructTreeRoot"]))
    assert kinds["/H1"] == len(PAGES) + 1
    assert min(kinds[kind] for kind in ("/P", "/Table", "/TH", "/L", "/Code", "/Link", "/Figure")) > 20


def test_it_is_small_enough_to_be_mailed():
    """Pictures are most of it."""
    assert PATH.stat().st_size < MEGABYTES * 1e6


def test_bookmarks_name_every_page_of_the_book(book):
    """In order, in their own words, and on the page where they are."""
    top = [item for item in book.outline if not isinstance(item, list)]
    heads = [titles(name, "h1")[0] for name in PAGES][1:]
    assert [plain(item.title) for item in top] == ["Contents", "Aboutthisbook", *heads]
    numbers = [book.get_destination_page_number(item) for item in top]
    assert numbers == sorted(set(numbers))


def contents(book: PdfReader, texts: list[str]) -> list[tuple[str, int]]:
    """The lines of the table of contents with the numbers beside them."""
    there = [page for page, text in zip(book.pages, texts, strict=True) if text.startswith("Contents")]
    pages = [page.extract_text() for page in there]
    found = [LINE.fullmatch(line) for page in pages for line in page.splitlines()]
    return [(plain(match[1]), int(match[2])) for match in found if match]


def own(title: str) -> bool:
    """Whether a section has a title of its own, not one that most chapters have."""
    return re.sub(r"^[\d.]+", "", title) not in USUAL


def test_the_table_of_contents_is_complete_and_its_numbers_are_right(book, texts):
    """Each heading is on the page that it names, and a chapter begins there: no page before has its title."""
    found = contents(book, texts)
    expected = ["Aboutthisbook"]
    for name in list(PAGES)[1:]:
        expected += titles(name, "h1")
        expected += [title for title in titles(name, "section > h2") if name in CHAPTERS and own(title)]
    assert len(found) == len(expected)
    heads = {title for name in PAGES for title in titles(name, "h1")}
    for (line, number), title in zip(found, expected, strict=True):
        assert line.startswith(title)
        assert title in texts[number - 1], (title, number)
        assert title not in heads or not texts[number - 2].startswith(title)


def test_every_page_has_its_number_and_its_running_title(texts):
    """Cover and imprint have none."""
    for number, text in enumerate(texts[2:], 3):
        assert re.match(rf".{{4,80}}?{number}", text), number


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_numbered_equation_is_there(name, texts):
    """By its number, on a page of its chapter."""
    head = titles(name, "h1")[0]
    chapter = "".join(text for text in texts if text.startswith(head))
    numbers = [plain(each.get_text()) for each in article(name).select(".eqno")]
    assert [each for each in numbers if each not in chapter] == []


def test_words_of_the_glossary_can_be_copied_in_chinese(texts):
    """What is drawn is also said: each Chinese word, in the glossary and in the index."""
    words = [plain(term.get_text()) for term in article("glossary").select("dl.glossary dt")]
    chinese = [word for word in words if HAN.search(word)]
    assert len(chinese) > 100
    for place in ("Glossary", "Index"):
        text = "".join(text for text in texts if text.startswith(place))
        assert [word for word in chinese if word not in text] == []


def fonts(book: PdfReader) -> dict[int, DictionaryObject]:
    """All fonts of the file."""
    found = {}
    for page in book.pages:
        for reference in page["/Resources"].get("/Font", {}).values():
            found[reference.idnum] = reference.get_object()
    return found


def test_every_font_is_in_the_file(book):
    """A font of Type 3 is made of drawings that are always in it."""
    for font in fonts(book).values():
        if font["/Subtype"] != "/Type3":
            descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor), font


def codes(book: PdfReader) -> dict[str, int]:
    """How often glyph 0 is drawn by each font, the box that stands for a missing one."""
    found = Counter()
    for page in book.pages:
        wide = {
            name.lstrip("/"): font.get_object()["/Subtype"] == "/Type0"
            for name, font in page["/Resources"].get("/Font", {}).items()
        }
        digits = 4
        for font, text in TEXT.findall(page.get_contents().get_data()):
            if font:
                digits = 4 if wide[font.decode()] else 2
            else:
                found[""] += 1
                found["missing"] += any(
                    int(text[k : k + digits], 16) == 0 for k in range(0, len(text), digits)
                )
    return found


def test_no_glyph_is_missing(book):
    """None of the pieces of text draws the box."""
    counted = codes(book)
    assert counted[""] > 100_000
    assert counted["missing"] == 0


def test_each_figure_that_moves_has_one_picture_and_its_values(book, texts):
    """By the words that describe it, and by the line below it."""
    tags = elements(book.trailer["/Root"]["/StructTreeRoot"])
    drawn = Counter(plain(tag["/Alt"]) for tag in tags if tag.get("/S") == "/Figure" and "/Alt" in tag)
    moving = [figure for name in PAGES for figure in article(name).select(".ck-figure")]
    told = Counter(plain(figure.select_one(".ck-picture img")["alt"]) for figure in moving)
    assert len(moving) >= len(CHAPTERS)
    assert {alt: drawn[alt] for alt in told} == told
    assert "".join(texts).count("movesonline") == len(moving)


def test_links_inside_lead_to_places_inside(book):
    """Each named place is in the file, and no link leads to a page of the site that was printed."""
    places, addresses = set(book.named_destinations), []
    for page in book.pages:
        for note in page.get("/Annots", []):
            note = note.get_object()
            if "/Dest" in note:
                assert note["/Dest"] in places
            elif "/A" in note:
                addresses.append(unquote(note["/A"].get("/URI", "")))
    printed = {f"{ADDRESS}{name}.html" for name in PAGES}
    assert len(places) > 500
    assert [each for each in addresses if "#" in each and each.partition("#")[0] in printed] == []


def test_what_has_no_font_is_told(tmp_path):
    """A letter of nobody's alphabet; Chinese without its font, whatever other fonts the machine has."""
    with pdf.opened('<link rel="stylesheet" href="/print.css"><p>Fine, but \ue123, 码.</p>') as page:
        assert pdf.undrawn(page) == ["\ue123 (U+E123) in front matter", "码 (U+7801) in front matter"]
        page.pdf(path=tmp_path / "box.pdf")
    assert codes(PdfReader(tmp_path / "box.pdf"))["missing"] > 0


def test_a_picture_that_is_not_there_stops_the_print():
    """With its address."""
    with pytest.raises(SystemExit, match=r"nowhere\.png"), pdf.opened('<img src="/nowhere.png">'):
        pass


def test_what_is_wider_than_the_page_is_told():
    """Code and formulas are made smaller, up to a limit; a picture without one is told of."""
    wide = '<section class="page" id="here"><svg width="900" height="9"></svg></section>'
    with pdf.opened(wide) as page:
        page.evaluate("fit()")
        assert [each.split(":")[0] for each in page.evaluate("tooWide()")] == ["here"]


def test_the_home_page_leads_to_the_file_that_is_published():
    """The file is copied to where the link leads."""
    links = [link["href"] for link in article("index").select("a[href]")]
    steps = (ROOT / ".github" / "workflows" / "publish.yml").read_text()
    assert ADDRESS + NAME in links
    assert f"cp _build/pdf/{NAME} _build/html/" in steps
