"""The table of contents as a picture of the zoo: a cage for each family, with links to its chapters.

The families are the numbered parts of the table of contents, the links its chapters, the words their titles.
"""

from dataclasses import dataclass
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


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
        "#6b7185", "Any of them, made to obey.", "M3 9H37M3 20H37M3 31H37;26 9 5 11 20 5 22 31 5"
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


def icon(family: Family) -> str:
    """The family's sign."""
    path, _, dots = family.icon.partition(";")
    places = dots.split()
    triples = zip(places[::3], places[1::3], places[2::3], strict=True)
    circles = "".join(f'<circle cx="{x}" cy="{y}" r="{r}"/>' for x, y, r in triples)
    return f'<svg viewBox="0 0 40 40" aria-hidden="true"><path d="{path}"/>{circles}</svg>'


def cage(name: str, chapters: list[Chapter]) -> str:
    """A family: its sign, name and idea, then the links to its chapters."""
    family = FAMILIES[name]
    links = "".join(
        f'<li><a href="{escape(address)}">{escape(number)} {escape(title)}</a></li>'
        for number, title, address in chapters
    )
    words = f'<p class="zoo-name">{escape(name)}</p><p class="zoo-about">{escape(family.about)}</p>'
    return f'<li class="zoo-cage" style="--tone:{family.color}">{icon(family)}{words}<ul>{links}</ul></li>'


def drawing(families: dict[str, list[Chapter]]) -> str:
    """The cages of all families; the style sheet sets them side by side where there is room."""
    cages = "".join(cage(name, chapters) for name, chapters in families.items())
    return f'<nav class="zoo" aria-label="Chapters by family"><ul>{cages}</ul></nav>'


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
        place.replace_self(nodes.raw("", drawing(families(app, docname)), format="html"))
