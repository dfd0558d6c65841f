"""What an answer does to its caller is named, and undone."""

import random
import warnings

import numpy as np
import pytest
import torch
from torch import tensor

from coursekit.grading import randomness
from coursekit.grading.compare import Problem
from coursekit.grading.guard import Guard


def test_a_value_passes_through():
    """Most answers behave."""
    x = tensor([1.0, 2.0], requires_grad=True)
    assert torch.equal(Guard(lambda x, y: x * y)(x, y=2.0), tensor([2.0, 4.0]))
    assert Guard(lambda x: x.requires_grad)(x)


def test_an_exception_is_a_problem_with_the_students_line():
    """The line is what one looks for in a traceback; frames of libraries are left out."""

    def answer(x):
        return torch.stack([x, x[:1]])

    problem = Guard(answer)(torch.zeros(3))
    assert problem.kind == "exception"
    assert problem.text.startswith("RuntimeError: stack expects each tensor to be equal size")
    assert problem.text.endswith(": return torch.stack([x, x[:1]])")


@pytest.mark.parametrize("error", [SystemExit(3), RecursionError(), NotImplementedError("Write.")])
def test_whatever_is_raised_is_a_problem(error):
    """An answer that leaves the program must not leave the notebook."""

    def answer():
        raise error

    assert Guard(answer)().text.startswith(type(error).__name__)


def test_a_long_message_is_cut():
    """Some libraries print whole tensors."""

    def answer():
        raise ValueError("x" * 10_000)

    assert len(Guard(answer)().text) < 700


def add_in_place(x):
    x += 1
    return x


CHANGES = [
    (add_in_place, tensor([1.0, 2.0])),
    (add_in_place, tensor([float("nan"), 2.0])),
    (add_in_place, np.array([1, 2])),
    (add_in_place, torch.zeros(2, dtype=torch.bfloat16)),
    (lambda x: x.unsqueeze_(0), tensor([1.0])),
    (lambda x: x.append(1), [1, 2]),
    (lambda x: x[0].zero_(), [tensor(1.0)]),
    (lambda x: x["z"].zero_(), {"z": tensor([1.0])}),
]


@pytest.mark.parametrize(("function", "value"), CHANGES)
def test_an_argument_changed_in_place_is_named_and_the_callers_stays(function, value):
    """The caller's next line would work with other numbers than it wrote."""
    before = repr(value)
    problem = Guard(function)(value)
    assert problem.kind == "inplace"
    assert "argument x in place" in problem.text
    assert Guard(lambda y, x: function(x))(0, x=value).kind == "inplace"
    assert repr(value) == before


def test_arguments_left_alone_are_no_problem():
    """NaN differs from itself, yet it did not change."""
    values = [
        tensor([float("nan")]),
        np.array([np.nan]),
        [None, "a", 1.0],
        {"a": torch.ones(2)},
        torch.ones(0),
    ]
    assert Guard(lambda *values: 1)(*values) == 1


DRAWS = [
    ("torch", lambda: torch.randn(1)),
    ("torch", lambda: torch.manual_seed(3)),
    ("numpy", lambda: np.random.randn(1)),  # noqa: NPY002
    ("numpy", lambda: np.random.seed(3)),  # noqa: NPY002
    ("Python", lambda: random.random()),
]


@pytest.mark.parametrize(("library", "draw"), DRAWS)
def test_a_changed_global_random_state_is_named_and_put_back(library, draw):
    """Who calls a function twice with one seed expects the same numbers of whatever follows."""
    before = randomness.states()
    problem = Guard(draw)()
    assert problem == Problem("randomness", problem.text)
    assert f"random state of {library}." in problem.text
    assert randomness.changed(before) == []


def test_a_function_of_a_seed_may_set_it():
    """A probe that builds a network seeds it; its caller's state is put back all the same."""

    def run(x, seed):
        torch.manual_seed(seed)
        return x + torch.randn(2)

    before = randomness.states()
    assert torch.equal(Guard(run)(tensor([1.0, 2.0]), 3), Guard(run)(tensor([1.0, 2.0]), seed=3))
    assert randomness.changed(before) == []


def test_a_generator_of_ones_own_is_no_problem():
    """It is what an answer should draw from."""
    drawn = Guard(lambda: torch.randn(2, generator=torch.Generator().manual_seed(1)))()
    assert isinstance(drawn, torch.Tensor)
    assert isinstance(Guard(lambda: np.random.default_rng(1).normal())(), float)


def test_no_warning_comes_of_guarding():
    """Copies of tensors and of random states are made the way torch wants it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Guard(lambda x: x * 1)(torch.ones(2, requires_grad=True) * 2)
