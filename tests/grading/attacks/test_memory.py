"""What answers return takes little of the grader's memory, however much they return."""

import tracemalloc

import numpy as np
import pytest

from coursekit.grading.exercise import read
from coursekit.grading.grade import Grader
from coursekit.grading.limits import MEBIBYTE
from coursekit.grading.room import Room, weight
from tests.grading.attacks.attack import HONEST, MASTER, code
from tests.grading.boxes import SMALL, bubblewrap

VALUES = {
    "arrays": "np.ones(1_900_000)",
    "texts": "chr(0x1F600) + 'a' * 8_000_000",
    "texts too large": "chr(0x1F600) + 'a' * 16_000_000",
    "lists of texts": "[chr(0x1F600) + 'a' * 50_000] * 150",
}


@pytest.fixture(scope="module")
def grader():
    """A grader of the small master."""
    with Grader(read(MASTER), bubblewrap(), SMALL) as grader:
        yield grader


@pytest.mark.parametrize("name", VALUES)
def test_twelve_large_values_are_not_kept(grader, name):
    heads = [source.split("\n", 1)[0] for source in HONEST.values()]
    bodies = [
        "def mean_square(x):\n    ",
        "class Scale:\n    def __call__(self, x):\n        ",
        "def root(x):\n    ",
    ]
    cells = code(f"{head}\n{body}return {VALUES[name]}" for head, body in zip(heads, bodies, strict=True))
    tracemalloc.start()
    result = grader.grade(cells, 5)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result["score"] == 0.0
    assert most < 150 * MEBIBYTE


def test_likeness_is_still_found_where_values_are_small(grader):
    wrong = "# exercise: rows.mean\ndef mean_square(x):\n    return (x * x).sum(0)"
    result = grader.grade(code((HONEST | {"rows.mean": wrong}).values()), 5)
    assert result["questions"]["rows.mean"]["like"] == "the sum in place of the mean"


def test_room_is_taken_by_what_is_in_a_value():
    assert weight({"a" * 1000: [np.ones(1000), "a" * 1000]}) > 8000 + 2 * 4000
    room = Room(10_000)
    assert room.holds(np.ones(1000))
    assert not room.holds(np.ones(1000))
    assert not room.holds(None)
