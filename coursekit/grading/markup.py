"""HTML pages that are safe by construction: whatever is not made by `tag` is text, and is escaped."""

import html
import re
import unicodedata
from typing import Any

UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
VOID = ("meta", "rect", "line")
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'"  # no script and no address, even if a tag slipped through
)
STYLE = """
:root { color-scheme: light dark; --accent: #0b6e99; --bad: #b3261e; --line: #8886; }
@media (prefers-color-scheme: dark) { :root { --accent: #5cc0e8; --bad: #ff8a80; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.9rem 0.25rem 0;
         border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: 4px;
      padding: 0.6rem; font-size: 0.88rem; }
section { border-top: 2px solid var(--line); margin-top: 2rem; }
.score { font-size: 1.5rem; } .good { color: var(--accent); } .bad { color: var(--bad); }
svg { max-width: 100%; } svg text { fill: currentColor; font: 13px system-ui, sans-serif; }
svg rect { fill: var(--accent); } svg line { stroke: currentColor; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
"""


class Markup(str):
    """Text that is HTML already."""


def text(value: object) -> Markup:
    """Anything as text of a page; characters that would hide or reorder what one sees are spelled out."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape(UNSEEN.sub(_spelled, str(value)), quote=True))


def tag(name: str, /, *children: object, **attributes: Any) -> Markup:
    """An element. `class_` stands for class, an underscore for a hyphen; None leaves an attribute out."""
    given = {
        key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None
    }
    head = " ".join([name, *(f'{key}="{text(str(value))}"' for key, value in given.items())])
    if name in VOID:
        return Markup(f"<{head}>" if name == "meta" else f"<{head}/>")
    return Markup(f"<{head}>{join(*children)}</{name}>")


def join(*children: object) -> Markup:
    """Several pieces, one after the other; None is nothing."""
    return Markup("".join(text(child) for child in children if child is not None))


def table(header: list[str], rows: list[list[object]], numbers: tuple[int, ...] = ()) -> Markup:
    """A table; `numbers` are the columns to be set flush right."""

    def row(cells: list[Any], kind: str) -> Markup:
        classes = ["number" if i in numbers else None for i in range(len(cells))]
        return tag("tr", *(tag(kind, cell, class_=c) for cell, c in zip(cells, classes, strict=True)))

    return tag("table", row(header, "th"), *(row(cells, "td") for cells in rows))


def page(title: str, *body: object) -> bytes:
    """A whole page, which needs nothing beside itself."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width"),
        tag("title", title),
        Markup(f"<style>{STYLE}</style>"),
    )
    whole = tag("html", head, tag("body", tag("h1", title), *body), lang="en")
    return f"<!doctype html>\n{whole}\n".encode()


def _spelled(match: re.Match) -> str:
    name = unicodedata.name(match[0], "")
    return f"⟨{name or f'U+{ord(match[0]):04X}'}⟩" if match[0] != "\r" else ""
