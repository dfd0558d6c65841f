"""Copies are found whatever was renamed, and honest answers are left alone."""

import time

import pytest

from coursekit.grading.alike import alike, runs, tokens
from tests.grading.graded import EXERCISE

SCALE = "little.scale"
OWN = """
class Scale(nn.Module):
    def __init__(self, d):
        super().__init__()
        start = torch.normal(mean=0.0, std=1.0, size=(d,))
        self.register_parameter("s", nn.Parameter(start.clone()))

    def forward(self, x):
        factors = torch.stack([torch.exp(v) for v in self.s])
        scaled = torch.multiply(x, factors.reshape(1, -1))
        total = sum(float(v) * 0 + v for v in torch.log(factors.abs()))
        return scaled, total
"""
DISGUISED = (
    OWN.replace("start", "z0").replace("factors", "ff").replace("scaled", "out").replace("total", "logdet")
    .replace("    ", "  ").replace("v", "value").replace('"s"', "'s'")
    .replace("return", "# done\n\n    return")
)  # fmt: skip
OTHER = """
class Scale(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.s = torch.nn.parameter.Parameter(torch.empty(d).normal_())

    def forward(self, x):
        rows = []
        for row in x.unbind():
            rows.append(row.mul(self.s.exp()))
        return torch.vstack(rows), self.s.cumsum(0)[-1]
"""


def pairs(**answers: str) -> list[tuple[str, str]]:
    found = alike({name: {SCALE: source} for name, source in answers.items()}, EXERCISE.questions)
    return [pair.students for pair in found]


def test_a_copy_with_other_names_spaces_and_comments_is_found():
    """That is all the work that a copy takes."""
    assert pairs(ann=OWN, bo=DISGUISED, cy=OTHER) == [("ann", "bo")]


def test_a_copy_with_a_few_lines_changed_is_found():
    """Most of it is still another's."""
    changed = OWN.replace(
        "total = sum(float(v) * 0 + v for v in torch.log(factors.abs()))", "total = self.s.sum()"
    )
    assert pairs(ann=OWN, bo=changed) == [("ann", "bo")]


def test_what_the_exercise_brings_is_nobodys_own():
    """The starter, the solution and the known wrong answers may be found by everybody."""
    question = EXERCISE.questions[SCALE]
    for source in (question.starter, question.answer, question.wrong[0][1], question.right[0][1]):
        assert pairs(ann=source, bo=source) == []


def test_what_many_write_is_no_suspicion():
    """A way that half of the class finds was perhaps told in the lecture."""
    assert pairs(**{f"s{i}": OWN for i in range(12)}) == []


def test_a_group_of_copies_in_a_large_class_is_found():
    """Three among forty."""
    class_ = {f"s{i}": OTHER.replace("rows.append(row", f"rows.insert({i}, {i} + row") for i in range(37)}
    assert pairs(ann=OWN, bo=OWN, cy=DISGUISED, **class_) == [("ann", "bo"), ("ann", "cy"), ("bo", "cy")]


def test_the_pair_names_its_questions():
    """So that one knows what to open."""
    one = {SCALE: OWN, "little.square": "def mean_square(x):\n    return x"}
    (pair,) = alike({"ann": one, "bo": one}, EXERCISE.questions)
    assert pair.questions == (SCALE,)
    assert pair.share == 1.0


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1  # one", ["name", "=", "1"]),
        ("def f(a): return a.b", ["def", "name", "(", "name", ")", ":", "return", "name", ".b"]),
        ("\"a\" + '''b\n\"c'''", ["text", "+", "text"]),
        ('rb"\\"x" if y else f"{z}"', ["text", "if", "name", "else", "text"]),
        ("größe = 名", ["name", "=", "name"]),
    ],
)
def test_tokens_drop_names_texts_and_spaces(source, expected):
    """Attributes, keywords, numbers and signs are what a program is."""
    assert tokens(source) == expected


@pytest.mark.parametrize("unit", ['"', '"""', "\\", '\\"', "'''\"", '"\\', "#", "(" * 3, "x" * 50 + " "])
def test_no_text_takes_long_to_cut(unit):
    """An answer may be made to hang whoever reads it."""
    started = time.perf_counter()
    runs(unit * (10**6 // len(unit)))
    assert time.perf_counter() - started < 2
