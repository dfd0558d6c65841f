"""Whether answers leave each other alone, as far as their source shows.

Where they do, trying one without the others can tell nothing new. What looks harmless and is not costs
its own author points at most, so this need not withstand tricks; what looks unusual counts as not apart.
"""

import ast
from collections.abc import Iterator

USUAL = {"collections", "dataclasses", "einops", "functools", "itertools", "math", "numpy", "scipy", "time"}
USUAL |= {"torch", "typing"}
REACHING = {"setattr", "delattr", "exec", "eval", "globals", "vars", "getattr", "compile"}
SETTERS = ("set", "use_", "simplefilter", "filterwarnings", "__")


def apart(cells: list[tuple[str, str]], prelude: str) -> bool:
    """Whether no answer can change what another does.

    So it is if cells only define things, no name has two owners, and nothing reaches out of a cell: assigns
    to a global, an attribute or an item of one, calls a method of one, or calls a setter of a library.

    Args:
        cells: (key, source) of the answers; a cell that is no Python never runs and changes nothing.
        prelude: source of what runs before them.
    """
    trees = [(key, tree) for key, source in cells if (tree := _parse(source)) is not None]
    owners: dict[str, set[str]] = {}
    for key, tree in [("", ast.parse(prelude)), *trees]:
        for name, what in _bound(tree):
            owners.setdefault(name, set()).add(what or f"of {key}")
    values = {name for name, found in owners.items() if any(what.startswith("of ") for what in found)}
    return (
        all(len(found) == 1 for found in owners.values())
        and not any(_unusual(node) for _, tree in trees for node in tree.body)
        and not any(_reaches_out(tree, values, set(owners)) for _, tree in trees)
    )


def _parse(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _bound(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that a cell binds outside of functions, each with what is imported under it, else ""."""
    nodes = list(tree.body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, ""
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                yield name, f"{getattr(node, 'module', None)} {alias.name}"
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, ""
        else:
            nodes += ast.iter_child_nodes(node)


def _unusual(node: ast.stmt) -> bool:
    """Whether a statement is no definition, import of a usual module, assignment to names, or text."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        return not {name.partition(".")[0] for name in names} <= USUAL
    if isinstance(node, ast.Assign):
        return not all(isinstance(target, ast.Name) for target in node.targets)
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    return not isinstance(node, ast.FunctionDef | ast.ClassDef)


def _reaches_out(tree: ast.Module, values: set[str], known: set[str]) -> bool:
    """Whether any part of a cell could change a global value, a module, or another answer."""
    nodes = list(ast.walk(tree))
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return any(_changes(node, own - known, values) for node in nodes)


def _changes(node: ast.AST, own: set[str], values: set[str]) -> bool:
    if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        return _root(node) not in own
    if not isinstance(node, ast.Call):
        return isinstance(node, ast.Global)
    if isinstance(node.func, ast.Name):
        return node.func.id in REACHING
    if not isinstance(node.func, ast.Attribute) or node.func.attr == "__init__":
        return False
    return node.func.attr.startswith(SETTERS) or _root(node.func) in values


def _root(node: ast.AST) -> str:
    """The name at the left end of a.b[c].d; "" if there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
