"""Formulas, typeset when the book is built: a page needs no script for them.

MathJax runs in Node beside the build and gives SVG for the eye and MathML for screen readers. The outlines of
the letters stand once a page; formulas point to them.
"""

import functools
import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from coursebook import assets
from coursebook.npm import NODE

PROGRAM = Path(__file__).with_name("formulas.js")
EX = 0.442
"""MathJax's ex in em, about the x-height of the serif: an em is the same before the font is there."""
LENGTH = re.compile(r"(-?[\d.]+)ex")
WITHIN = re.compile(
    r"([(\[“]*)"
    r'<span class="math notranslate nohighlight">(?:(?!</mjx-container>).)*</mjx-container></span>'
    r"((?:[,.;:?!)\]’”]|[-’]\w+)*)",
    re.S,
)
"""A formula within a line, with the signs before and behind it: brackets, a comma, the th of k-th."""
GLYPH = re.compile(r'href="#(g-[^"]+)"')

logger = logging.getLogger(__name__)


class Typesetter:
    """MathJax in a process of its own, which ends with ours.

    Attributes:
        glyphs: the outline of every letter that was needed so far, by its name.
    """

    def __init__(self) -> None:
        self.glyphs: dict[str, str] = {}
        self.process = subprocess.Popen(
            [NODE, PROGRAM, assets.ensure(assets.TOOLS) / "mathjax"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, tex: str, display: bool) -> str:
        """The formula as HTML; raises ValueError with MathJax's words where it can't be read."""
        self.process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(
                f"{PROGRAM.name} ended with status {self.process.wait()} at the formula {tex!r}."
            )
        done = json.loads(answer)
        if "error" in done:
            raise ValueError(done["error"])
        self.glyphs |= done["glyphs"]
        return LENGTH.sub(lambda match: f"{float(match[1]) * EX:.3f}em", done["html"])


@functools.cache
def typesetter() -> Typesetter:
    """The one of this process, started when the first formula comes."""
    return Typesetter()


@functools.lru_cache(maxsize=20_000)
def typeset(tex: str, display: bool) -> str:
    """The formula as HTML; the same one is typeset once."""
    return typesetter()(tex, display)


def formula(translator: HTML5Translator, node: nodes.Element, tex: str, display: bool) -> str:
    """The formula of `node`; one that can't be read fails the build with its place."""
    try:
        return typeset(tex, display)
    except ValueError as error:
        logger.warning("a formula can't be read: %s: %s", error, tex, location=node)
        return html.escape(tex)


def visit_math(translator: HTML5Translator, node: nodes.math) -> None:
    """A formula within a line."""
    translator.body.append(translator.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    translator.body.append(formula(translator, node, node.astext(), display=False) + "</span>")
    raise nodes.SkipNode


def visit_math_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """A formula on lines of its own, with its number and a link to itself."""
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    tex = node.astext()
    if not node["nowrap"] and r"\\" in tex:
        tex = rf"\begin{{split}}{tex}\end{{split}}"
    translator.body.append(formula(translator, node, tex, display=True) + "</div>\n")
    raise nodes.SkipNode


def held(body: str) -> str:
    """The article with no line that ends or begins with a sign that belongs to a formula."""

    def together(found: re.Match[str]) -> str:
        return f'<span class="held">{found[0]}</span>' if found[1] or found[2] else found[0]

    return WITHIN.sub(together, body)


def finish(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give the page the outlines of the letters that its formulas draw, and hold signs to them."""
    if "body" not in context:
        return
    context["body"] = held(context["body"])
    names = dict.fromkeys(GLYPH.findall(context["body"]))
    if names:
        outlines = "".join(f'<path id="{name}" d="{typesetter().glyphs[name]}"/>' for name in names)
        store = f'<svg class="glyphs" width="0" height="0" aria-hidden="true"><defs>{outlines}</defs></svg>'
        context["body"] = store + context["body"]
