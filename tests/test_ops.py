"""The shared formulas, each against another road to the same number."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.testing import assert_close

from coursekit import ops


def diagonal(mean: torch.Tensor, scale: torch.Tensor) -> Independent:
    return Independent(Normal(mean, scale), 1)


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_gaussian_kl_equals_torchs(seed, dims):
    """torch.distributions derives the same quantity on its own; batches of q against one p broadcast."""
    g = torch.Generator().manual_seed(seed)
    q = diagonal(torch.randn(4, dims, generator=g), torch.rand(4, dims, generator=g) + 0.1)
    p = diagonal(torch.randn(dims, generator=g), torch.rand(dims, generator=g) + 0.1)
    assert_close(ops.gaussian_kl(q, p), kl_divergence(q, p))


def test_gaussian_kl_refuses_what_it_has_no_formula_for():
    with pytest.raises(TypeError, match="diagonal Gaussian"):
        ops.gaussian_kl(Independent(Bernoulli(torch.rand(3)), 1), diagonal(torch.zeros(3), torch.ones(3)))


def test_monte_carlo_kl_averages_to_the_closed_form():
    """The mean of many one-sample estimates lies within five standard errors of the exact value."""
    torch.manual_seed(0)
    q, p = diagonal(torch.ones(3), torch.full((3,), 0.5)), diagonal(torch.zeros(3), torch.ones(3))
    estimates = ops.monte_carlo_kl(q, p, q.sample((20_000,)))
    assert abs(estimates.mean() - ops.gaussian_kl(q, p)) < 5 * estimates.std() / math.sqrt(len(estimates))


def test_logmeanexp_survives_where_exp_underflows():
    x = torch.tensor([-2000.0, -2001.0, -2003.0])
    exact = math.log((1 + math.exp(-1) + math.exp(-3)) / 3) - 2000
    assert_close(ops.logmeanexp(x), torch.tensor(exact))


@given(st.integers(0, 3))
def test_expand_like_broadcasts_per_example(extra):
    a, x = torch.arange(2.0), torch.ones(2, *[3] * extra)
    assert_close((ops.expand_like(a, x) * x).reshape(2, -1).sum(1), a * 3**extra)


def test_expand_like_refuses_the_larger_tensor():
    with pytest.raises(ValueError, match="a has 2 axes"):
        ops.expand_like(torch.ones(2, 2), torch.ones(2))


@given(st.sampled_from([2, 17, 256]), st.integers(1, 50))
def test_a_uniform_guess_costs_log2_of_the_levels(levels, dims):
    """Each of L levels with probability 1 / L: log2 L bits, from the probability and from the density."""
    log_p = torch.tensor(-dims * math.log(levels), dtype=torch.float64)
    bits = torch.tensor(math.log2(levels), dtype=torch.float64)
    assert_close(ops.bits_per_dim(log_p, dims), bits)
    density = log_p - dims * math.log(2 / (levels - 1))  # probability over the bin's width
    assert_close(ops.bits_per_dim(density, dims, levels), bits)


@pytest.mark.parametrize(("dims", "levels", "named"), [(0, None, "dims is 0"), (4, 1, "levels is 1")])
def test_bits_per_dim_names_what_is_wrong(dims, levels, named):
    with pytest.raises(ValueError, match=named):
        ops.bits_per_dim(torch.zeros(1), dims, levels)
