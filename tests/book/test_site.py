"""Pages can be found, shown to others, mended, and found again after a move."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image

from coursebook import site, social, source
from tests.book import little
from tests.book.little import ROOT

BASE = yaml.safe_load((ROOT / "_config.yml").read_text())["html"]["baseurl"]
REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
WORDS = "# Words\n\nIn two languages.\n\n```{glossary}\nprior\n先验分布\n  What was believed before.\n```\n"
PROSE = "A first sentence about a {term}`prior`. A second one with 后验分布. " + "It goes on and on. " * 12


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A little book with a glossary, an index and a page that has moved."""
    made = little.make(tmp_path_factory.mktemp("book"))
    folder = made.root / "book"
    (folder / "words.md").write_text(WORDS)
    (folder / "genindex.md").write_text("# Index\n")
    (folder / "redirects.txt").write_text("# a comment\nold/chapter.html 01-chapter.html\n")
    made.chapter.write_text(made.chapter.read_text().replace("Prose.", PROSE))
    toc = made.root / "_toc.yml"
    toc.write_text(toc.read_text() + "  - file: words\n  - file: genindex\n")
    done = made.build()
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def page(book, name: str) -> BeautifulSoup:
    """A built page."""
    return BeautifulSoup((book.root / "_build" / "html" / name).read_text(), "html.parser")


def test_the_index_of_the_search_holds_english_and_chinese(book):
    """Stems, pairs and single characters, with the pages that have them."""
    text = (book.root / "_build" / "html" / "searchindex.js").read_text()
    index = json.loads(re.fullmatch(r"Search\.setIndex\((.*)\)", text, re.S)[1])
    place = {name: number for number, name in enumerate(index["docnames"])}
    assert index["terms"]["先验"] == index["terms"]["验"][1] == place["words"]
    assert index["terms"]["后验"] == place["01-chapter"]
    assert index["terms"]["sentenc"] == place["01-chapter"]
    assert "splitQuery" in (book.root / "_build" / "html" / "_static" / "language_data.js").read_text()


def test_the_general_index_leads_to_the_glossary_and_to_the_first_use(book):
    """Latin words by their letter, Chinese ones together; each link says where it leads."""
    index = page(book, "genindex.html")
    assert [heading.text for heading in index.select("h2")][-2:] == ["P", "中文"]
    links = {link.text: link["href"] for link in index.select(".index-words a")}
    assert links["words"] == "words.html#term-prior"
    assert links["chapter 1"] == "01-chapter.html#use-prior"
    assert page(book, "01-chapter.html").find(id="use-prior")


def test_a_page_says_what_it_is_to_those_who_link_to_it(book):
    """Title, first sentences, a picture: absolute addresses, since whoever shows the link is elsewhere."""
    head = page(book, "01-chapter.html").head
    told = {(tag.get("property") or tag.get("name")): tag["content"] for tag in head.select("meta[content]")}
    assert told["og:title"].endswith("A chapter")
    assert told["og:url"] == head.find("link", rel="canonical")["href"] == f"{BASE}01-chapter.html"
    assert told["og:site_name"] == "Deep Generative Models"
    assert told["og:image"] == told["twitter:image"] == f"{BASE}_static/cards/01-chapter.png"
    assert told["twitter:card"] == "summary_large_image"
    texts = [told[name] for name in ("description", "og:description", "twitter:description")]
    assert len(set(texts)) == 1
    assert texts[0].startswith("A first sentence about a prior. A second one")
    assert texts[0].endswith(".")
    assert 100 < len(texts[0]) <= social.LENGTH
    with Image.open(book.root / "_build" / "html" / "_static" / "cards" / "01-chapter.png") as card:
        assert card.size == social.SIZE


def test_the_map_of_the_site_names_every_page(book):
    """All of them, and nothing else."""
    html = book.root / "_build" / "html"
    listed = re.findall(r"<loc>(.*?)</loc>", (html / "sitemap.xml").read_text())
    assert listed == [f"{BASE}{name}.html" for name in ("01-chapter", "genindex", "index", "words")]


