"""Chapter 10: every labelled equation against numbers that were computed another way."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, tensor
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from coursekit.data import GaussianMixture
from coursekit.models.diffusion import ExactMixture, Linear, posterior
from tests.equations.chain import T, chain_covariance, float64_and_seed, grid, in_float64, tables, two_hills
from tests.equations.registry import checks

__all__ = ["float64_and_seed"]


@checks("diffusion-closed-form")
def test_a_walk_of_t_steps_is_one_jump():
    """The covariance of the whole chain is a product of matrices and knows nothing of alpha-bar."""
    _, alpha, bar = tables()
    assert_close(chain_covariance().diagonal(), 1 - bar[1:])
    x, means = tensor(1.0), []
    for t in range(1, T + 1):
        x = alpha[t].sqrt() * x
        means.append(x)
    assert_close(torch.stack(means), bar[1:].sqrt())


@checks("diffusion-end")
def test_distance_of_the_last_step_from_noise():
    """torch's divergence of two normal distributions."""
    _, _, bar = tables()
    x0 = torch.randn(5)
    last = Normal(bar[T].sqrt() * x0, (1 - bar[T]).sqrt())
    stated = 0.5 * (bar[T] * (x0.square().sum() - 5) - 5 * torch.log1p(-bar[T]))
    assert_close(kl_divergence(last, Normal(0.0, 1.0)).sum(), stated)


@checks("diffusion-best")
def test_squared_error_splits_into_what_none_can_know_and_the_distance_from_the_conditional_mean():
    """Sums over all pairs of a small joint table; f is any function of x_t."""
    joint = torch.rand(4, 6)
    joint = joint / joint.sum()
    x0, f = torch.randn(4), torch.randn(6)
    mean = (joint * x0[:, None]).sum(0) / joint.sum(0)
    left = (joint * (x0[:, None] - f).square()).sum()
    unknowable = (joint * (x0[:, None] - mean).square()).sum()
    assert_close(left, unknowable + (joint.sum(0) * (mean - f).square()).sum())


@checks("diffusion-eps-x0")
def test_errors_of_the_noise_and_of_the_datum_differ_by_the_signal_to_noise_ratio():
    """Both errors from estimates that explain the same x_t."""
    _, _, bar = tables()
    x0, eps, guess = torch.randn(3, 7).unbind()
    for t in (1, 5, T):
        x_t = bar[t].sqrt() * x0 + (1 - bar[t]).sqrt() * eps
        noise = (x_t - bar[t].sqrt() * guess) / (1 - bar[t]).sqrt()
        assert_close((x_t - bar[t].sqrt() * x0) / (1 - bar[t]).sqrt(), eps)
        ratio = bar[t] / (1 - bar[t])
        assert_close((eps - noise).square().sum(), ratio * (x0 - guess).square().sum())


def stated_mean(mixture: GaussianMixture, x_t: Tensor, bar_t: Tensor) -> Tensor:
    """E[x_0 | x_t] as the chapter prints it: (B, D) -> (B, D)."""
    s2, offset = mixture.variance[0], x_t[:, None] - bar_t.sqrt() * mixture.means  # (B, K, D)
    v = bar_t * s2 + 1 - bar_t
    r = mixture.weights * (-offset.square().sum(-1) / (2 * v)).exp()
    within = mixture.means + bar_t.sqrt() * s2 / v * offset
    return (r[..., None] * within).sum(1) / r.sum(1, keepdim=True)


@checks("diffusion-mixture")
def test_denoiser_of_a_mixture_is_the_mean_of_the_posterior_on_a_grid():
    """Bayes' rule on a fine grid of x_0, which needs no formula for components; the weights are unequal."""
    mixture, (u, _) = in_float64(GaussianMixture([[-0.9], [0.9]], 0.19, [0.3, 0.7])), grid()
    _, _, bar = tables()
    for t in (2, 6, T):
        for x_t in (-0.7, 0.2, 1.5):
            step = Normal(bar[t].sqrt() * u, (1 - bar[t]).sqrt())
            log_joint = mixture.log_prob(u[:, None]) + step.log_prob(tensor(x_t))
            stated = stated_mean(mixture, tensor([[x_t]]), bar[t])[0, 0]
            assert_close((log_joint.softmax(0) * u).sum(), stated, rtol=1e-6, atol=1e-7)


