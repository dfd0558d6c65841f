"""Temperature, top-k and nucleus against brute force."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from coursekit.models.ar.next_symbol import draw, next_symbol

LOGITS = st.lists(st.integers(-80, 80), min_size=1, max_size=6, unique=True).map(
    lambda values: torch.tensor(values, dtype=torch.double) / 16
)


@given(LOGITS, st.floats(0.1, 5))
def test_temperature_is_a_power_of_the_probabilities(logits, temperature):
    """p^(1 / temperature), divided by its sum."""
    p = logits.softmax(-1) ** (1 / temperature)
    assert_close(next_symbol(logits, temperature), p / p.sum())


@given(LOGITS)
def test_temperature_towards_0_ends_at_the_greatest_logit(logits):
    """Temperature 0 is the limit: at 1e-9 nothing else is left."""
    greatest = torch.zeros_like(logits)
    greatest[max(range(len(logits)), key=logits.tolist().__getitem__)] = 1.0
    assert torch.equal(next_symbol(logits, 0.0), greatest)
    assert_close(next_symbol(logits, 1e-9), greatest)


@given(LOGITS, st.integers(1, 8))
def test_top_k_keeps_the_likeliest_k(logits, k):
    """Of all sets of k symbols the one with the greatest probability."""
    p = logits.softmax(-1)
    sets = itertools.combinations(range(len(p)), min(k, len(p)))
    best = max(sets, key=lambda chosen: p[list(chosen)].sum().item())
    expected = torch.zeros_like(p)
    expected[list(best)] = p[list(best)] / p[list(best)].sum()
    assert_close(next_symbol(logits, top_k=k), expected)


@given(LOGITS, st.floats(0.01, 0.999))
def test_the_nucleus_is_the_smallest_set_that_reaches_top_p(logits, top_p):
    """Of all sets that reach it the smallest, and of those of one size the likeliest."""
    p = logits.softmax(-1)
    sets = [s for size in range(1, len(p) + 1) for s in itertools.combinations(range(len(p)), size)]
    mass = {s: p[list(s)].sum().item() for s in sets}
    if any(abs(m - top_p) < 1e-9 for m in mass.values()):
        return  # rounding decides
    best = min((s for s in sets if mass[s] >= top_p), key=lambda s: (len(s), -mass[s]))
    expected = torch.zeros_like(p)
    expected[list(best)] = p[list(best)] / mass[best]
    assert_close(next_symbol(logits, top_p=top_p), expected)


def test_the_nucleus_is_measured_after_temperature_and_top_k():
    """Of 0.4, 0.3, 0.2, 0.1 the top 3 are 0.444, 0.333, 0.222: two reach 0.75, but 0.7 of the whole."""
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()
    assert (next_symbol(logits, top_k=3, top_p=0.75) > 0).tolist() == [True, True, False, False]
    assert (next_symbol(logits, top_p=0.75) > 0).tolist() == [True, True, True, False]


def test_rows_are_cut_one_by_one_and_ties_leave_k():
    logits = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 2.0, 3.0]])
    assert (next_symbol(logits, top_k=2) > 0).sum(-1).tolist() == [2, 2]
    assert next_symbol(logits, top_k=2)[1, 3] > next_symbol(logits, top_k=2)[1, 2]


def test_draws_have_the_probabilities_they_should():
    """100,000 draws: each frequency within 5 standard errors; what has none never comes."""
    torch.manual_seed(0)
    p = torch.tensor([0.0, 0.05, 0.25, 0.7])
    counts = draw(p.expand(100_000, 4)).bincount(minlength=4)
    assert counts[0] == 0
    assert ((counts / 100_000 - p).abs() <= 5 * (p * (1 - p) / 100_000).sqrt()).all()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"temperature": -1.0}, "temperature is -1.0; expected a number of at least 0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"top_k": 0}, "top_k is 0; expected at least 1"),
        ({"top_p": 0.0}, r"top_p is 0.0; expected a number in \(0, 1\]"),
        ({"top_p": 1.5}, "top_p is 1.5"),
    ],
)
def test_a_wrong_value_is_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        next_symbol(torch.zeros(3), **keywords)
