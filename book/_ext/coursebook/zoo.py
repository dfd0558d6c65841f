"""The table of contents as a picture of the zoo: a cage for each family, with links to its chapters.

The families are the numbered parts of the table of contents, the links its chapters, the words their titles.
There are two drawings, a wide one and a tall one for phones; the style sheet shows one of them.
"""

import textwrap
from dataclasses import dataclass
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

LINE, LINK_LINE, ICON, PAD = 15, 17, 32, 10
ROOMY, HEAD = 250, 330
LETTERS = {"zoo-name": 8.0, "zoo-about": 6.4, "zoo-link": 7.0}
"""Width of a letter in each class of text, on the safe side, so that lines are broken where they must be."""


@dataclass(frozen=True)
class Family:
    """What a cage says and shows.

    Attributes:
        color: as in the figures of the book.
        about: the idea, and what can be said of log p(x).
        icon: drawn in a square of 40 by 40: a path's `d`, and after a semicolon filled circles "x y r".
    """

    color: str
    about: str
    icon: str


FAMILIES = {
    "Foundations": Family(
        "#6b7185", "Learn what is likely, and draw it.", "M2 35C14 35 14 6 20 6S26 35 38 35M2 35H38;20 26 3"
    ),
    "Latent variables": Family(
        "#a8122a",
        "A few numbers behind each picture. A bound on log\u00a0p(x).",
        "M3 3L16 16V24L3 37M37 3L24 16V24L37 37;20 20 4",
    ),
    "Autoregressive models": Family(
        "#1d5bd8",
        "One piece after another. Exact log\u00a0p(x).",
        "M4 4H36V36H4ZM4 15H36M4 26H36M15 4V36M26 4V36;9.5 9.5 4 20.5 9.5 4 31.5 9.5 4 9.5 20.5 4",
    ),
    "Normalizing flows": Family(
        "#8a2d96",
        "Noise, bent, and unbent again. Exact log\u00a0p(x).",
        "M3 8C15-2 25 18 37 8M3 20C15 10 25 30 37 20M3 32C15 22 25 42 37 32M8 3V37M20 3V37M32 3V37",
    ),
    "Adversarial networks": Family(
        "#12a56b",
        "A forger and a judge. No log\u00a0p(x).",
        "M13 10C18 2 26 2 31 9M27 30C22 38 14 38 9 31;10 20 7 30 20 7",
    ),
    "Diffusion": Family(
        "#cf7f12",
        "Noise, undone step by step. A bound on log\u00a0p(x).",
        "M24 8L36 20L24 32M36 20H17;4 6 2 9 17 2 3 27 2 11 34 2 13 7 2 4 16 1.5 10 26 2",
    ),
    "Control": Family(
        "#6b7185", "Any of them, made to do what one asks.", "M3 9H37M3 20H37M3 31H37;26 9 5 11 20 5 22 31 5"
    ),
}

Chapter = tuple[str, str, str]
"""Number, title, address."""


class Zoo(nodes.General, nodes.Element):
    """Stands for the picture until all titles are known."""


class ZooDirective(SphinxDirective):
    """`{zoo}`: the picture."""

    def run(self) -> list[nodes.Node]:
        """A place for it."""
        return [Zoo()]


def text(lines: list[str], kind: str, x: float, y: float) -> str:
    """Lines of text one below the other, the first one's base at y."""
    step = LINK_LINE if kind == "zoo-link" else LINE
    spans = "".join(f'<tspan x="{x:g}" y="{y + k * step:g}">{escape(s)}</tspan>' for k, s in enumerate(lines))
    return f'<text class="{kind}">{spans}</text>'


def wrapped(words: str, kind: str, width: float) -> list[str]:
    """The words in lines that fit into the width."""
    return textwrap.wrap(words, int(width / LETTERS[kind]), break_long_words=False)


def icon(family: Family, x: float, y: float) -> str:
    """The family's sign."""
    path, _, dots = family.icon.partition(";")
    places = [float(each) for each in dots.split()]
    circles = "".join(
        f'<circle cx="{places[k]:g}" cy="{places[k + 1]:g}" r="{places[k + 2]:g}"/>'
        for k in range(0, len(places), 3)
    )
    place = f"translate({x:g} {y:g}) scale({ICON / 40})"
    return f'<g transform="{place}" aria-hidden="true"><path d="{path}"/>{circles}</g>'


