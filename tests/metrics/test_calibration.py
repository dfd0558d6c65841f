"""Calibration of draws whose distribution is known, right or wrong on purpose."""

import pytest
import torch
from torch.distributions import Normal
from torch.testing import assert_close

from coursekit.metrics.calibration import coverage, ranks

S, N = 9, 20_000
LEVELS = torch.tensor([0.2, 0.5, 0.9])


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
    assert ranks(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([1.5])).tolist() == [2]


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_coverage_is_that_of_the_gaussians_own_quantiles(spread):
    """Draws of deviation r hold N(0, 1) within +-r z_p: with many draws the share is 2 Phi(r z_p) - 1."""
    truth = torch.randn(4000, generator=torch.Generator().manual_seed(1))
    draws = spread * torch.randn(1000, 1).expand(-1, 4000)  # one set of draws serves all
    reach = spread * Normal(0, 1).icdf((1 + LEVELS) / 2)
    expected = 2 * Normal(0, 1).cdf(reach) - 1
    assert_close(coverage(draws, truth, LEVELS), expected, rtol=0, atol=0.07)


def test_coverage_counts_the_ends_of_the_interval():
    draws = torch.arange(5.0)[:, None].expand(-1, 3)
    assert_close(coverage(draws, torch.tensor([0.9, 1.0, 3.0]), torch.tensor([0.5])), torch.tensor([2 / 3]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ranks(torch.zeros(4, 2), torch.zeros(3)), r"expected \(S, \*\) and \(\*\)"),
        (lambda: coverage(torch.zeros(4, 2), torch.zeros(2), torch.tensor([1.0])), "above 0 and below 1"),
    ],
)
def test_what_can_not_be_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
