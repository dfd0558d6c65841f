"""Reading what a student handed in: text comes back, or a named reason, in bounded time and memory."""

import json
import tracemalloc

import pytest

from coursekit.grading.notebook import (
    MAX_BYTES,
    MAX_CELLS,
    MAX_CHARACTERS,
    MAX_PARTS,
    Unreadable,
    read_cells,
)


def notebook(*cells: dict, **rest) -> bytes:
    return json.dumps({"cells": list(cells), "nbformat": 4, "nbformat_minor": 5, **rest}).encode()


def code(source) -> dict:
    return {"cell_type": "code", "source": source, "outputs": [], "metadata": {}}


def test_sources_come_back_in_order_with_their_type():
    """A source is one string or a list of lines: both are in use."""
    cells = read_cells(notebook(code(["a = 1\n", "b = 2"]), {"cell_type": "markdown", "source": "# T"}))
    assert cells == [("code", "a = 1\nb = 2"), ("markdown", "# T")]


def test_an_old_notebook_keeps_its_cells_in_worksheets():
    """Format 3 calls a source `input`."""
    old = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}]}
    assert read_cells(json.dumps(old).encode()) == [("code", "x = 1")]


def test_outputs_and_metadata_do_not_matter():
    """Pictures make notebooks large, and Colab rewrites the metadata."""
    cell = code("x") | {"outputs": [{"data": {"image/png": "A" * (MAX_CHARACTERS + 1)}}], "metadata": None}
    assert read_cells(notebook(cell)) == [("code", "x")]


def test_text_that_no_file_could_hold_is_mended():
    """A lone surrogate is legal JSON; written to a report it would raise."""
    ((_, source),) = read_cells(b'{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}')
    assert source == "x = '?'"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a notebook"),
        (b"%PDF-1.7", "not a notebook"),
        (b"\xff\xfe\x00", "not a notebook"),
        (b"[" * 900_000, "not a notebook"),
        (b'{"cells": ' * 900_000, "not a notebook"),
        (b"[]", "not a notebook"),
        (b"null", "not a notebook"),
        (b'{"cells": 7}', "not a notebook"),
        (b'{"worksheets": 7}', "not a notebook"),
        (b'{"worksheets": []}', "not a notebook"),
        (b" " * (MAX_BYTES + 1), "too large"),
        (notebook(*[{}] * (MAX_CELLS + 1)), "too large"),
        (notebook(code("x" * (MAX_CHARACTERS + 1))), "too large"),
    ],
)
def test_what_is_no_notebook_has_a_named_reason(content, reason):
    """Deep nesting, wrong types and floods are named, never raised as something else."""
    with pytest.raises(Unreadable) as caught:
        read_cells(content)
    assert caught.value.reason == reason


def peak(content: bytes) -> int:
    """Bytes that reading takes beside the content; whether it is refused does not matter."""
    tracemalloc.start()
    try:
        read_cells(content)
    except Unreadable:
        pass
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return most


@pytest.mark.parametrize("part", [b"[],", b"{},", b"0,", b'"ab",', b"[[],", b'{"":'])
def test_a_flood_of_small_values_is_refused_before_they_are_built(part):
    """Each takes thirty times as much memory as in the file, and graders run side by side."""
    flood = part * (MAX_BYTES // len(part) - 10)
    assert peak(b'{"cells":[' + flood) < 1_000_000


@pytest.mark.parametrize("part", [b"[],", b'{"a":1},', b'{"a":{}},', b'{"a":[1]},', b"1.5,"])
def test_the_largest_notebook_that_is_read_takes_bounded_memory(part):
    """A hundred bytes for each value."""
    signs = sum(part.count(sign) for sign in b"[{,")
    content = b'{"cells":[],"more":[' + part * (MAX_PARTS // signs - 5) + b"0]}"
    assert read_cells(content) == []
    assert peak(content) < 150_000_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b" " * (MAX_BYTES + 1), f"at most {MAX_BYTES} are read: clear the outputs"),
        (b"[" * (MAX_PARTS + 1), f"at most {MAX_PARTS} are read: clear the outputs"),
    ],
)
def test_a_student_reads_what_makes_a_notebook_smaller(content, words):
    """The limit, and what to do."""
    with pytest.raises(Unreadable, match=words):
        read_cells(content)


@pytest.mark.parametrize("cell", [3, None, {"source": 3}, {"cell_type": "code", "source": [1, "x"]}])
def test_a_broken_cell_does_not_spoil_the_others(cell):
    """One bad cell costs at most itself."""
    assert ("code", "y = 1") in read_cells(notebook(cell, code("y = 1")))
