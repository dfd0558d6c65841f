"""The package's docstrings are plain text with formulas; make them safe to read as reStructuredText."""

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

MARKUP = re.compile(r"(``.*?``|`[^`]*`|:[a-z]+ [^:]*:|\\.)|([*|])|(?<=\w)(_)(?=\W|$)")
ENUMERATOR = re.compile(r"^(\s*:\w+ [^:]+: )(?=(?:[A-Za-z]|\d+)[.)](?:\s|$))")
OPENING = re.compile(r"(?!\s*(?::|\.\.)).*\w.*:$")
FIELD = re.compile(r"Alias for field number \d+")
SEVERAL = re.compile(r"^(\s*:\w+ )(\w+(?:, \w+)+):")


def escape(line: str) -> str:
    """Escape what reStructuredText would take for markup: `(B, *)`, `p(x | z)`, `x_`, and `steps: T.`"""
    line = SEVERAL.sub(lambda match: f"{match[1]}{match[2].replace(', ', ',')}:", line)
    line = MARKUP.sub(lambda match: match[1] or "\\" + (match[2] or match[3]), line)
    return ENUMERATOR.sub(r"\1\\", line)


def escape_docstring(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Apply `escape` in place, after napoleon has read the sections; a field has its type alone."""
    lines[:] = [text for text in blocks(lines) if not FIELD.match(text)]


def blocks(lines: list[str]) -> Iterator[str]:
    """The lines, escaped; what stands indented below a colon is code or a formula, and stays as it is."""
    margin = None
    for i, line in enumerate(lines):
        own = indent(line)
        if margin is not None and (not line or own > margin):
            yield line
            continue
        below = next((other for other in lines[i + 1 :] if other), "")
        opens = OPENING.match(line) and lines[i + 1 : i + 2] == [""] and indent(below) > own
        margin = own if opens else None
        yield escape(line) + ":" * bool(opens)


def indent(line: str) -> int:
    """How far from the left a line begins."""
    return len(line) - len(line.lstrip())


def readable_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Defaults that are made anew, or are functions, can be parsed; a protocol is not called."""
    if getattr(obj, "_is_protocol", False):
        return "", None
    return signature and re.sub(r"<(?:function )?(\w+)[^>]*>", r"\1", signature), returns


def space_names(app: Sphinx, doctree: nodes.document) -> None:
    """Names of one line stand apart, `loc, scale`; Sphinx reads them without spaces, and shows them so."""
    for comma in list(doctree.findall(addnodes.literal_strong)):
        if comma.astext() == ",":
            comma.replace_self(nodes.Text(", "))


def show_unlinked(
    app: Sphinx, env: BuildEnvironment, node: nodes.Element, contnode: nodes.Node
) -> nodes.Node | None:
    """Show types of other libraries, and those of modules that have no page, without a link.

    A wrong name in a documented module of ours is still an error.
    """
    if node.get("refdomain") != "py":
        return None
    module = node["reftarget"].rpartition(".")[0]
    ours = module.startswith("coursekit") and module in env.get_domain("py").data["modules"]
    return None if ours or (not module and node["reftarget"] not in BARE) else contnode


BARE = {"None", "Path", "Tensor", "optional"}
