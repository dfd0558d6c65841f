"""Who may import whom. The package stays readable because each part knows only those below it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "coursekit"

BELOW = {
    "files",
    "protocols",
    "ops",
    "nets",
    "models",
    "train",
    "metrics",
    "data",
    "plots",
    "widgets",
    "tasks",
    "recipes",
}
ALLOWED = {
    "__init__": set(),
    "files": set(),
    "protocols": set(),
    "ops": set(),
    "nets": {"protocols", "ops"},
    "models": {"protocols", "ops", "nets"},
    "train": {"files", "protocols", "ops"},
    "metrics": {"protocols", "ops"},
    "data": set(),
    "plots": set(),
    "widgets": {"plots"},
    "tasks": {"protocols", "ops", "nets", "models"},
    "recipes": {"files", "protocols", "ops", "nets", "models", "data", "train"},
    "terminal": set(),
    "judge": BELOW,
    "grading": {*BELOW, "terminal"},
    "cli": {*BELOW, "judge", "grading", "terminal"},
}
SIBLINGS = {("diffusion", "vae")}  # latent diffusion lives on a VAE's codes
EXCEPTIONS = {("recipes", "restoration"): ("tasks", "operators")}  # its data are measurements


def imports(path: Path) -> set[tuple[str, ...]]:
    """The modules of coursekit which a file imports, as tuples without the leading "coursekit"."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {tuple(alias.name.split(".")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the module's full name"
            base = tuple(node.module.split("."))
            bare = base in {("coursekit",), ("coursekit", "models")}
            found |= {(*base, alias.name) for alias in node.names} if bare else {base}
    return {name[1:] for name in found if name[0] == "coursekit" and len(name) > 1}


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_file_imports_only_what_lies_below_it(path):
    part = path.relative_to(PACKAGE).with_suffix("").parts
    for name in imports(path):
        if name[0] == "__version__":
            continue
        allowed = name[0] == part[0] or name[0] in ALLOWED[part[0]] or name[:2] == EXCEPTIONS.get(part)
        assert allowed, f"{'.'.join(part)} imports {'.'.join(name)}"
        if part[0] == name[0] == "models" and len(part) > 2 and len(name) > 1:
            assert name[1] == part[1] or (part[1], name[1]) in SIBLINGS, f"family {part[1]} imports {name[1]}"


def test_every_part_of_the_package_has_a_rule():
    parts = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in FILES}
    assert parts <= set(ALLOWED)


def test_importing_the_package_defines_names_and_does_nothing_else():
    """A fresh interpreter: no library for drawing or data is loaded, no thread count or seed is changed."""
    code = """
import sys, torch
state, threads = torch.get_rng_state(), torch.get_num_threads()
import coursekit
heavy = {"matplotlib", "sklearn", "torchvision", "accelerate", "ipywidgets", "IPython", "huggingface_hub"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert torch.equal(state, torch.get_rng_state()) and threads == torch.get_num_threads()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