@checks("diffusion-mixture")
def test_the_formula_for_a_mixture_is_the_packages_in_the_plane():
    """Three components of unequal weight; the package goes by the score."""
    means, weights = [[1.0, 0.2], [-0.5, 1.1], [0.0, -1.3]], [0.2, 0.5, 0.3]
    mixture, path = in_float64(GaussianMixture(means, 0.3, weights)), Linear(T, first=0.05, last=0.5)
    x_t, bar = torch.randn(6, 2), path.alpha_bars
    for t in (1, 5, T):
        found = ExactMixture(mixture, path).predict(x_t, torch.full((6,), t / T))
        assert_close(found.x0, stated_mean(mixture, x_t, bar[t - 1]), rtol=1e-6, atol=1e-7)


@checks("diffusion-posterior")
def test_reverse_step_given_the_end_by_conditioning_the_chain():
    """Schur complement of the chain's covariance; no square is completed."""
    beta, alpha, bar = tables()
    covariance, x0 = chain_covariance(), tensor(0.8)
    for t in range(2, T + 1):
        a, b = t - 2, t - 1  # places of x_{t-1} and x_t
        gain = covariance[a, b] / covariance[b, b]
        variance = covariance[a, a] - gain * covariance[a, b]
        assert_close((1 - bar[t - 1]) / (1 - bar[t]) * beta[t], variance)
        for x_t in torch.randn(3):
            mean = bar[t - 1].sqrt() * x0 + gain * (x_t - bar[t].sqrt() * x0)
            of_x_t = alpha[t].sqrt() * (1 - bar[t - 1]) / (1 - bar[t])
            assert_close(of_x_t * x_t + bar[t - 1].sqrt() * beta[t] / (1 - bar[t]) * x0, mean)


@checks("diffusion-mean-eps")
def test_reverse_mean_in_terms_of_the_noise():
    """The package's posterior, fed with the x_0 that goes with the noise."""
    path = Linear(T, first=0.05, last=0.5)
    beta, alpha, bar = tables()
    for t in range(2, T + 1):
        step = posterior(path, tensor([(t - 1) / T]), tensor([t / T]))
        x_t, eps = torch.randn(2)
        x0 = (x_t - (1 - bar[t]).sqrt() * eps) / bar[t].sqrt()
        stated = (x_t - beta[t] / (1 - bar[t]).sqrt() * eps) / alpha[t].sqrt()
        assert_close((step.of_x_t * x_t + step.of_x0 * x0)[0], stated, rtol=1e-5, atol=1e-6)


def expected_log_normal(mean: Tensor, spread: Tensor, variance: Tensor) -> Tensor:
    """E log N(u; 0, variance) over u of that mean and of the variance `spread`."""
    return -0.5 * ((mean.square() + spread) / variance + (2 * math.pi * variance).log())


