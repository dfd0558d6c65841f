"""CSV tables that people open in a spreadsheet, and that a spreadsheet wrote."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from coursekit.files import write_atomically

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header, as dictionaries of stripped text; comma, semicolon or tab.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it is no CSV in UTF-8, has no header, or names a column twice.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not in UTF-8: save it as 'CSV UTF-8'.") from error
    csv.field_size_limit(10_000_000)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    header = [name.strip() for name in rows[0]] if rows else []
    if not any(header):
        raise ValueError(f"{path} is empty; its first line has to name the columns.")
    twice = {name for name in header if name and header.count(name) > 1}
    if twice:
        raise ValueError(f"{path} has two columns called {twice.pop()!r}.")
    filled = [row for row in rows[1:] if any(cell.strip() for cell in row)]
    return [dict(zip(header, [cell.strip() for cell in row], strict=False)) for row in filled]


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], mark: bool = True) -> None:
    """Write a CSV file atomically; `mark` adds the byte order mark by which spreadsheets know UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode("utf-8-sig" if mark else "utf-8"))


def harmless(text: str) -> str:
    """What a student wrote, as a cell that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(FORMULA) else text


def number(value: float) -> str:
    """Two decimals at most: 2, 1.5, 0.67."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
