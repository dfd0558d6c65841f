"""Exercises: built from one master each, checked in the notebook, graded in a sandbox."""

from typing import Any

__all__ = ["Sheet"]


def __getattr__(name: str) -> Any:
    """`Sheet`, loaded when it is first asked for: graders import this package and need none of it."""
    if name == "Sheet":
        from coursekit.grading.sheet import Sheet

        return Sheet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
