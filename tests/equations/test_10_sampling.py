"""Chapter 10: labelled equations of drawing, against numbers that were computed another way."""

import numpy as np
import torch
from torch import tensor
from torch.testing import assert_close

from coursekit.data import GaussianMixture
from coursekit.models.diffusion import DDIM, DDPM, ExactMixture, FixedSmall, Linear, posterior
from tests.equations.chain import T, chain_covariance, float64_and_seed, tables, two_hills
from tests.equations.registry import checks

__all__ = ["float64_and_seed"]


@checks("ddim-step")
def test_a_ddim_step_keeps_the_marginal_for_every_variance():
    """Mean and variance of x_s = m + rho z over the noise in x_t, m from x_0 and x_t alone, as printed."""
    _, _, bar = tables()
    x0, (eps, shares) = tensor(0.7), map(tensor, np.polynomial.hermite_e.hermegauss(6))
    shares = shares / shares.sum()
    for s, t in ((4, 9), (1, 2), (3, T)):
        x_t = bar[t].sqrt() * x0 + (1 - bar[t]).sqrt() * eps
        for rho2 in torch.linspace(0, 1, 4) * (1 - bar[s]):
            seen = (x_t - bar[t].sqrt() * x0) / (1 - bar[t]).sqrt()
            m = bar[s].sqrt() * x0 + (1 - bar[s] - rho2).clamp(min=0).sqrt() * seen
            mean = (shares * m).sum()
            assert_close(mean, bar[s].sqrt() * x0)
            assert_close((shares * (m - mean).square()).sum() + rho2, 1 - bar[s])


@checks("ddim-eta", "ddim-step")
def test_eta_is_the_share_of_the_posteriors_deviation_that_is_drawn_afresh():
    """At one it is the chain's own posterior, by conditioning; between, the package's sampler agrees."""
    path, (s, t) = Linear(T, first=0.05, last=0.5), (4, 9)
    _, _, bar = tables()
    covariance = chain_covariance()
    gain = covariance[s - 1, t - 1] / covariance[t - 1, t - 1]
    known = covariance[s - 1, s - 1] - gain * covariance[s - 1, t - 1]
    exact, x = ExactMixture(two_hills(), path), torch.randn(5, 1)
    guess = exact.predict(x, torch.full((5,), t / T))
    for eta in (0.0, 0.4, 1.0):
        rho2 = eta**2 * (1 - bar[s]) / (1 - bar[t]) * (1 - bar[t] / bar[s])
        assert_close(rho2.sqrt(), eta * known.sqrt())
        torch.manual_seed(1)
        drawn = DDIM(eta)(exact, x, times=tensor([t / T, s / T]))
        torch.manual_seed(1)
        m = bar[s].sqrt() * guess.x0 + (1 - bar[s] - rho2).sqrt() * guess.eps
        assert_close(drawn, m + rho2.sqrt() * torch.randn(5, 1), rtol=1e-5, atol=1e-6)
    step = posterior(path, tensor([s / T]), tensor([t / T]))
    stated = step.of_x_t * x + step.of_x0 * guess.x0
    assert_close(m, stated, rtol=1e-5, atol=1e-6)


@checks("diffusion-start")
def test_mean_of_drawings_from_a_chain_that_does_not_end_in_noise():
    """Exact reverse steps for N(m, 1), each from the joint law of two neighbours, started at mean 0."""
    _, alpha, bar = tables()
    m, mean, short = 1.5, tensor(0.0), 5
    for t in range(short, 0, -1):
        mean = bar[t - 1].sqrt() * m + alpha[t].sqrt() * (mean - bar[t].sqrt() * m)
    assert_close(mean, (1 - bar[short]) * m)
    mixture = GaussianMixture([[1.5]], variance=1.0)
    path = Linear(short, first=0.05, last=0.3)
    model = DDPM(torch.nn.Linear(1, 1), (1,), path)
    model.denoiser = ExactMixture(mixture, path, FixedSmall())
    drawn = model.sampler(model.denoiser, torch.randn(40_000, 1), steps=short)
    assert_close(drawn.mean(), (1 - path.alpha_bars[-1].double()) * 1.5, rtol=0, atol=0.03)


@checks("diffusion-order")
def test_bound_of_a_chain_that_erases_one_pixel_a_step_is_the_chain_rule():
    """Divergences of tables over what a step may come from, for all pictures of three binary pixels."""
    p = torch.rand(2, 2, 2)
    p = p / p.sum()
    for x in torch.cartesian_prod(*[torch.arange(2)] * 3).tolist():
        total = tensor(0.0)
        for t in range(1, 4):  # step t erases pixel d = D - t + 1
            d = 3 - t
            kept = p[tuple(x[:d])]  # joint of pixels d, d + 1, ... given those before, unnormalized
            model = kept.flatten(1).sum(1) if kept.ndim > 1 else kept
            model = model / model.sum()
            certain = torch.nn.functional.one_hot(tensor(x[d]), 2).to(model)
            total = (
                total + (torch.special.xlogy(certain, certain) - torch.special.xlogy(certain, model)).sum()
            )
        assert_close(total, -p[tuple(x)].log())