def test_an_old_address_leads_to_the_new_one(book):
    """From the folder of the old page to that of the new one."""
    old = page(book, "old/chapter.html")
    assert old.find("meta", {"http-equiv": "refresh"})["content"] == "0; url=../01-chapter.html"
    assert old.find("link", rel="canonical")["href"] == f"{BASE}01-chapter.html"
    assert old.find("a")["href"] == "../01-chapter.html"


def test_a_page_leads_to_its_source_and_to_a_report_about_it(book):
    """By words that a reader sees, below the text."""
    links = {link.text: link["href"] for link in page(book, "01-chapter.html").select(".page-source a")}
    assert links["Edit this page"] == f"{REPOSITORY}/edit/main/book/01-chapter.md"
    report = urlsplit(links["Report an error"])
    assert report._replace(query="").geturl() == f"{REPOSITORY}/issues/new"
    assert parse_qs(report.query)["title"] == ["Error on the page: A chapter"]
    assert f"{BASE}01-chapter.html" in parse_qs(report.query)["body"][0]
    made = [link.text for link in page(book, "search.html").select(".page-source a")]
    assert made == ["Report an error"]


def test_a_redirect_to_nowhere_fails_the_build(tmp_path):
    """So does one that would hide a page, and a line that is none."""
    made = little.make(tmp_path)
    redirects = made.root / "book" / "redirects.txt"
    redirects.write_text("a.html nowhere.html\nindex.html 01-chapter.html\n")
    done = made.build()
    assert done.returncode != 0
    assert "a.html leads to nowhere.html, which is no page" in done.stdout + done.stderr
    assert "index.html is a page of the book" in done.stdout + done.stderr
    redirects.write_text("a.html b.html c.html\n")
    with pytest.raises(ValueError, match=r"found 'a\.html b\.html c\.html'"):
        site.read_redirects(redirects.parent)


def listed(part: dict) -> list[str]:
    """The pages of the contents, or of a part of them."""
    own = [part[key] for key in ("root", "file") if key in part]
    inner = [each for key in ("parts", "chapters", "sections") for each in part.get(key, [])]
    return own + [page for each in inner for page in listed(each)]


def test_no_published_address_vanishes():
    """What was once published is a page or a redirect for ever. New pages are added to book/addresses.txt."""
    pages = {f"{name}.html" for name in listed(TOC)}
    published = (ROOT / "book" / "addresses.txt").read_text().split()
    redirects = site.read_redirects(ROOT / "book")
    assert published == sorted(set(published))
    assert [name for name in published if name not in pages | set(redirects)] == [], (
        "add to book/redirects.txt"
    )
    assert sorted(pages - set(published)) == [], "add to book/addresses.txt"
    assert [new for new in redirects.values() if new.partition("#")[0] not in pages] == []


@pytest.mark.parametrize("name", listed(TOC))
def test_the_source_of_every_page_is_in_the_repository(name):
    """The file itself, the master of an exercise, or the package behind a page of the reference."""
    path = next(path for path in (ROOT / "book").glob(f"{name}.*") if path.suffix in (".md", ".ipynb"))
    found = source.source(name, path)
    assert (ROOT / found).exists()
    assert found.startswith(
        {"ex": "solutions/", "ap": ("coursekit", "book/api/index")}.get(name[:2], "book/")
    )


def test_a_long_or_a_technical_start_is_cut_where_it_can_be_read():
    """Whole sentences before a formula; half a one only where even the first does not fit."""
    from docutils.core import publish_doctree

    long = "word " * 60 + "end."
    assert social.describe(publish_doctree(long)).endswith("word ...")
    assert social.describe(publish_doctree("Short. Then :math:`\\\\alpha` comes. Last.")) == "Short."
    boxed = publish_doctree(".. note:: Not this.\n\nThis.\n")
    assert social.describe(boxed) == "This."
    assert Path(social.FONT).is_file()


def test_the_book_is_published_only_after_its_tests():
    """As the first page says."""
    workflow = yaml.safe_load((little.ROOT / ".github" / "workflows" / "publish.yml").read_text())
    assert workflow[True]["workflow_run"]["workflows"] == ["test"]  # YAML reads "on" as true
    assert "conclusion == 'success'" in workflow["jobs"]["book"]["if"]
