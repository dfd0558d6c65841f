"""A student's notebook, read as text only: a list of cells, within limits; nothing of it is run."""

import json
from typing import Any

MAX_BYTES = 10_000_000
MAX_PARTS = (
    1_000_000  # brackets, braces and commas: as many values at most, of about 100 bytes in memory each
)
LESS = "clear the outputs and hand in again"
MAX_CELLS = 5_000
MAX_CHARACTERS = 2_000_000  # of all cells together; outputs, which hold the pictures, are not read


class Unreadable(ValueError):
    """Why a submission can't be read.

    Args:
        reason: a short name, such as "too large"; it stands in the gradebook.
        text: what was found and what was expected.
    """

    def __init__(self, reason: str, text: str):
        super().__init__(f"{reason}: {text}")
        self.reason, self.text = reason, text


def read_cells(content: bytes) -> list[tuple[str, str]]:
    """(cell type, source) of every cell of a notebook file, in order.

    Raises:
        Unreadable: "too large", or "not a notebook".
    """
    if len(content) > MAX_BYTES:
        raise Unreadable("too large", f"{len(content)} bytes, at most {MAX_BYTES} are read: {LESS}.")
    parts = sum(content.count(sign) for sign in (b"[", b"{", b","))
    if parts > MAX_PARTS:
        text = f"{parts} brackets, braces and commas, at most {MAX_PARTS} are read: {LESS}."
        raise Unreadable("too large", text)
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError, MemoryError) as error:
        kind = type(error).__name__
        raise Unreadable("not a notebook", f"it is not readable as JSON ({kind}).") from error
    cells = [(_type(cell), _source(cell)) for cell in _cells(notebook)]
    length = sum(len(source) for _, source in cells)
    if length > MAX_CHARACTERS:
        raise Unreadable("too large", f"{length} characters in its cells, at most {MAX_CHARACTERS} are read.")
    return cells


def _cells(notebook: Any) -> list[dict[str, Any]]:
    """The cells of format 4, or of format 3, which keeps them in worksheets."""
    found = notebook.get("cells") if isinstance(notebook, dict) else None
    if found is None and isinstance(notebook, dict):
        sheets = notebook.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else []
        parts = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        found = [cell for part in parts if isinstance(part, list) for cell in part] if sheets else None
    if not isinstance(found, list):
        raise Unreadable("not a notebook", "the JSON holds no list of cells.")
    if len(found) > MAX_CELLS:
        raise Unreadable("too large", f"{len(found)} cells, at most {MAX_CELLS} are read.")
    return [cell for cell in found if isinstance(cell, dict)]


def _type(cell: dict[str, Any]) -> str:
    return "code" if cell.get("cell_type") == "code" else "markdown"


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return ""
    return printable(source)


def printable(text: str) -> str:
    """The text without half characters (lone surrogates), which no file could hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
