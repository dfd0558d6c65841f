"""The probability-flow ODE's likelihood against densities that are known."""

import math

import pytest
import torch
from torch.testing import assert_close

from coursekit.models.diffusion import VP, ExactMixture, Linear, Straight, ode_log_prob
from tests.models.diffusion.oracles import PATHS, one_gaussian, two_peaks

START = 1e-4


@pytest.fixture(autouse=True)
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", ["vp", "linear", "sub-vp", "straight"])
def test_a_gaussians_likelihood_is_exact(name):
    """To 1e-3 nats; the density is that of x at START, where it has that much noise, known in closed form."""
    path = (PATHS | {"linear": Linear()})[name].double()
    mixture = one_gaussian(0.0 if name != "straight" else 0.7)
    exact, x = ExactMixture(mixture, path), mixture.sample(16).double()
    known = exact.log_prob(x, torch.full((16,), START))
    assert_close(ode_log_prob(exact, x, steps=60, start=START), known, rtol=0, atol=1e-3)


def test_a_mixtures_likelihood_is_exact():
    mixture = two_peaks()
    exact, x = ExactMixture(mixture, Straight()), mixture.sample(16).double()
    assert_close(ode_log_prob(exact, x, steps=60, start=START), mixture.log_prob(x), rtol=0, atol=2e-3)


def test_it_is_a_density():
    """Its mass on a grid that covers the data is one."""
    exact = ExactMixture(two_peaks(), VP())
    ticks = torch.linspace(-4, 4.5, 40)
    grid = torch.cartesian_prod(ticks, ticks)
    log_p = ode_log_prob(exact, grid, steps=40, start=1e-3)
    mass = log_p.logsumexp(0).exp().item() * (ticks[1] - ticks[0]).item() ** 2
    assert mass == pytest.approx(1, abs=5e-3)


def test_probes_estimate_the_divergence_without_bias():
    """Their mean over many runs is the exact value; above 16 dimensions they are taken unasked."""
    mixture = two_peaks()
    exact, x = ExactMixture(mixture, Straight()), mixture.sample(1).double()
    known = ode_log_prob(exact, x, steps=20)
    runs = ode_log_prob(exact, x.repeat(2_000, 1), steps=20, probes=1)
    assert (runs.mean() - known).abs() < 5 * runs.std() / 2_000**0.5
    assert runs.std() > 0
    wide = one_gaussian(0.0, 1.0, dims=20)
    x = wide.sample(4).double()
    normal = -0.5 * (x.square().sum(1) + 20 * math.log(2 * math.pi))
    assert_close(ode_log_prob(ExactMixture(wide, Straight()), x, steps=40), normal, rtol=0, atol=0.2)


def test_wrong_times_are_named():
    with pytest.raises(ValueError, match=r"steps=5, start=0\.9, end=0\.5"):
        ode_log_prob(ExactMixture(two_peaks(), VP()), torch.zeros(2, 2), steps=5, start=0.9, end=0.5)
