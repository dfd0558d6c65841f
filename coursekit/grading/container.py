"""Sandboxes without namespaces: another user, Landlock, the filter of system calls, and limits."""

import contextlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursekit.grading import landlock
from coursekit.grading.limits import Limits
from coursekit.grading.sandbox import WORKER, Sandbox


@dataclass(frozen=True)
class Container(Sandbox):
    """For a machine that is itself a container made for one submission, such as an autograder's.

    The worker has another user, where the grader is root. With Landlock it reads only Python and writes
    nothing; else it reads what everybody may read, and makes empty files at most. One of both is required.
    """

    name = "container"
    advice = "Where the grader is root, every user has to be able to read Python and its packages."
    folder = ""
    by_itself = True

    def command(self, limits: Limits, label: str) -> list[str]:
        """See `Sandbox`."""
        return [sys.executable, *WORKER]

    def identity(self) -> dict[str, Any]:
        """See `Sandbox`. The number differs between graders, so that their workers can't reach each other."""
        if os.getuid() != 0:
            return {}
        user = 20_000 + os.getpid() % 40_000
        return {"user": user, "group": user, "extra_groups": []}

    def missing(self) -> str:
        """See `Sandbox`."""
        if os.getuid() != 0 and not landlock.version():
            return "the grader is not root, so it can't change the user, and the kernel has no Landlock."
        return ""

    def exposed(self, paths: Iterable[Path]) -> list[Path]:
        """See `Sandbox`. Without Landlock, all that everybody may read."""
        return super().exposed(paths) if landlock.version() else [p for p in paths if _open_to_all(Path(p))]


@dataclass(frozen=True)
class Unsafe(Container):
    """The same user on the same machine: limits of time and memory, and what else this system can do."""

    name = "unsafe"
    needs_filter = False

    def identity(self) -> dict[str, Any]:
        """See `Sandbox`."""
        return {}

    def missing(self) -> str:
        """See `Sandbox`."""
        return ""


def _open_to_all(path: Path) -> bool:
    """Whether any user can read a file or folder, by its mode and those of the folders above it."""
    with contextlib.suppress(FileNotFoundError):
        above = all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)
        return above and bool(path.stat().st_mode & 0o004)
    return False
