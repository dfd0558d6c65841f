"""Which labelled equation of the book is checked by which test."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
Test = TypeVar("Test", bound=Callable[..., None])

DOLLARS = re.compile(r"\$\$\s*\(([\w:.-]+)\)\s*$", re.M)
DIRECTIVE = re.compile(r"^[`:]{3,}\{math\}.*?\n(.*?)^[`:]{3,}\s*$", re.M | re.S)
OPTION = re.compile(r"^:label:\s*([\w:.-]+)\s*$", re.M)


def checks(*labels: str) -> Callable[[Test], Test]:
    """Mark a test as the check of the equations with these labels: `@checks("elbo-gap")`."""
    if not labels or not all(isinstance(label, str) for label in labels):
        raise TypeError(f"checks() takes the labels of equations, as strings, not {labels!r}.")

    def mark(test: Test) -> Test:
        test.equation_labels = labels
        return test

    return mark


def labels_in(text: str) -> list[str]:
    """Labels of a chapter's equations, in order: `$$ ... $$ (label)` and the math directive's `:label:`."""
    found = [(m.start(), m[1]) for m in DOLLARS.finditer(text)]
    for block in DIRECTIVE.finditer(text):
        found += [(block.start(), m[1]) for m in OPTION.finditer(block[1])]
    return [label for _, label in sorted(found)]


def checked_labels(folder: Path = ROOT / "tests" / "equations") -> set[str]:
    """Labels that stand in a `@checks(...)` above a test, read from the sources without importing them."""
    found: set[str] = set()
    for path in folder.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.update(label for decorator in node.decorator_list for label in labels_of(decorator))
    return found


def labels_of(decorator: ast.expr) -> list[str]:
    """The labels of one `checks("a", "b")`; none of any other decorator."""
    if (
        not isinstance(decorator, ast.Call)
        or not isinstance(decorator.func, ast.Name)
        or decorator.func.id != "checks"
    ):
        return []
    return [argument.value for argument in decorator.args if isinstance(argument, ast.Constant)]
