"""Submissions as students and learning systems make them."""

import io
import json
import zipfile
from pathlib import Path


def notebook(*sources: str | list[str]) -> bytes:
    """A notebook of code cells; a source in a list is a text cell."""
    cells = [
        {"cell_type": "markdown" if isinstance(source, list) else "code", "source": source}
        for source in sources
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def zipped(members: dict[str, bytes], **options) -> bytes:
    """The bytes of a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def put(folder: Path, members: dict[str, bytes]) -> Path:
    """Write files below a folder; returns it."""
    for name, content in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
