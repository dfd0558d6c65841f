"""What a link to a page shows elsewhere: a title, its first sentences, and a card with the title on it."""

import functools
import html
import re
import textwrap
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from docutils import nodes
from PIL import Image, ImageDraw, ImageFont, ImageOps
from sphinx.application import Sphinx

from coursebook.cache import ROOT

COVER = ROOT / "book" / "_assets" / "cover.png"
FONT = ROOT / "coursekit" / "plots" / "fonts" / "Inter-SemiBold.ttf"
SIZE, MARGIN, PAPER, INK = (1200, 630), 64, (251, 250, 247), (31, 41, 64)
SHADES = 8  # from ink to paper: a card of 100 kB
LENGTH = 200
SENTENCE = re.compile(r".+?[.?!](?=\s|$)", re.S)
APART = (nodes.table, nodes.Admonition, nodes.figure, nodes.list_item, nodes.citation)


def apart(node: nodes.Node | None) -> bool:
    """Whether a paragraph stands in a table, a box or a list, and not in the running text."""
    return node is not None and (isinstance(node, APART) or apart(node.parent))


def describe(doctree: nodes.document) -> str:
    """The page's own description, or as many first sentences as fit into 200 letters, up to a formula."""
    for meta in doctree.findall(nodes.meta):
        if meta.get("name") == "description":
            return meta["content"]
    words = ""
    for paragraph in (node for node in doctree.findall(nodes.paragraph) if not apart(node)):
        for sentence in SENTENCE.findall(" ".join(paragraph.astext().split())):
            longer = f"{words} {sentence.strip()}".strip()
            if len(longer) > LENGTH or "\\" in sentence:
                return words or textwrap.shorten(sentence, LENGTH, placeholder=" ...")
            words = longer
    return words


@functools.cache
def ground() -> Image.Image:
    """The card without words, in grey: the cover above, paper below."""
    picture = Image.new("L", SIZE, 255)
    cover = ImageOps.autocontrast(Image.open(COVER).convert("L"))
    picture.paste(cover.resize((SIZE[0], SIZE[0] * cover.height // cover.width)))
    return picture


def draw_card(title: str, book: str, path: Path) -> None:
    """Write the card of a page: its title in the sans of the figures, the book's name below."""
    picture = ground().copy()
    pen = ImageDraw.Draw(picture)
    lines = "\n".join(textwrap.wrap(title, 36, max_lines=2, placeholder=" ..."))
    pen.multiline_text((MARGIN, 374), lines, 0, ImageFont.truetype(FONT, 56), spacing=14)
    pen.text((MARGIN, 560), book, 80, ImageFont.truetype(FONT, 30))
    picture = picture.point(lambda grey: round(grey / 255 * (SHADES - 1)))
    mixed = [
        ink + (paper - ink) * k // (SHADES - 1)
        for k in range(SHADES)
        for ink, paper in zip(INK, PAPER, strict=True)
    ]
    picture.putpalette(mixed)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def add_tags(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Describe the page to search machines and to those who link to it; sphinxext.opengraph does the rest."""
    if doctree is None or app.builder.name != "html":
        return
    title, words = app.env.titles[pagename].astext(), describe(doctree)
    name = f"_static/cards/{pagename.replace('/', '-')}.png"
    draw_card(title, app.config.html_title, Path(app.outdir) / name)
    image, alt = urljoin(app.config.html_baseurl, name), f"{title}. Noise turns into letters and digits."
    fields = {"og:description": html.escape(words), "og:image": image, "og:image:alt": html.escape(alt)}
    context["meta"] = {**(context["meta"] or {}), **fields}
    tags = {"twitter:card": "summary_large_image", "twitter:title": title, "twitter:description": words}
    tags |= {"twitter:image": image, "twitter:image:alt": alt}
    if 'name="description"' not in context["metatags"]:
        tags["description"] = words
    lines = [f'<meta name="{key}" content="{html.escape(value)}" />\n' for key, value in tags.items()]
    context["metatags"] += "".join(lines)
