"""The package's docstrings are plain text with formulas; make them safe to read as reStructuredText."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

MARKUP = re.compile(r"(``.*?``|`[^`]*`|:[a-z]+ [^:]*:|\\.)|([*|])|(?<=\w)(_)(?=\W|$)")
SEVERAL = re.compile(r"^(\s*:\w+ )(\w+(?:, \w+)+):")


def escape(line: str) -> str:
    """Escape what reStructuredText would take for markup: `(B, *)`, `p(x | z)`, `x_`."""
    line = SEVERAL.sub(lambda match: f"{match[1]}{match[2].replace(', ', ',')}:", line)
    return MARKUP.sub(lambda match: match[1] or "\\" + (match[2] or match[3]), line)


def escape_docstring(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Apply `escape` to all lines in place, after napoleon has read the sections."""
    lines[:] = [escape(line) for line in lines]


def readable_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Defaults that are made anew, or are functions, in a form that can be parsed."""
    return signature and re.sub(r"<(?:function )?(\w+)[^>]*>", r"\1", signature), returns


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