@checks("diffusion-elbo", "diffusion-step-x0", "diffusion-step-eps")
def test_three_terms_add_up_to_the_bound_of_the_whole_chain():
    """The bound is E[log q - log p] of the joint Gaussian of all steps, to the last digits: an entropy from a
    determinant and expected squares from a covariance matrix, where no step's divergence occurs."""
    beta, alpha, bar = tables()
    x0, slope, shift = tensor(0.7), 0.3, 0.1 * torch.arange(T + 1) / T  # any denoiser that is affine in x
    tilde = (1 - bar[:-1]) / (1 - bar[1:]) * beta[1:]
    tilde[0] = tilde[1]  # the last step's, where the posterior has none
    mean, covariance = bar.sqrt() * x0, F.pad(chain_covariance(), (1, 0, 1, 0))  # of x_0 ... x_T given x_0
    log_q = -0.5 * (T * math.log(2 * math.pi * math.e) + covariance[1:, 1:].logdet())
    log_p = expected_log_normal(mean[T], covariance[T, T], tensor(1.0))
    terms, (nodes, shares) = [], map(tensor, np.polynomial.hermite_e.hermegauss(6))
    for t in range(1, T + 1):
        of_x_t = alpha[t].sqrt() * (1 - bar[t - 1]) / (1 - bar[t])
        of_x0 = bar[t - 1].sqrt() * beta[t] / (1 - bar[t])
        row = torch.zeros(T + 1)  # x_{t-1} minus the mean of the model's step, as a row times all x
        row[t - 1], row[t] = 1, -(of_x_t + of_x0 * slope)
        off, spread = row @ mean - of_x0 * shift[t], row @ covariance @ row
        log_p = log_p + expected_log_normal(off, spread, tilde[t - 1])
        eps = nodes  # standard noise, by a rule that is exact for polynomials up to degree 11
        x_t = bar[t].sqrt() * x0 + (1 - bar[t]).sqrt() * eps
        guess = slope * x_t + shift[t]
        noise = (x_t - bar[t].sqrt() * guess) / (1 - bar[t]).sqrt()
        error, of_noise = ((shares * e.square()).sum() / shares.sum() for e in (x0 - guess, eps - noise))
        if t == 1:
            terms.append(-expected_log_normal(off, spread, tilde[0]))
            continue
        snr_before, snr = (bar[k] / (1 - bar[k]) for k in (t - 1, t))
        terms.append(0.5 * (snr_before - snr) * error)
        assert_close(0.5 * (snr_before / snr - 1) * of_noise, terms[-1])
    last = kl_divergence(Normal(mean[T], (1 - bar[T]).sqrt()), Normal(0.0, 1.0))
    assert last > 1e-3
    assert_close(log_q - log_p, sum(terms) + last, rtol=1e-10, atol=1e-10)


@checks("diffusion-best-variance", "diffusion-naive")
def test_variance_of_a_step_back_is_the_posteriors_and_the_denoisers_doubt():
    """The joint density of x_{t-1} and x_t of a mixture on a grid in the plane; the doubt by the package."""
    mixture, path = two_hills(), Linear(T, first=0.05, last=0.5)
    beta, alpha, bar = tables()
    exact, (u, du) = ExactMixture(mixture, path), grid(5.0, 1201)
    for t in (3, 8):
        before = exact.log_prob(u[:, None], torch.full((len(u),), (t - 1) / T))  # log p(x_{t-1})
        joint = (
            before[:, None] + Normal(alpha[t].sqrt() * u[:, None], beta[t].sqrt()).log_prob(u)
        ).exp() * du**2
        marginal = joint.sum(0)
        mean = (joint * u[:, None]).sum(0) / marginal
        variance = (joint * (u[:, None] - mean).square()).sum()
        tilde = (1 - bar[t - 1]) / (1 - bar[t]) * beta[t]
        prediction = exact.predict(u[:, None], torch.full((len(u),), t / T))
        # E |x_0 - E[x_0 | x_t]|^2 = E x_0^2 - E (E[x_0 | x_t])^2
        doubt = 0.9**2 + mixture.variance[0] - (marginal * prediction.x0[:, 0].square()).sum()
        assert_close(
            variance, tilde + (bar[t - 1].sqrt() * beta[t] / (1 - bar[t])) ** 2 * doubt, rtol=1e-5, atol=0
        )
        learnable = (marginal * prediction.eps[:, 0].square()).sum()  # of eps, whose mean square is 1
        naive = (marginal * (mean - u / alpha[t].sqrt()).square()).sum() / variance
        assert_close(naive / (learnable / (1 - learnable)), 1 - tilde / variance, rtol=1e-3, atol=0)


@checks("diffusion-large-variance")
def test_reverse_variance_of_standard_normal_data_is_beta():
    """x_{t-1} and x_t are then jointly normal with variances 1 and covariance sqrt(alpha_t)."""
    beta, alpha, bar = tables()
    t = torch.arange(1, T + 1)
    tilde = (1 - bar[t - 1]) / (1 - bar[t]) * beta[t]
    assert_close(tilde + bar[t - 1] * beta[t].square() / (1 - bar[t]), 1 - alpha[t])
