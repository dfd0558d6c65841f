"""One style sheet for all pages, of what they use.

The sheets of the theme and of the extensions in a row, without rules for classes that no page and no script
has, and with the icons that are left as small fonts inside.
"""

import base64
import hashlib
import io
import logging
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tinycss2
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from tinycss2.ast import AtRule, Node, QualifiedRule

NAME = "book-all.css"
THEME = ("styles/theme.css", "styles/pydata-sphinx-theme.css")
CLASS_ATTRIBUTE = re.compile(r"""\bclass=(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
SCRIPT = re.compile(r"<script(?![^>]*json)[^>]*>(.*?)</script>", re.S)
LOADED = re.compile(r"""<script[^>]* src="([^"?]+)""")
WORD = re.compile(r"[\w-]+")
PARENTHESES = re.compile(r"\([^()]*\)")
CLASS = re.compile(r"\.(-?[_a-zA-Z][\w-]*)")
READ = re.compile(r"var\(\s*(--[\w-]+)")
PROPERTY = re.compile(r"(?<=[{;])\s*(--[\w-]+)\s*:[^;{}]*(?:;|(?=}))")
ADDRESS = re.compile(r"""url\(\s*["']?(?!data:|#|/)([^"')]+)["']?\s*\)""")
FONT = re.compile(r'url\("vendor/fontawesome/webfonts/(fa-(?:solid|brands)-\d+)\.woff2"\)[^;}]*')
ASKED = re.compile(rf'(<link rel="stylesheet" href="[^"?]*{NAME})(?:\?v=\w+)?(")')
ICON = re.compile(r"\\(f[0-9a-f]{3})\b|([\uf000-\uf8ff])")

logging.getLogger("fontTools.subset").setLevel(logging.WARNING)

sheets: dict[str, None] = {}


def gather(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Note the sheets that the page asks for, and give it the one that stands for all."""
    wanted = [str(sheet.filename) for sheet in context["css_files"]]
    sheets.update(dict.fromkeys([*(f"_static/{name}" for name in THEME), *wanted]))
    context["css_files"] = []
    context["book_css"] = f"_static/{NAME}"


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the sheet once all pages and files of the site are there."""
    if error or app.builder.format != "html" or not sheets:
        return
    out = Path(app.outdir)
    words = site_words(out)
    rules = [rule for name in sheets for rule in used(parse(out / name, out), words)]
    text = without_unread(tinycss2.serialize(rules))
    sources = " ".join(name.partition("_static/")[2] for name in sheets)
    text = f"/* Of {sources} */\n{with_icons(text, out / '_static')}"
    (out / "_static" / NAME).write_text(text, encoding="utf-8")
    address(out, hashlib.sha256(text.encode()).hexdigest()[:8])


def address(out: Path, version: str) -> None:
    """Let every page ask for this version, lest a browser show a new page in the sheet that it kept."""
    for path in pages(out):
        text = path.read_text(encoding="utf-8")
        new = ASKED.sub(rf"\1?v={version}\2", text)
        if new != text:
            path.write_text(new, encoding="utf-8")


def pages(out: Path) -> Iterator[Path]:
    """The site's own pages."""
    return (path for path in out.rglob("*.html") if "_static" not in path.parts)


def parse(path: Path, out: Path) -> list[Node]:
    """The rules of a sheet, its addresses seen from where the one sheet stands."""

    def moved(match: re.Match[str]) -> str:
        return f'url("{os.path.relpath(path.parent / match[1], out / "_static")}")'

    text = ADDRESS.sub(moved, path.read_text(encoding="utf-8"))
    rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    return [inner for rule in rules for inner in imported(rule, path, out)]


def imported(rule: Node, path: Path, out: Path) -> list[Node]:
    """The rule itself, or those of the sheet that it asks for."""
    if not isinstance(rule, AtRule) or rule.lower_at_keyword != "import":
        return [rule]
    asked = next(token.value for token in rule.prelude if token.type in ("string", "url"))
    return parse(path.parent / asked, out)


def site_words(out: Path) -> set[str]:
    """Every class of every page, and every word of every script, which may make it a class."""
    words: set[str] = set()
    scripts: set[Path] = set()
    for page in pages(out):
        text = page.read_text(encoding="utf-8")
        scripts.update((page.parent / source).resolve() for source in LOADED.findall(text))
        for match in CLASS_ATTRIBUTE.finditer(text):
            words.update((match[1] or match[2] or match[3] or "").split())
        for script in SCRIPT.findall(text):
            words.update(WORD.findall(script))
    for script in scripts:
        words.update(WORD.findall(script.read_text(encoding="utf-8")))
    return words


def used(rules: Iterable[Node], words: set[str]) -> Iterator[Node]:
    """The rules that can hold for some element; a rule within @media or @supports is looked at, too."""
    for rule in rules:
        if (
            isinstance(rule, AtRule)
            and rule.content is not None
            and rule.lower_at_keyword in ("media", "supports")
        ):
            rule.content = list(used(tinycss2.parse_rule_list(rule.content), words))
            if any(isinstance(inner, QualifiedRule | AtRule) for inner in rule.content):
                yield rule
        elif not isinstance(rule, QualifiedRule) or needed(tinycss2.serialize(rule.prelude), words):
            yield rule


def needed(selectors: str, words: set[str]) -> bool:
    """Whether all classes of some selector are known; those in parentheses are alternatives, or excluded."""
    while PARENTHESES.search(selectors):
        selectors = PARENTHESES.sub("", selectors)
    return any(words.issuperset(CLASS.findall(selector)) for selector in selectors.split(","))


def without_unread(text: str) -> str:
    """The sheet without custom properties that no rule asks for: the theme brings whole palettes."""
    read = set(READ.findall(text))
    shorter = PROPERTY.sub(lambda match: match[0] if match[1] in read else "", text)
    return shorter if shorter == text else without_unread(shorter)


def with_icons(text: str, static: Path) -> str:
    """The sheet with the icons of Font Awesome that its rules name inside, not the addresses of its fonts."""
    letters = {int(a, 16) if a else ord(b) for a, b in ICON.findall(text)}

    def inside(match: re.Match[str]) -> str:
        path = static / "vendor" / "fontawesome" / "webfonts" / f"{match[1]}.ttf"
        return f'url("data:font/woff;base64,{subset(path, letters)}") format("woff")'

    return FONT.sub(inside, text)


def subset(path: Path, letters: set[int]) -> str:
    """The font with no other letters than these, in base64."""
    font, file = TTFont(path), io.BytesIO()
    keeper = Subsetter(Options(drop_tables=["GSUB", "GPOS", "GDEF"], notdef_outline=False))
    keeper.populate(unicodes=letters)
    keeper.subset(font)
    font.flavor = "woff"
    font.save(file)
    return base64.b64encode(file.getvalue()).decode()
