"""Write the chapters as notebooks that read well where MyST is not known: Colab, JupyterLab, a file viewer.

Roles become words and links, labelled equations carry their number, notes become quotations; a cell at the
top installs the package where it is missing. What has no translation is an error: nothing arrives raw.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from pybtex.database import Entry, parse_file

from coursebook.cache import ROOT

ROLE = re.compile(r"\{([a-z:]+)\}`([^`]+)`")
TITLED = re.compile(r"^(.*?)\s*<([^>]+)>$", re.S)
LABEL = re.compile(r"^\(([\w.-]+)\)=\n+(?:#+ (.*)\n)?", re.M)
EQUATION = re.compile(r"\$\$((?:(?!\$\$).)+?)\$\$\s*\(([\w:.-]+)\)", re.S)
BLOCK = re.compile(r"^(:{3,}|`{3,})\{([\w-]+)\}[ ]*(.*)\n((?:.*\n)*?)\1[ ]*$", re.M)
OPTION = re.compile(r"^:([\w-]+):[ ]*(.*)\n", re.M)
NOTES = ("admonition", "note", "tip", "important", "warning", "seealso", "dropdown")
INSTALL = """try:
    import coursekit
except ModuleNotFoundError:
    %pip install -q git+{repository}"""


@dataclass
class Index:
    """What a role can point to: titles of pages and sections, numbers of equations, works cited."""

    repository: str
    site: str
    sections: dict[str, tuple[str, str]] = field(default_factory=dict)
    equations: dict[str, tuple[str, str]] = field(default_factory=dict)
    works: dict[str, Entry] = field(default_factory=dict)

    def link(self, words: str, page: str, anchor: str = "") -> str:
        """A link into the book."""
        return f"[{words}]({self.site}{page}.html{'#' if anchor else ''}{anchor})"


def read_index(root: Path = ROOT) -> Index:
    """Scan the book's sources."""
    config = yaml.safe_load((root / "_config.yml").read_text())
    index = Index(config["repository"]["url"], config["html"]["baseurl"])
    index.works.update(parse_file(root / "book" / "references.bib").entries)
    for path in sorted((root / "book").rglob("*.md")):
        page, text = path.relative_to(root / "book").with_suffix("").as_posix(), path.read_text()
        title = re.search(r"^# (.*)$", text, re.M)
        index.sections[page] = (title[1] if title else page, page)
        index.sections.update({m[1]: (m[2] or m[1], page) for m in LABEL.finditer(text)})
        for count, match in enumerate(EQUATION.finditer(text), 1):
            index.equations[match[2]] = (
                f"{int(page[:2])}.{count}" if page[:2].isdigit() else str(count),
                page,
            )
    for path in sorted((root / "exercises").glob("*.ipynb")):
        title = re.search(r"^# (.*)$", nbformat.read(path, as_version=4).cells[0].source, re.M)
        index.sections[f"exercises/{path.stem}"] = (title[1], f"exercises/{path.stem}")
    return index


def cited(entry: Entry, textual: bool) -> str:
    """Kingma and Welling (2014), or in brackets, linked to the work where it has an address."""
    names = [" ".join(person.last_names).strip("{}") for person in entry.persons.get("author", [])]
    who = names[0] if len(names) == 1 else " and ".join(names) if len(names) == 2 else f"{names[0]} et al."
    fields = entry.fields
    address = fields.get("url") or (f"https://doi.org/{fields['doi']}" if "doi" in fields else "")
    words = f"{who} ({fields['year']})" if textual else f"{who}, {fields['year']}"
    words = f"[{words}]({address})" if address else words
    return words if textual else f"({words})"


def role(index: Index, page: str) -> Callable[[re.Match], str]:
    """What stands in place of `{name}`text``."""

    def replace(match: re.Match) -> str:
        name, text = match[1], match[2]
        titled = TITLED.match(text)
        words, target = (titled[1], titled[2]) if titled else (None, text)
        if name in ("cite", "cite:p", "cite:t"):
            return "; ".join(cited(index.works[key.strip()], name == "cite:t") for key in target.split(","))
        if name == "eq":
            number, where = index.equations[target]
            return f"({number})" if where == page else index.link(f"({number})", where, f"equation-{target}")
        if name in ("ref", "numref", "doc"):
            title, where = index.sections[target.removeprefix("/")]
            return index.link(words or title, where, "" if name == "doc" else target)
        if name == "term":
            return index.link(words or text, "glossary", f"term-{re.sub(r'[^A-Za-z0-9]+', '-', target)}")
        if name.startswith("py:"):
            return f"`{(words or text).lstrip('~').rpartition('.')[2]}`"
        raise ValueError(
            f"{page}: the role {{{name}}} has no translation for notebooks; add one to {__name__}."
        )

    return replace


def block(index: Index, page: str) -> Callable[[re.Match], str]:
    """What stands in place of a directive."""

    def replace(match: re.Match) -> str:
        name, argument, body = match[2], match[3].strip(), match[4]
        options = dict(OPTION.findall(body))
        body = OPTION.sub("", body).strip()
        if name in NOTES:
            lines = [f"**{argument or name.capitalize()}**", "", *body.splitlines()]
            return "\n".join(f"> {line}".rstrip() for line in lines)
        if name in ("figure", "image"):
            return f"![{options.get('alt', '')}]({index.site}_images/{Path(argument).name})\n\n{body}".strip()
        if name == "math":
            return f"$$\n{body}\n$$" + (f" ({options['label']})" if "label" in options else "")
        if name == "bibliography":
            return ""
        raise ValueError(
            f"{page}: the directive {{{name}}} has no translation for notebooks; add one to {__name__}."
        )

    return replace


def translate(text: str, index: Index, page: str) -> str:
    """Plain Markdown with formulas, from MyST."""
    text = BLOCK.sub(block(index, page), text + "\n").rstrip("\n")
    text = re.sub(r"^\([\w.-]+\)=\n", "", text, flags=re.M)
    text = EQUATION.sub(lambda m: f"$${m[1].rstrip()} \\tag{{{index.equations[m[2]][0]}}}$$", text)
    return ROLE.sub(role(index, page), text)


def convert(path: Path, index: Index) -> NotebookNode:
    """The chapter as a notebook, without outputs."""
    notebook, page = jupytext.read(path), path.stem
    cells = [cell for cell in notebook.cells if cell.source.strip()]
    about = f"A chapter of {index.link('Deep Generative Models', page)}. Run the cells from top to bottom."
    cells.insert(1, new_markdown_cell(about))
    cells.insert(2, new_code_cell(INSTALL.format(repository=index.repository)))
    for number, cell in enumerate(cells):
        cell.id, cell.metadata = f"cell-{number}", {}
        if cell.cell_type == "markdown":
            cell.source = translate(cell.source, index, page)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


def main(folder: Path) -> None:
    """Write all chapters into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    index = read_index()
    for path in sorted((ROOT / "book").glob("[0-9][0-9]-*.md")):
        nbformat.write(convert(path, index), folder / f"{path.stem}.ipynb")
        print(folder / f"{path.stem}.ipynb")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
