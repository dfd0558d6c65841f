"""What came is held against what was expected, and the difference is named."""

import math

import numpy as np
import pytest
import torch
from torch import tensor

from coursekit.grading.compare import NoValue, Outcome, Problem, compare, outcomes

ROWS = torch.arange(6.0).reshape(3, 2)
EQUAL = [
    (1.5, 1.5),
    (1.50001, 1.5),
    (3, 3),
    (3.0, 3),
    (tensor(1.5), 1.5),
    (np.float32(1.5), 1.5),
    (True, True),
    (tensor(True), True),
    ("vae", "vae"),
    (None, None),
    (math.nan, math.nan),
    (-math.inf, -math.inf),
    (ROWS, ROWS * (1 + 5e-5)),
    (ROWS.double(), ROWS.double() * (1 + 1e-8)),
    (ROWS.bfloat16(), ROWS.bfloat16()),
    (ROWS.clone().requires_grad_(), ROWS),
    (ROWS.detach().numpy(), ROWS.detach().numpy()),
    (tensor([1, 2], dtype=torch.int32), tensor([1, 2])),
    (tensor([math.nan, -math.inf]), tensor([math.nan, -math.inf])),
    (tensor([1 + 2j]), tensor([1 + 2j])),
    ([ROWS, 1.0], (ROWS, 1.0)),
    ({"loss": 1.0, "z": [ROWS]}, {"loss": 1.0, "z": [ROWS]}),
    (tensor([]), tensor([])),
    (np.array(["a", "b"]), np.array(["a", "b"])),
]
DIFFERENT = [
    (None, 1.0, "type", "None came, the number 1 was expected. Is there a return?"),
    ("1.0", 1.0, "type", "a text came"),
    (True, 1.0, "type", "the bool True came"),
    (1.0, True, "type", "the bool True was expected"),
    (ROWS.numpy(force=True), ROWS, "type", "an array of shape (3, 2) came, a tensor of shape (3, 2)"),
    (1.0, ROWS, "type", "the number 1 came, a tensor of shape (3, 2)"),
    (object(), 1.0, "type", "an object of type object came"),
    (ROWS[:, 0], ROWS, "shape", "shape (3,) came, (3, 2) was expected"),
    ((1.0, 2.0), (1.0, 2.0, 3.0), "shape", "2 items came, 3 were expected"),
    (ROWS.double(), ROWS, "dtype", "float64 came, float32 was expected"),
    (ROWS.long(), ROWS, "dtype", "int64 came, float32 was expected"),
    (ROWS.to("meta"), ROWS, "device", "a tensor on meta came, one on cpu was expected"),
    (ROWS * math.nan, ROWS, "nan", "no number came at 6 of 6 places, first at [0, 0]: nan came, 0 was"),
    (ROWS / 0, ROWS, "nan", "no number came at 6 of 6 places, first at [0, 0]: nan came, 0 was"),
    (
        tensor([1.0, math.inf]),
        tensor([1.0, 2.0]),
        "nan",
        "no number came at 1 of 2 places, first at [1]: inf came, 2 was",
    ),
    (math.nan, 1.0, "nan", "nan came, 1 was expected"),
    (1.0, math.nan, "value", "1 came, nan was expected"),
    (1.0, math.inf, "value", "1 came, inf was expected"),
    (tensor(1.0).double() + 1e-6, tensor(1.0).double(), "value", "1.000001 came, 1 was expected"),
    (-0.0, 1.0, "value", "0 came, 1 was expected"),
    (tensor(math.nan), tensor(1.0), "nan", "nan came, 1 was expected"),
    (-math.inf, math.inf, "value", "-inf came, inf was expected"),
    (
        torch.ones(2),
        torch.tensor([1.0, math.inf]),
        "value",
        "1 of 2 numbers differ, most at [1]: 1 came, inf was expected (difference inf)",
    ),
    (10**400, 1.0, "nan", "was expected"),
    (1.001, 1.0, "value", "1.001 came, 1 was expected (difference 0.001)"),
    (1_000_001, 1_000_000, "value", "difference 1"),
    (
        tensor([1, 3]),
        tensor([1, 2]),
        "value",
        "1 of 2 numbers differ, most at [1]: 3 came, 2",
    ),
    (tensor([True, True]), tensor([True, False]), "value", "1 of 2 numbers differ"),
    (ROWS + 1e-3 * ROWS, ROWS, "value", "at [2, 1]: 5.005 came, 5 was expected"),
    (ROWS.double() + 1e-6, ROWS.double(), "value", "(difference 1e-06)"),
    (tensor([1.0, -math.inf]), tensor([1.0, math.inf]), "value", "-inf came, inf was expected"),
    ("gan", "vae", "value", "'gan' came, 'vae' was expected"),
    ((1.0, ROWS + 1), (1.0, ROWS), "value", "item 1: 6 of 6 numbers differ"),
    ({"a": 1}, {"b": 1}, "value", "the keys ['a'] came, ['b'] were expected"),
    (np.array(["a"]), np.array(["b"]), "value", "The values differ"),
    (tensor([2**62 + 1]), tensor([2**62]), "value", "4611686018427387905 came, 4611686018427387904 was"),
]


@pytest.mark.parametrize(("value", "expected"), EQUAL)
def test_equal_up_to_rounding_is_equal(value, expected):
    """Float32 work rounds at 1e-7; a list may stand for a tuple, a 0-d tensor for a number."""
    assert compare(value, expected) is None


