"""Chapter 11, scores: every labelled equation against numbers that were computed another way."""

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian
from torch.distributions import Normal
from torch.testing import assert_close

from coursekit.nets import MLP
from tests.equations.line import (
    LINE,
    MEANS,
    PATHS,
    STDS,
    STEP,
    WEIGHTS,
    every_path,
    mixture,
    normal,
    posterior_mean,
    score,
    slope,
    time,
)
from tests.equations.registry import checks


def wiggly(seed: int) -> nn.Module:
    """A field that is no gradient, (B, D) -> (B, D)."""
    torch.manual_seed(seed)
    return MLP(3, 3, (16,), activation=nn.Tanh).double()


@checks("score-mixture")
def test_the_score_of_a_mixture_is_what_autograd_finds():
    """With another variance for each component."""
    x = normal(50) * 3
    claims = (WEIGHTS.log() + Normal(MEANS, STDS).log_prob(x[:, None])).softmax(1)
    assert_close((claims * (MEANS - x[:, None]) / STDS**2).sum(1), score(x))


@checks("score-matching")
@pytest.mark.parametrize("s", [torch.sin, lambda x: -x / 2, lambda x: torch.tanh(x) * x.cos() + 0.3])
def test_explicit_and_implicit_score_matching_differ_by_a_constant(s):
    """Sums over a grid; the constant is half the mean square of the true score, whatever the field."""
    p, exact = mixture().log_prob(LINE).exp() * STEP, score(LINE)
    explicit = (p * (s(LINE) - exact).square()).sum() / 2
    implicit = (p * (s(LINE).square() / 2 + slope(s, LINE))).sum()
    assert_close(explicit - implicit, (p * exact.square()).sum() / 2)


@checks("score-sliced")
def test_the_mean_over_all_sign_vectors_is_the_trace():
    """In three dimensions there are eight of them: the expectation over xi exactly, not by chance.

    This is all that the sliced loss adds to `score-matching`, whose test has the rest, the constant included.
    """
    field, x = wiggly(0), normal(3)
    exact = jacobian(lambda x: field(x[None])[0], x).trace()
    signs = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=3)), dtype=torch.float64)
    products = [slope(lambda x, xi=xi: field(x[None])[0] @ xi, x) @ xi for xi in signs]
    assert_close(torch.stack(products).mean(), exact)


@checks("dsm-loss")
def test_the_denoising_loss_has_the_explicit_one_s_minimum():
    """Their difference is the same for any field: two of them, by sums over noisy points and data."""
    sigma, data = 0.7, normal(5)
    conditional = Normal(data, sigma).log_prob(LINE[:, None]).exp()  # q(x~ | x_0), (grid, 5)
    p = conditional.mean(1)
    target = (data - LINE[:, None]) / sigma**2
    exact = slope(lambda x: Normal(data, sigma).log_prob(x[:, None]).logsumexp(1), LINE)
    gaps = []
    for s in (torch.sin(LINE), -LINE / 3):
        explicit = (p * (s - exact).square()).sum() * STEP / 2
        denoising = (conditional * (s[:, None] - target).square()).mean(1).sum() * STEP / 2
        gaps.append(explicit - denoising)
    assert_close(gaps[0], gaps[1])


@checks("dsm-tweedie")
def test_the_best_guess_of_the_clean_point_lies_uphill():
    """The posterior mean by Bayes' rule on a grid, and the score by autograd."""
    x, sigma = normal(9) * 2, time(0.6)
    uphill = score(x, 1.0, sigma)
    assert_close((posterior_mean(LINE, x, time(1.0), sigma) - x) / sigma**2, uphill)
    noise = posterior_mean((x[:, None] - LINE) / sigma, x, time(1.0), sigma)
    assert_close(-noise / sigma, uphill)


@checks("dsm-eps")
def test_the_weighted_loss_of_a_score_is_the_loss_of_a_guess_of_noise():
    """The target is the score of the blur, by autograd."""
    sigma, x0, eps, guess = 0.3, normal(6), normal(6, seed=1), normal(6, seed=2)
    target = slope(Normal(x0, sigma).log_prob, x0 + sigma * eps)
    assert_close(sigma**2 * (-guess / sigma - target).square(), (guess - eps).square())


@checks("langevin-stationary")
@pytest.mark.parametrize("test", [torch.sin, lambda x: torch.exp(-(x**2)), lambda x: x**3])
def test_drift_and_noise_leave_every_mean_as_it_is(test):
    """The weak form: E_p[score * phi' + phi''] = 0, as a sum over a grid."""
    p = mixture().log_prob(LINE).exp() * STEP
    first = slope(test, LINE)
    second = slope(lambda x: torch.autograd.grad(test(x).sum(), x, create_graph=True)[0], LINE)
    assert_close((p * (score(LINE) * first + second)).sum(), time(0.0), atol=1e-9, rtol=0)


@checks("langevin-bias")
@pytest.mark.parametrize(("eta", "v"), [(0.1, 1.0), (0.3, 0.5), (1.5, 1.0)])
def test_a_finite_step_settles_too_wide(eta, v):
    """All noise that was ever added, each draw shrunk as often as it was: a geometric series, summed."""
    total = sum(2 * eta * (1 - eta / v) ** (2 * k) for k in range(2000))
    assert total == pytest.approx(v / (1 - eta / (2 * v)))
    assert 2 * eta / (1 - (1 - eta / v) ** 2) == pytest.approx(total)


@checks("score-eps")
@every_path
def test_the_guess_of_noise_is_a_scaled_score_on_every_path(name):
    """The conditional means by Bayes' rule on a grid."""
    a, sigma = (part(time(0.4)) for part in PATHS[name][:2])
    x = normal(9) * 2
    exact = score(x, a, sigma)
    noise = posterior_mean((x[:, None] - a * LINE) / sigma, x, a, sigma)
    assert_close(-noise / sigma, exact)
    assert_close((a * posterior_mean(LINE, x, a, sigma) - x) / sigma**2, exact)


@checks("view-scale")
@every_path
def test_every_path_is_variance_exploding_after_a_division(name):
    """Scores by autograd of two densities, and the two guesses of noise by Bayes' rule."""
    a, sigma = (part(time(0.4)) for part in PATHS[name][:2])
    x = normal(9) * 2
    assert_close(score(x, a, sigma), score(x / a, 1.0, sigma / a) / a)
    here = posterior_mean((x[:, None] - a * LINE) / sigma, x, a, sigma)
    there = posterior_mean((x[:, None] / a - LINE) / (sigma / a), x / a, time(1.0), sigma / a)
    assert_close(here, there)


@checks("score-guidance")
@pytest.mark.parametrize("w", [0.0, 0.5, 1.0, 4.0])
@every_path
def test_a_guided_score_is_a_slope_of_bayes_rule(name, w):
    """log p(c | x) from the shares of all components, by autograd; the score of the class by hand."""
    a, sigma = (part(time(0.4)) for part in PATHS[name][:2])
    x, spread = normal(9) * 2, (a**2 * STDS**2 + sigma**2).sqrt()

    def log_p_of_class(x: Tensor) -> Tensor:
        parts = WEIGHTS.log() + Normal(a * MEANS, spread).log_prob(x[:, None])  # (N, 3)
        return parts.log_softmax(1)[:, 2]

    by_classifier = score(x, a, sigma) + w * slope(log_p_of_class, x)
    of_class = (a * MEANS[2] - x) / spread[2] ** 2
    assert_close(by_classifier, (1 - w) * score(x, a, sigma) + w * of_class)
