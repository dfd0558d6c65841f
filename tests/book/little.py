"""A book of one page, one chapter and a package of one line, built by the real machine room."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = (
    "_config.yml",
    "conftest.py",
    "pyproject.toml",
    "requirements",
    "book/_ext",
    "book/_assets",
    "book/references.bib",
    "coursekit/plots/fonts",
)
CHAPTER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
---

# A chapter

Prose.

```{code-cell} ipython3
from pathlib import Path

with Path("../runs").open("a") as log:
    log.write("x")
```
"""


@dataclass
class Book:
    """The little book in `root`; its chapter writes an x into the file `runs` whenever it is executed."""

    root: Path

    @property
    def chapter(self) -> Path:
        """The chapter's source."""
        return self.root / "book" / "01-chapter.md"

    @property
    def runs(self) -> int:
        """How often the chapter has been executed."""
        log = self.root / "runs"
        return len(log.read_text()) if log.exists() else 0

    @property
    def page(self) -> str:
        """The built chapter."""
        return (self.root / "_build" / "html" / "01-chapter.html").read_text()

    def add_cell(self, code: str) -> None:
        """Append a code cell to the chapter."""
        self.chapter.write_text(f"{self.chapter.read_text()}\n```{{code-cell}} ipython3\n{code}\n```\n")

    def build(self) -> subprocess.CompletedProcess:
        """Build it as `make book` does."""
        names = ("--config", "_config.yml", "--toc", str(self.root / "_toc.yml"), "--path-output", ".")
        return self.python("jupyter_book.cli.main", "build", "book", *names, "-W", "-n", "--keep-going")

    def test(self, *options: str) -> subprocess.CompletedProcess:
        """Test it as `make test` does."""
        return self.python("pytest", "book", "-p", "no:cacheprovider", *options)

    def python(self, module: str, *arguments: str) -> subprocess.CompletedProcess:
        """Run a module in the book's folder, with the book's own extension."""
        code = f"import runpy, sys; sys.path.insert(0, 'book/_ext'); sys.argv[0] = '{module}'; "
        code += (
            "from jupyter_book.cli.main import main; main()"
            if "jupyter_book" in module
            else (f"runpy.run_module('{module}', run_name='__main__')")
        )
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(
            command, cwd=self.root, capture_output=True, text=True, timeout=300, check=False
        )


def make(root: Path) -> Book:
    """Lay the little book out in the empty folder `root`."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, root / name)
    (root / "coursekit" / "__init__.py").write_text("answer = 42\n")
    (root / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: 01-chapter\n")
    (root / "book" / "index.md").write_text(
        "# A little book\n\n{cite}`bishop2006pattern`\n\n```{bibliography}\n```\n"
    )
    (root / "book" / "01-chapter.md").write_text(CHAPTER)
    return Book(root)