def link(chapter: Chapter, x: float, y: float, width: float) -> tuple[str, float]:
    """A chapter's link, and its height; what can be pressed is as wide as the cage."""
    number, title, address = chapter
    lines = wrapped(f"{number} {title}", "zoo-link", width - 2 * PAD)
    high = LINK_LINE * len(lines) + 8
    field = f'<rect x="{x + 4:g}" y="{y:g}" width="{width - 8:g}" height="{high:g}" rx="6"/>'
    words = text(lines, "zoo-link", x + PAD, y + LINK_LINE - 1)
    return f'<a href="{escape(address)}">{field}{words}</a>', high


def heading(family: Family, name: str, x: float, y: float, width: float) -> tuple[str, float]:
    """Sign, name and idea, the idea beside the sign where there is room; SVG and where it ends."""
    beside, inner = x + ICON + 2 * PAD, width - ICON - 3 * PAD
    names = wrapped(name, "zoo-name", inner)
    below = y + 24 + LINE * len(names)
    left, top, wide = (
        (beside, below, inner)
        if width > ROOMY
        else (x + PAD, max(below + 6, y + PAD + ICON + LINE), width - 2 * PAD)
    )
    about = wrapped(family.about, "zoo-about", wide)
    parts = icon(family, x + PAD, y + PAD) + text(names, "zoo-name", beside, y + 24)
    return parts + text(about, "zoo-about", left, top), top + LINE * len(about)


def cage(
    name: str, chapters: list[Chapter], x: float, y: float, width: float, bar: bool
) -> tuple[str, float]:
    """A family: its heading, then its chapters below it or, in a bar, beside it; SVG and height."""
    head = HEAD if bar else width
    svg, low = heading(FAMILIES[name], name, x, y, head)
    low -= 6
    wide = (width - head) / len(chapters) if bar else width
    place, top = x + head if bar else x, y + 10 if bar else low
    for chapter in chapters:
        more, high = link(chapter, place, top, wide)
        svg, low = svg + more, max(low, top + high)
        place, top = (place + wide, top) if bar else (place, low)
    return f'<g class="zoo-cage" style="--tone:{FAMILIES[name].color}">FRAME{svg}</g>', low + 6 - y


def framed(svg: str, x: float, y: float, width: float, height: float) -> str:
    """The cage with its frame, whose height is known only when its neighbours are."""
    frame = f'<rect class="zoo-frame" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10"/>'
    bar = f'<path class="zoo-bar" d="M{x + 10:g} {y:g}H{x + width - 10:g}"/>'
    return svg.replace("FRAME", frame + bar)


def rows(names: list[str], across: int) -> list[list[str]]:
    """The families in rows: the first and the last one alone, those between them side by side."""
    between = names[1:-1]
    inner = [between[k : k + across] for k in range(0, len(between), across)]
    return [names[:1], *inner, names[-1:]]


def drawing(families: dict[str, list[Chapter]], width: float, across: int, gap: float, kind: str) -> str:
    """One SVG of all families, `across` of them side by side."""
    y, parts = 2.0, []
    for row in rows(list(families), across):
        wide = (width - 2 - (len(row) - 1) * gap) / len(row)
        bar = len(row) < across
        lefts = [1 + k * (wide + gap) for k in range(len(row))]
        made = [cage(name, families[name], x, y, wide, bar) for name, x in zip(row, lefts, strict=True)]
        high = max(height for _, height in made)
        parts += [framed(svg, x, y, wide, high) for (svg, _), x in zip(made, lefts, strict=True)]
        y += high + gap
    label = "The families of generative models, each with its chapters"
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:g} {y - gap + 2:g}" role="group" aria-label="{label}">'
        f"<title>{label}</title>{''.join(parts)}</svg>"
    )


def families(app: Sphinx, docname: str) -> dict[str, list[Chapter]]:
    """The numbered parts of the table of contents, each with its chapters, as seen from a page."""
    found: dict[str, list[Chapter]] = {}
    numbers = app.env.toc_secnumbers
    for tree in app.config.external_site_map.root.subtrees:
        if not tree.numbered:
            continue
        if tree.caption not in FAMILIES:
            raise ValueError(f"the zoo has no cage for the part {tree.caption!r}; add one to {__name__}.")
        names = [str(item) for item in tree.items]
        found[tree.caption] = [
            (
                ".".join(map(str, numbers[name][""])),
                app.env.titles[name].astext(),
                app.builder.get_relative_uri(docname, name),
            )
            for name in names
        ]
    return found


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Draw the picture where it belongs."""
    for place in list(doctree.findall(Zoo)):
        shown = families(app, docname)
        wide, tall = drawing(shown, 920, 5, 10, "zoo-wide"), drawing(shown, 358, 1, 8, "zoo-tall")
        svg = f'<nav class="zoo" aria-label="Chapters by family">{wide}{tall}</nav>'
        place.replace_self(nodes.raw("", svg, format="html"))
