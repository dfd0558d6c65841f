"""The exact denoiser of a Gaussian, against a mixture of one, against least squares, and against Bayes."""

import pytest
import torch
from torch.distributions import MultivariateNormal
from torch.testing import assert_close

from coursekit.data import GaussianMixture
from coursekit.models.diffusion import ExactGaussian, ExactMixture, gaussian_posterior
from tests.models.diffusion.oracles import PATHS

MEAN = torch.tensor([0.5, -1.0, 0.2], dtype=torch.float64)
ROOT = torch.tensor([[1.0, 0.0, 0.0], [0.8, 0.3, 0.0], [-0.5, 0.2, 0.1]], dtype=torch.float64)
COVARIANCE = ROOT @ ROOT.T


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_round_gaussian_is_a_mixture_of_one(path):
    x, t = torch.randn(5, 2, dtype=torch.float64), torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
    mixture = GaussianMixture([[0.5, -1.0]], 0.25)
    expected = ExactMixture(mixture, path).predict(x, t)
    found = ExactGaussian(torch.tensor([0.5, -1.0]), 0.25 * torch.eye(2), path).predict(x, t)
    assert_close(found.x0, expected.x0)
    assert_close(found.eps, expected.eps)


def test_the_score_is_the_gradient_of_the_log_density_of_x_t():
    """N(a m, a^2 S + sigma^2 I), by torch's distribution and autograd; both readings agree."""
    path, t = PATHS["cosine"], torch.tensor([0.4], dtype=torch.float64)
    scale, noise = path.place(t)
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    density = MultivariateNormal(scale * MEAN, scale**2 * COVARIANCE + noise**2 * torch.eye(3).double())
    (score,) = torch.autograd.grad(density.log_prob(x).sum(), x)
    found = ExactGaussian(MEAN, COVARIANCE, path).predict(x.detach(), t.expand(4))
    assert_close(found.score, score)
    assert_close(scale * found.x0 + noise * found.eps, x.detach())


def test_what_remains_unknown_is_the_posterior_covariance_given_x_t():
    """x_t = a x_0 + sigma eps is itself a measurement of x_0, so the general formula must give the same."""
    path, t = PATHS["vp"], torch.tensor([0.2, 0.7], dtype=torch.float64)
    gaussian, x = ExactGaussian(MEAN, COVARIANCE, path), torch.randn(1, 3, dtype=torch.float64)
    for each, rest in zip(t, gaussian.remaining(t), strict=True):
        scale, noise = path.place(each)
        A = scale * torch.eye(3, dtype=torch.float64)
        mean, covariance = gaussian_posterior(MEAN, COVARIANCE, A, x, noise.item())
        assert_close(rest, covariance)
        assert_close(gaussian.predict(x, each[None]).x0, mean)


def test_the_posterior_satisfies_bayes_rule():
    """log p(x | y) - log p(x) - log p(y | x) is the same for all x: it is minus log p(y)."""
    A, noise = torch.randn(2, 3, dtype=torch.float64), 0.3
    y, x = torch.randn(1, 2, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64)
    mean, covariance = gaussian_posterior(MEAN, COVARIANCE, A, y, noise)
    eye = torch.eye(2, dtype=torch.float64)
    log_p_y = MultivariateNormal(A @ MEAN, A @ COVARIANCE @ A.T + noise**2 * eye).log_prob(y)
    prior = MultivariateNormal(MEAN, COVARIANCE).log_prob(x)
    likelihood = MultivariateNormal(x @ A.T, noise**2 * eye).log_prob(y)
    posterior = MultivariateNormal(mean[0], covariance).log_prob(x)
    assert_close(prior + likelihood - posterior, log_p_y.expand(6))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ExactGaussian(MEAN, torch.eye(2), PATHS["vp"]), r"expected \(D,\) and \(D, D\)"),
        (lambda: ExactGaussian(MEAN[None], COVARIANCE, PATHS["vp"]), r"mean is \(1, 3\)"),
        (lambda: gaussian_posterior(MEAN, COVARIANCE, COVARIANCE, MEAN[None, None], 0.1), r"y \(1, 1, 3\)"),
        (lambda: ExactGaussian(MEAN, -torch.eye(3), PATHS["vp"]), "eigenvalue -1; expected none below 0"),
        (
            lambda: ExactGaussian(MEAN, COVARIANCE, PATHS["vp"]).predict(MEAN[None], torch.ones(1), MEAN),
            "has none",
        ),
    ],
)
def test_what_can_not_be_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
