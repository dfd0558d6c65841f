"""Plain Markdown with formulas, from a document that Sphinx has resolved: for places where MyST is not known.

Each kind of node has a method of its name; one without a method is an error, so that nothing arrives raw or
is lost. Links lead to the site, equations and figures carry the numbers that they have there.
"""

import re
from collections.abc import Iterable
from types import SimpleNamespace
from urllib.parse import urljoin

from docutils import nodes
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.locale import admonitionlabels
from sphinx.util.math import get_node_equation_number

MARKUP = re.compile(r"([\\`*$])|(?<!\w)_|_(?!\w)|<(?=[\w/!])")
LINE_START = re.compile(r"^(\s*)(#{1,6}|[-+>]|\d+[.)])(?=\s)", re.M)

BAR = re.compile(r"(\\?)\|")


def bar(match: re.Match) -> str:
    """A bar of a formula, single or double, by its name."""
    return r"\Vert " if match[1] else r"\vert "


def escaped(text: str) -> str:
    """Text that Markdown would take for markup, made safe."""
    text = MARKUP.sub(lambda match: "&lt;" if match[0] == "<" else f"\\{match[0]}", text)
    return LINE_START.sub(lambda match: f"{match[1]}{match[2][:-1]}\\{match[2][-1]}", text)


def quoted(*parts: str) -> str:
    """The parts as one quotation."""
    lines = "\n\n".join(filter(None, parts)).splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines)


def item(marker: str, body: str) -> str:
    """An entry of a list; what follows its first line stands below that."""
    return (marker + body.replace("\n", "\n" + " " * len(marker))).replace(
        "\n" + " " * len(marker) + "\n", "\n\n"
    )


