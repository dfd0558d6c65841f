"""Calibration of draws whose distribution is known, right or wrong on purpose."""

import pytest
import torch
from torch.testing import assert_close

from coursekit.metrics.calibration import ranks

S, N = 9, 20_000


def test_ranks_of_exact_draws_are_even():
    """Each of the S + 1 ranks as often, within five standard errors."""
    share = ranks(torch.randn(S, N), torch.randn(N)).bincount(minlength=S + 1) / N
    assert_close(share, torch.full((S + 1,), 0.1), rtol=0, atol=5 * (0.09 / N) ** 0.5)


def test_ranks_tell_too_narrow_too_wide_and_shifted():
    """A valley, a hill, a slope."""
    truth = torch.randn(N)
    narrow, wide, low = (
        ranks(draws, truth).bincount(minlength=S + 1)
        for draws in (0.5 * torch.randn(S, N), 2 * torch.randn(S, N), torch.randn(S, N) - 1)
    )
    assert narrow[[0, S]].min() > 2 * narrow[5]
    assert wide[[0, S]].max() < 0.5 * wide[5]
    assert (low.diff() > 0).all()


def test_a_tie_is_in_the_middle():
    assert ranks(torch.zeros(4, 1), torch.zeros(1)).tolist() == [2]
    assert ranks(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([1.0])).tolist() == [1]
    assert ranks(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([1.5])).tolist() == [2]


@pytest.mark.parametrize("shapes", [((4, 2), (3,)), ((1, 2), (2,))])
def test_what_can_not_be_is_named(shapes):
    with pytest.raises(ValueError, match=r"expected \(S, \*\) and \(\*\), S at least 2"):
        ranks(*(torch.zeros(shape) for shape in shapes))
