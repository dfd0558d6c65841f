"""Distributions of one subpixel: the discretized logistic mixture against its definition."""

import math

import pytest
import torch
from torch.testing import assert_close

from coursekit.models.ar import BernoulliOutput, CategoricalOutput, LogisticMixtureOutput

LEVELS = torch.arange(256.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_mixture_sums_to_one_over_256_levels_whatever_its_parameters(dtype):
    """Means far outside of the range, scales far below a bin or far above it, weights of nearly zero."""
    values = torch.tensor([-1e4, -100.0, -7.0, -1.0, 0.0, 0.3, 1.0, 7.0, 20.0, 100.0])
    parameters = torch.cartesian_prod(values, values, values)[:, [0, 0, 1, 2, 1, 2]]  # K = 2: pi, mu, log s
    parameters[:, 1] = 0.0
    output = LogisticMixtureOutput(2)(parameters[:, None].to(dtype))
    log_p = output.log_prob(LEVELS.to(dtype))
    assert log_p.isfinite().all()
    tolerance = 2e-3 if dtype == torch.float32 else 1e-9
    assert_close(log_p.exp().sum(1), torch.ones(1000, dtype=dtype), atol=tolerance, rtol=0)


def test_a_mixture_follows_its_definition():
    """Differences of the logistic distribution function at the edges of the bins, in double precision."""
    torch.manual_seed(0)
    parameters = torch.randn(5, 1, 9).double() * torch.tensor([1.0, 0.7, 1.0]).repeat_interleave(3)
    pi, mu, s = parameters.chunk(3, -1)
    edges = ((2 * LEVELS - 1) / 255 - 1).double()[1:, None]  # between two levels
    cdf = torch.sigmoid((edges - mu) / s.exp())  # (5, 255, 3)
    cdf = torch.cat([torch.zeros(5, 1, 3), cdf, torch.ones(5, 1, 3)], 1)
    expected = (pi.softmax(-1) * cdf.diff(dim=1)).sum(-1)
    actual = LogisticMixtureOutput(3)(parameters).log_prob(LEVELS.double()).exp()
    assert_close(actual, expected)


@pytest.mark.parametrize(
    "output", [CategoricalOutput(5), LogisticMixtureOutput(2, 5)], ids=["softmax", "mix"]
)
def test_draws_follow_the_probabilities(output):
    """40,000 draws, each count within 5 standard deviations; some mass lies at both ends."""
    torch.manual_seed(0)
    n, parameters = 40_000, torch.randn(output.features).double()
    distribution = output(parameters)
    p = distribution.log_prob(torch.arange(5.0).double()).exp()
    x = distribution.sample((n,))
    assert x.dtype == torch.float64
    count = x.long().bincount(minlength=5)
    assert p.min() > 0.01
    assert ((count - n * p).abs() < 5 * (n * p * (1 - p)).sqrt()).all()


def test_gradients_stay_finite_where_a_probability_vanishes():
    """A far mean gives a log-probability of thousands of nats, and a gradient that leads back."""
    parameters = torch.tensor([[0.0, 50.0, -9.0]], requires_grad=True)
    log_p = LogisticMixtureOutput(1)(parameters).log_prob(torch.tensor([3.0]))
    (gradient,) = torch.autograd.grad(log_p.sum(), parameters)
    assert log_p.item() < -1000
    assert gradient.isfinite().all()
    assert gradient[0, 1] < 0


def test_two_levels_of_a_softmax_are_a_bernoulli():
    """softmax(0, a) = sigmoid(a)."""
    a, x = torch.linspace(-4, 4, 9), torch.ones(9)
    softmax = CategoricalOutput(2)(torch.stack([torch.zeros(9), a], -1)).log_prob(x)
    assert_close(softmax, BernoulliOutput()(a[:, None]).log_prob(x))
    assert BernoulliOutput()(torch.zeros(1)).log_prob(torch.tensor(0.0)).item() == pytest.approx(-math.log(2))
