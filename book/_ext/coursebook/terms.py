"""The general index: where each word of the glossary is explained, and each name of the package."""

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from coursebook.search import HAN


class IndexFirstUses(SphinxTransform):
    """Where a chapter first links to a term, the index gets an entry, as if `{index}` stood there."""

    default_priority = 500  # before the domains collect the entries

    def apply(self, **options: Any) -> None:
        """Put an entry in front of each term's first link, and its anchor around it."""
        seen = set()
        for link in list(self.document.findall(addnodes.pending_xref)):
            name = link["reftarget"]
            if link.get("reftype") != "term" or name in seen:
                continue
            seen.add(name)
            anchor = "use-" + nodes.make_id(name)
            entry = addnodes.index(entries=[("single", name, anchor, "", None)])
            place = nodes.inline("", "", ids=[anchor])  # holds the word: the search quotes what it leads to
            link.replace_self([entry, place])
            place += link


def page_label(address: str) -> str:
    """What a link in the index is called: 03-vae.html#use-elbo is in chapter 3."""
    page = address.partition("#")[0]
    number = re.match(r"(\d\d)-", page)
    return f"chapter {int(number[1])}" if number else page.removesuffix(".html").partition("/")[0]


def arrange(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give the index page names for its links, and one part for all Chinese words."""
    if template != "genindex.html":
        return
    context["page_label"] = page_label
    parts, chinese = [], []
    for key, entries in context["genindexentries"]:
        if re.match(rf"[{HAN}]", key):
            chinese += entries
        else:
            parts.append((key, entries))
    context["genindexentries"] = [*parts, ("中文", chinese)] if chinese else parts
