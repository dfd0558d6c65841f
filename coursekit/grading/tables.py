"""CSV tables that people open in a spreadsheet, and that a spreadsheet wrote."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from coursekit.files import write_atomically

FORMULA = ("=", "+", "-", "@")
BLANK = "\u115f\u1160\u2800"  # letters and signs that show nothing


class Verbatim(str):
    """A cell that is written as it is: the learning system whose field it is looks for it."""


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
    """Write a CSV file atomically, all text but `Verbatim` made harmless.

    Args:
        path: of the file.
        header: names of the columns.
        rows: the cells.
        mark: whether to add the byte order mark by which spreadsheets know UTF-8.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    write_atomically(path, text.getvalue().encode("utf-8-sig" if mark else "utf-8"))


def harmless(text: str) -> str:
    """What a student wrote, as a cell that is no formula for a spreadsheet and no command for a terminal."""
    text = "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cf"))
    # Spreadsheets, and programs that tables pass through, may drop blanks and fold wide signs.
    first = next((sign for sign in unicodedata.normalize("NFKC", text) if not _blank(sign)), "")
    return "'" + text if first in FORMULA or text.startswith(("\t", "\n")) else text


def plain(cell: str) -> str:
    """The text of a cell without the apostrophe that `harmless` put before it."""
    text = cell.removeprefix("'")
    return text if harmless(text) == cell else cell


def _blank(sign: str) -> bool:
    return sign in BLANK or unicodedata.category(sign)[0] in "ZMC"


def _cell(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) and not isinstance(value, Verbatim) else value


def number(value: float) -> str:
    """Two decimals at most: 2, 1.5, 0.67."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
