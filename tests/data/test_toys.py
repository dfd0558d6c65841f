"""Toy densities: log_prob is a density, and it is the density of what `sample` draws."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.testing import assert_close

from coursekit import data

MIXTURE = data.GaussianMixture([[-1.0, 0.0], [2.0, 1.0], [0.0, -2.0]], [0.2, 0.5, 0.4], [1, 2, 3])
DENSITIES = [
    data.TwoMoons(),
    data.EightGaussians(),
    data.GaussianGrid(),
    data.Pinwheel(),
    data.Checkerboard(),
    data.Rings(),
    data.Spirals(),
    data.SwissRoll(),
    data.SCurve(),
    MIXTURE,
]
CURVES = [data.TwoMoons(), data.Spirals(), data.SwissRoll(), data.SCurve(), data.TwoMoons(noise=0.4)]
every_density = pytest.mark.parametrize("density", DENSITIES, ids=lambda d: type(d).__name__)


def grid(half: float, n: int) -> torch.Tensor:
    """Centres of n x n fields over [-half, half]^2, (n, n, 2), first axis x."""
    ticks = (torch.arange(n, dtype=torch.float64) + 0.5) * 2 * half / n - half
    return torch.stack(torch.meshgrid(ticks, ticks, indexing="ij"), -1)


@every_density
def test_the_density_integrates_to_one(density):
    """The midpoint rule over [-6, 6]^2, with fields half as wide as the narrowest noise."""
    points = grid(6.0, 240)
    mass = density.log_prob(points).exp().sum() * (12 / 240) ** 2
    assert_close(mass.item(), 1.0, atol=1e-5, rtol=0)


@every_density
def test_samples_fall_where_the_density_says(density):
    """Pearson's chi-square of 50,000 samples in 24 x 24 fields against the fields' masses.

    Five standard deviations above its mean, the degrees of freedom, is what chance does not reach.
    """
    n, cells, fine = 50_000, 24, 10
    x = density.sample(n, torch.Generator().manual_seed(0))
    p = density.log_prob(grid(4.8, cells * fine)).exp() * (9.6 / cells / fine) ** 2
    expected = n * p.reshape(cells, fine, cells, fine).sum((1, 3)).flatten()
    place = ((x + 4.8) / 9.6 * cells).floor().long().clamp(0, cells - 1)
    counts = (place[:, 0] * cells + place[:, 1]).bincount(minlength=cells**2)
    likely = expected > 5
    chi_square = ((counts - expected).square() / expected)[likely].sum()
    freedom = likely.sum().item() - 1
    assert chi_square < freedom + 5 * math.sqrt(2 * freedom)
    assert counts[~likely].sum() <= expected[~likely].sum() + 5 * math.sqrt(expected[~likely].sum() + 1)


@pytest.mark.parametrize("density", CURVES, ids=lambda d: f"{type(d).__name__}-{d.noise}")
def test_the_quadrature_agrees_with_the_midpoint_rule(density):
    """A different rule with 200,000 nodes: p(x) is the mean of Gaussians along the curve."""
    x = density.sample(12, torch.Generator().manual_seed(1)).double()
    u = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    centres = density.curves(u).flatten(0, 1)
    gaussians = Normal(centres[None], density.noise).log_prob(x[:, None]).sum(-1)
    assert_close(density.log_prob(x), gaussians.logsumexp(1) - math.log(len(centres)), atol=2e-6, rtol=0)


@every_density
def test_float32_agrees_with_float64(density):
    """To the digits that float32 has, on points near the data and far from it."""
    x = torch.cat([density.sample(50, torch.Generator().manual_seed(2)), torch.tensor([[6.0, -7.0]])])
    single, double = density.log_prob(x), density.log_prob(x.double())
    assert single.dtype == torch.float32
    assert_close(single.double(), double, atol=2e-5, rtol=2e-5)


@settings(deadline=None, max_examples=20)
@given(k=st.integers(1, 5), d=st.integers(1, 4), seed=st.integers(0, 2**31))
def test_the_mixture_agrees_with_torch(k, d, seed):
    """torch.distributions is the other road to the same number, for any K and D."""
    draw = torch.Generator().manual_seed(seed)
    means, variance = torch.randn(k, d, generator=draw), torch.rand(k, generator=draw) + 0.1
    weights, x = torch.rand(k, generator=draw) + 0.1, torch.randn(3, 2, d, generator=draw)
    parts = Independent(Normal(means, variance.sqrt()[:, None].expand(k, d)), 1)
    peer = MixtureSameFamily(Categorical(weights), parts)
    ours = data.GaussianMixture(means, variance, weights)
    assert_close(ours.log_prob(x), peer.log_prob(x), atol=1e-4, rtol=1e-4)


@every_density
def test_a_batch_of_an_endless_set_depends_on_its_arguments_alone(density):
    """Fresh points at every step and for every seed, the same whenever they are asked for."""
    x, c = density.batch(4, 6, seed=1)
    assert c is None
    assert x.shape == (6, 2)
    density.batch(0, 9)
    assert torch.equal(density.to("cpu").batch(4, 6, seed=1)[0], x)
    assert not torch.equal(density.batch(5, 6, seed=1)[0], x)
    assert not torch.equal(density.batch(4, 6, seed=2)[0], x)


@every_density
def test_no_points_are_an_empty_tensor(density):
    """sample(0) has shape (0, 2)."""
    assert density.sample(0).shape == (0, 2)


def test_a_generator_decides_the_samples():
    """The global random state is neither used nor changed."""
    before = torch.get_rng_state()
    pair = [data.Spirals().sample(10, torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(*pair)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_score_is_the_gradient_of_log_prob():
    """Autograd passes through the quadrature: central differences agree."""
    x = data.TwoMoons().sample(5, torch.Generator().manual_seed(0)).double().requires_grad_()
    density, h = data.TwoMoons(), 1e-5
    (score,) = torch.autograd.grad(density.log_prob(x).sum(), x)
    for i, step in enumerate(h * torch.eye(2, dtype=torch.float64)):
        difference = (density.log_prob(x + step) - density.log_prob(x - step)) / (2 * h)
        assert_close(score[:, i], difference.detach(), atol=1e-5, rtol=1e-5)


def test_the_checkerboard_has_no_density_between_its_fields():
    """-inf outside, -log 32 on all samples, even those at the edge of a field."""
    board = data.Checkerboard()
    assert board.log_prob(torch.tensor([[1.0, -1.0], [5.0, 1.0]])).tolist() == [-math.inf, -math.inf]
    assert_close(board.log_prob(board.sample(100_000)).unique(), torch.tensor([-math.log(32)]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: data.TwoMoons(noise=0.0), "noise.*got 0.0"),
        (lambda: data.Rings(noise=-1.0), "noise=-1.0"),
        (lambda: data.GaussianMixture([[0.0, 0.0]], -1.0), "variance.*-1.0"),
        (lambda: data.GaussianMixture([0.0, 0.0]), r"\(K, D\), got \(2,\)"),
        (lambda: data.GaussianMixture([[0.0], [1.0]], weights=[1.0]), "expected 2"),
        (lambda: data.SCurve().batch(0, 0), "size=0"),
    ],
)
def test_a_wrong_value_is_named(make, message):
    """The message holds the value and what was expected."""
    with pytest.raises(ValueError, match=message):
        make()


def test_the_grid_is_centred_and_even():
    """25 means whose nearest neighbours are all one spacing away."""
    means = data.GaussianGrid(side=5, spacing=1.5).means
    distances = torch.cdist(means, means) + 99 * torch.eye(25)
    assert_close(means.mean(0), torch.zeros(2))
    assert_close(distances.min(1).values, torch.full((25,), 1.5))
    with pytest.raises(ValueError, match="side: expected at least 1 Gaussian along a side, got 0"):
        data.GaussianGrid(side=0)
