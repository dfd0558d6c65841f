"""Every word has its place in the glossary, in both languages, and every place in the glossary is used."""

import re

import pytest

from tests.book.little import ROOT

CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]-*.md"))
TERM = re.compile(r"\{term\}`(?:[^`<]+<)?([^`<>]+)>?`")
CELL = re.compile(r"^```\{code-cell\}.*?^```$", re.M | re.S)
ROW = re.compile(r"^\| (\{term\}.*?) \| (.*?) \| .+ \|$", re.M)


def glossary() -> dict[str, str]:
    """English -> Chinese, after a look at each entry's shape."""
    text = (ROOT / "book" / "glossary.md").read_text()
    found = {}
    for entry in text.partition("```{glossary}\n")[2].partition("\n```")[0].split("\n\n"):
        english, chinese, meaning = entry.split("\n", 2)
        assert meaning.startswith("  "), f"{english}: a line for each language, then the meaning, indented"
        assert re.search(r"[\u4e00-\u9fff]", chinese), f"{english} has no Chinese name: {chinese}"
        found[english] = chinese
    return found


def parts(path) -> tuple[str, str]:
    """A chapter's prose up to its list of words, and the list."""
    prose, heading, rest = CELL.sub("", path.read_text()).partition("\n## Words\n")
    assert heading, f"{path.name} has no list of words"
    return prose, rest.partition("\n## ")[0]


def test_the_glossary_is_sorted_and_says_nothing_twice():
    """Whoever looks a word up turns to its letter."""
    words = [word.casefold() for word in glossary()]
    assert words == sorted(set(words))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_words_of_a_chapter_are_linked_where_they_are_used(path):
    """The list at the end repeats what the prose explained; Chinese names are those of the glossary."""
    prose, words = parts(path)
    known = glossary()
    rows = [(TERM.findall(english), chinese) for english, chinese in ROW.findall(words)]
    assert len(rows) >= 5
    listed = [word for row, _ in rows for word in row]
    assert [word for word in listed + TERM.findall(prose) if word not in known] == []
    assert [word for word in listed if word not in TERM.findall(prose)] == [], "never linked in the text"
    assert [chinese for row, chinese in rows if chinese != ", ".join(known[word] for word in row)] == []


def test_every_word_of_the_glossary_is_linked_from_a_chapter():
    """A word that no chapter uses has no business there."""
    used = {word for path in CHAPTERS for word in TERM.findall(parts(path)[0])}
    assert sorted(set(glossary()) - used) == []
