"""Names that a figure reads and a later cell gives anew.

A live figure draws again whenever a control is moved, also when the page has run to its end: what it reads
must be then what it was where the figure stands.
"""

import ast
import symtable
from collections.abc import Iterable, Iterator


def read(table: symtable.SymbolTable) -> set[str]:
    """The names that code takes from the page, its inner functions included."""
    inner = table.get_type() != "module"
    own = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (s.is_global() or not inner)}
    return own.union(*(read(child) for child in table.get_children()))


def figures(source: str) -> Iterator[tuple[str, set[str]]]:
    """Title (or function) of each figure of a cell, and the names that its functions take from the page."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("explore"):
            keywords = {keyword.arg: keyword.value for keyword in node.keywords}
            parts = [node.args[0], keywords.get("caption", ast.Constant(None))]
            names = [read(symtable.symtable(ast.unparse(part), "figure", "eval")) for part in parts]
            yield ast.unparse(keywords.get("title", node.args[0])), set.union(*names)


def reached(names: Iterable[str], functions: dict[str, set[str]]) -> set[str]:
    """The names, and those that the functions among them read, and so on."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += functions.get(name, ())
    return found


def stale(sources: list[str]) -> list[str]:
    """A message for every figure of a page that reads what a later of these cells gives anew."""
    tables = [symtable.symtable(source, "cell", "exec") for source in sources]
    given = [{s.get_name() for s in t.get_symbols() if s.is_assigned() or s.is_namespace()} for t in tables]
    functions: dict[str, set[str]] = {}
    messages = []
    for number, (source, table) in enumerate(zip(sources, tables, strict=True)):
        functions |= {child.get_name(): read(child) for child in table.get_children()}
        later = set().union(*given[number + 1 :])
        for title, names in figures(source):
            again = ", ".join(sorted(reached(names, functions) & later))
            if again:
                messages.append(
                    f"the figure {title} reads {again}, which a later cell gives anew; rename one of them, "
                    "or who runs the page and then moves a control sees something else"
                )
    return messages