@pytest.mark.parametrize(("value", "expected", "kind", "text"), DIFFERENT)
def test_the_first_difference_is_named(value, expected, kind, text):
    """The kind is for statistics, the text for the student: what came, what was expected."""
    problem = compare(value, expected)
    assert problem.kind == kind
    assert text in problem.text


def test_small_arrays_are_shown_whole():
    """With few numbers a look at both says more than any summary."""
    lines = compare(tensor([1.0, 2.5]), tensor([1.0, 3.0])).text.splitlines()
    assert lines[1:] == ["came:     [1. , 2.5]", "expected: [1., 3.]"]


def test_a_tolerance_is_absolute_and_replaces_both():
    """Statistical checks say how far off a mean may be."""
    assert compare(1.09, 1.0, 0.1) is None
    assert compare(1.11, 1.0, 0.1).kind == "value"
    assert compare(1000.2, 1000.0, 0.1).kind == "value"
    assert compare(ROWS + 0.05, ROWS, 0.1) is None


X = tensor([0.3, 1.7, 2.9, 4.1])
RELATIONS = [
    (-X, X, "Yours is minus the expected one"),
    (-1.7, 1.7, "Yours is minus the expected one"),
    (2 * X, X, "Yours is twice the expected one"),
    (2.0, 1.0, "Yours is twice the expected one"),
    (1.7 / math.log(2), 1.7, "Yours is 1 / log(2) times the expected one"),
    (X * math.log(2), X, "Yours is log(2) times the expected one"),
    (0.85, 1.7, "Yours is half of the expected one"),
    (3 * X, X, "Yours is 3 times the expected one"),
    (X + 0.5, X, "Yours is too large by 0.5 everywhere"),
    (X - 0.5, X, "Yours is too small by 0.5 everywhere"),
    (X**2, X, "Yours is the square of the expected one"),
    (X.sqrt(), X, "Yours is the square root of the expected one"),
    (X.exp(), X, "Yours is the exponential of the expected one"),
    (math.log(1.7), 1.7, "Yours is the logarithm of the expected one"),
    (2**0.5, 2.0, "Yours is the square root of the expected one"),
    (1 / X, X, "Yours is one over the expected one"),
    (X.reshape(2, 2).T, X.reshape(2, 2), "Yours is the transpose of the expected one"),
    (X.flip(0), X, "Yours is the expected one in reverse order"),
    (X.roll(1), X, "Yours is the expected one, shifted by one place"),
]


@pytest.mark.parametrize(("value", "expected", "sentence"), RELATIONS)
def test_a_simple_relation_is_told(value, expected, sentence):
    """A sign or a factor that one can read off the numbers should not cost a student an hour."""
    assert sentence in compare(value, expected).text


def test_no_relation_is_claimed_where_there_is_none():
    """A wrong explanation is worse than none; every scalar is some multiple of every other."""
    assert "Yours is" not in compare(1.9, 1.2).text
    assert "Yours is" not in compare(X.double() * 1.00002, X.double()).text  # 1 times
    assert "Yours is" not in compare(tensor([0.1, 0.7, 0.3]), tensor([2.0, 1.0, 5.0])).text
    for came, wanted in ((0.0, 1.0), (0.5, 2.0), (4.0, 2.5), (3.0, 1.0)):
        assert "Yours is" not in compare(came, wanted).text
        assert "Yours is" not in compare(torch.full((3,), came), torch.full((3,), wanted)).text
        assert "Yours is" not in compare(tensor([0, came]), tensor([0, wanted])).text


def first_fails(f):
    yield "first", f(0.0).mean() + 1, 1.0
    y = f(1.0)
    yield "second", torch.exp(y), math.e
    yield "third", np.exp(y.numpy()), np.float32(math.e)


def test_a_failed_call_fails_its_check_and_no_other():
    """The problem passes through what tests compute with the value, so that the generator goes on."""
    died = Problem("exception", "ZeroDivisionError: ...")
    found = list(outcomes(first_fails, lambda x: tensor(x) if x else died))
    assert found == [Outcome("first", died), Outcome("second", None), Outcome("third", None)]
    found = list(outcomes(first_fails, lambda x: died))
    assert found == [Outcome(name, died) for name in ("first", "second", "third")]


def test_a_failed_call_can_not_be_taken_for_true():
    """`bool` of a missing value would turn a crash into a passed check."""

    def tests(f):
        yield "positive", bool(f(1) > 0), True
        yield "never reached", f(2), 2

    died = Problem("exception", "ValueError")
    assert list(outcomes(tests, lambda x: died)) == [Outcome("check 1", died)]
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(NoValue(died))


def test_tests_that_can_not_go_on_fail_to_their_end():
    """None has no mean: this check fails and so do those behind it, so that the number of checks stays."""
    found = list(outcomes(first_fails, lambda x: None))
    assert [outcome.name for outcome in found] == ["first", "second", "third"]
    assert {outcome.problem.kind for outcome in found} == {"type"}
    assert "'NoneType' object has no attribute 'mean'" in found[0].problem.text


def test_an_error_of_the_grader_itself_is_not_the_answers_fault():
    """What the target raises comes from the engine, since an answer's own exceptions arrive as problems."""

    def broken(x):
        raise OSError("the pipe is gone")

    with pytest.raises(OSError, match="the pipe is gone"):
        list(outcomes(first_fails, broken))