class Writer:
    """Writes the nodes of one page.

    Args:
        builder: of the site, which knows the numbers of figures and equations.
        address: of the page on the site.
    """

    def __init__(self, builder: StandaloneHTMLBuilder, address: str):
        self.builder, self.address = builder, address

    def write(self, node: nodes.Node) -> str:
        """The node in Markdown, by the method of the first of its classes that has one."""
        methods = (getattr(self, f"on_{kind.__name__}", None) for kind in type(node).__mro__)
        return next(filter(None, methods))(node)

    def line(self, parent: Iterable[nodes.Node]) -> str:
        """Inline nodes, one after the other."""
        return "".join(map(self.write, parent))

    def blocks(self, parent: Iterable[nodes.Node]) -> str:
        """Blocks, with an empty line between any two."""
        return "\n\n".join(filter(None, map(self.write, parent)))

    # Nothing of these is read.

    def on_Invisible(self, node: nodes.Node) -> str:
        """Comments, targets, index entries."""
        return ""

    on_index = on_colspec = on_sd_tab_input = on_Invisible

    def on_raw(self, node: nodes.raw) -> str:
        """HTML of the page alone would be lost."""
        raise self.untranslated("raw HTML", "say it in Markdown")

    # Words.

    def on_Text(self, node: nodes.Text) -> str:
        """Plain text."""
        return escaped(node.astext())

    def on_paragraph(self, node: nodes.TextElement) -> str:
        """A paragraph, or words of which only the page knows the style."""
        return self.line(node)

    on_inline = on_target = on_paragraph

    def on_emphasis(self, node: nodes.emphasis) -> str:
        """Emphasis."""
        return f"*{self.line(node)}*"

    def on_strong(self, node: nodes.strong) -> str:
        """Strong emphasis, titles of what has no heading."""
        return f"**{self.line(node).strip()}**"

    on_rubric = on_title = on_sd_tab_label = on_term = on_strong

    def on_dropdown_title(self, node: nodes.Element) -> str:
        """The title without its icons, which are HTML."""
        title = node.deepcopy()
        for icon in list(title.findall(nodes.raw)):
            icon.parent.remove(icon)
        return self.on_strong(title)

    def on_literal(self, node: nodes.literal) -> str:
        """Code in a line."""
        text = node.astext()
        fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
        return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"

    def on_superscript(self, node: nodes.superscript) -> str:
        """Words above the line."""
        return f"<sup>{self.line(node)}</sup>"

    def on_subscript(self, node: nodes.subscript) -> str:
        """Words below the line."""
        return f"<sub>{self.line(node)}</sub>"

    def on_math(self, node: nodes.math) -> str:
        """A formula in a line."""
        return f"${node.astext().strip()}$"

    def on_reference(self, node: nodes.reference) -> str:
        """A link: to a section, an equation, a word, a work, or out of the book."""
        where = node["refuri"] if "refuri" in node else f"#{node['refid']}"
        return f"[{self.line(node)}]({urljoin(self.address, where)})"

    def on_footnote_reference(self, node: nodes.footnote_reference) -> str:
        """The number of a footnote."""
        return f"<sup>{self.on_reference(node)}</sup>"

    def on_image(self, node: nodes.image) -> str:
        """A picture of the site; its writer has set the address by now."""
        return f"![{node.get('alt', '')}]({urljoin(self.address, node['uri'])})"

    # Blocks.

    def on_Element(self, node: nodes.Element) -> str:
        """What has no method of its own."""
        raise self.untranslated(repr(node.tagname), f"add on_{type(node).__name__} to {__name__}")

    def untranslated(self, what: str, remedy: str) -> ValueError:
        """The error for what would be lost."""
        return ValueError(f"{self.address}: {what} has no translation for notebooks; {remedy}.")

    def on_container(self, node: nodes.container) -> str:
        """A box of the page; a code cell can't stand in one, since a notebook has no inner cells."""
        if node.get("nb_element"):
            raise self.untranslated("a code cell within a list, a note or a tab", "put it before or after")
        return self.blocks(node)

    on_section = on_compound = on_definition = on_legend = on_container

    def on_transition(self, node: nodes.transition) -> str:
        """A line across."""
        return "---"

    def on_math_block(self, node: nodes.math_block) -> str:
        """A formula, with the number that it has on the site."""
        tag = ""
        if node["number"]:
            number = get_node_equation_number(SimpleNamespace(builder=self.builder), node)
            tag = f" \\tag{{{number}}}"
        return f"$${node.astext().strip()}{tag}$$"

    def on_literal_block(self, node: nodes.literal_block) -> str:
        """Code that is not run."""
        text = node.astext().rstrip("\n")
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        language = node.get("language", "").replace("default", "")
        return f"{fence}{language}\n{text}\n{fence}"

    def on_block_quote(self, node: nodes.block_quote) -> str:
        """A quotation."""
        return quoted(self.blocks(node))

    def on_bullet_list(self, node: nodes.bullet_list) -> str:
        """A list."""
        return self.items(node, ["- "] * len(node))

    def on_enumerated_list(self, node: nodes.enumerated_list) -> str:
        """A list with numbers."""
        kind = node["enumtype"]
        if kind != "arabic" or node["prefix"]:
            raise self.untranslated(f"a list that counts by {node['prefix']}{kind}", "count by 1. 2. 3.")
        first = node.get("start", 1)
        return self.items(node, [f"{first + k}{node['suffix']} " for k in range(len(node))])

    def items(self, node: nodes.Element, markers: list[str]) -> str:
        """The entries of a list, close to each other where each is one paragraph."""
        gap = "\n" if all(len(entry) == 1 for entry in node) else "\n\n"
        pairs = zip(markers, node, strict=True)
        return gap.join(item(marker, self.blocks(entry)) for marker, entry in pairs)

    def on_definition_list(self, node: nodes.definition_list) -> str:
        """Words and what they mean, as a list."""
        return "\n\n".join(item("- ", self.blocks(entry)) for entry in node)

    def on_figure(self, node: nodes.figure) -> str:
        """A picture with its number and caption."""
        return self.blocks(node)

    def on_caption(self, node: nodes.caption) -> str:
        """What stands below a picture, or above a listing."""
        kind = "figure" if isinstance(node.parent, nodes.figure) else "code-block"
        words = self.numbered(node.parent, kind, self.builder.config.numfig_format[kind])
        return f"**{words}** {self.line(node)}" if words else self.line(node)

    def numbered(self, node: nodes.Element, kind: str, words: str) -> str:
        """`Fig. 6.1`, or nothing for what has no number."""
        number = next((n for i in node["ids"] if (n := self.builder.fignumbers.get(kind, {}).get(i))), None)
        return f"{words % '.'.join(map(str, number))}" if number else ""

    def on_Admonition(self, node: nodes.Element) -> str:
        """A note, or a theorem and its like, which have a kind and a number."""
        titled = isinstance(node[0], nodes.title)
        title = self.line(node[0]) if titled else admonitionlabels.get(node.tagname, "")
        if kind := node.get("realtype", "").title():
            title = (self.numbered(node, node["countertype"], f"{kind} %s") or kind) + title
        return quoted(f"**{title}**" if title else "", self.blocks(node[titled:]))

    on_sidebar = on_topic = on_Admonition

    def on_proof_node(self, node: nodes.Element) -> str:
        """A proof: a note in a box."""
        return self.blocks(node)

    def on_dropdown_main(self, node: nodes.Element) -> str:
        """What the page folds."""
        return quoted(self.blocks(node))

    def on_footnote(self, node: nodes.footnote) -> str:
        """A footnote, with the number that leads to it."""
        return f"<sup>{node[0].astext()}</sup> {self.blocks(node[1:])}"

    def on_table(self, node: nodes.table) -> str:
        """Rows of cells; the first row is the head."""
        if len(list(node.findall(nodes.thead))) != 1 or len(next(node.findall(nodes.thead))) != 1:
            raise self.untranslated("a table without one row as its head", "give it one")
        rows = [[self.cell(entry) for entry in row] for row in node.findall(nodes.row)]
        rows.insert(1, ["---"] * len(rows[0]))
        title = [self.write(child) for child in node.children if isinstance(child, nodes.title)]
        return "\n\n".join([*title, "\n".join(f"| {' | '.join(row)} |" for row in rows)])

    def cell(self, entry: nodes.entry) -> str:
        """One cell, in a line; a bar would end it."""
        if "morecols" in entry or "morerows" in entry:
            raise self.untranslated(f"the cell {entry.astext()!r}, which spans others", "repeat it")
        if any(not isinstance(block, nodes.paragraph) for block in entry):
            raise self.untranslated(f"a block in the cell {entry.astext()!r}", "write it in a line")
        text = self.blocks(entry).replace("\n", " ")
        text = re.sub(r"\$[^$]+\$", lambda formula: BAR.sub(bar, formula[0]), text)
        return text.replace("|", r"\|")
