"""Posteriors, readings, and the exact denoiser: algebra that holds to the last digits of float64."""

import pytest
import torch
from torch.distributions import Normal
from torch.testing import assert_close

from coursekit.data import GaussianMixture
from coursekit.models.diffusion import (
    VE,
    VP,
    Clipped,
    Data,
    Denoiser,
    Epsilon,
    ExactMixture,
    FixedLarge,
    FixedSmall,
    Flow,
    LearnedRange,
    Linear,
    Path,
    Preconditioned,
    Reread,
    Score,
    Straight,
    Velocity,
    posterior,
)
from coursekit.ops import expand_like
from tests.models.diffusion.oracles import PATHS, Given, two_peaks

READINGS = {
    "eps": Epsilon(),
    "x0": Data(),
    "v": Velocity(),
    "score": Score(),
    "flow": Flow(),
    "preconditioned": Preconditioned(0.7),
}


@pytest.fixture(autouse=True)
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(params=PATHS)
def path(request) -> Path:
    return PATHS[request.param].double()


def test_the_posterior_is_bayes_rule(path):
    """q(x_s | x_t, x_0) q(x_t | x_0) = q(x_t | x_s) q(x_s | x_0), at any x_0, x_s, x_t."""
    s, t = torch.tensor([0.03, 0.2, 0.61]), torch.tensor([0.1, 0.9, 0.62])
    x_0, x_s, x_t = torch.randn(3, 3)
    step = posterior(path, s, t)
    ratio = path.scale(t) / path.scale(s)
    left = Normal(step.of_x_t * x_t + step.of_x0 * x_0, step.small.sqrt()).log_prob(x_s)
    left = left + Normal(path.scale(t) * x_0, path.noise(t)).log_prob(x_t)
    right = Normal(ratio * x_s, step.large.sqrt()).log_prob(x_t)
    right = right + Normal(path.scale(s) * x_0, path.noise(s)).log_prob(x_s)
    assert_close(left, right)


def test_a_step_of_the_schedule_is_ddpms():
    """Equations (6) and (7) of the paper, in its letters."""
    schedule = Linear(50, 1e-3, 0.3)
    i = torch.arange(2, 51)
    step = posterior(schedule, (i - 1) / 50, i / 50)
    beta, bar, before = schedule.betas[1:], schedule.alpha_bars[1:], schedule.alpha_bars[:-1]
    assert_close(step.large, beta)
    assert_close(step.small, (1 - before) / (1 - bar) * beta)
    assert_close(step.of_x0, before.sqrt() * beta / (1 - bar))
    assert_close(step.of_x_t, (1 - beta).sqrt() * (1 - before) / (1 - bar))


def test_variances_lie_between_beta_tilde_and_beta():
    """The learnt one is a geometric mean; a step to data takes beta-tilde_2, as DDPM's code does."""
    schedule = Linear(50, 1e-3, 0.3)
    s, t = torch.tensor([0.0, 0.5]), torch.tensor([0.02, 0.52])
    bar = schedule.alpha_bars
    second = (1 - bar[0]) / (1 - bar[1]) * schedule.betas[1]
    middle = (1 - bar[24]) / (1 - bar[25]) * schedule.betas[25]
    assert_close(FixedSmall()(schedule, s, t).exp(), torch.stack([second, middle]))
    assert_close(FixedLarge()(schedule, s, t).exp(), torch.stack([second, schedule.betas[25]]))
    learnt = LearnedRange()(schedule, s, t, torch.tensor([[-1.0, 1.0, 0.0]]).expand(2, 3)).exp()
    assert_close(learnt[1], torch.stack([middle, schedule.betas[25], (middle * schedule.betas[25]).sqrt()]))
    assert_close(learnt[0, 1], schedule.betas[0])
    with pytest.raises(ValueError, match="spread is None"):
        LearnedRange()(schedule, s, t, None)


@pytest.mark.parametrize("reading", READINGS)
def test_every_reading_of_the_truth_gives_back_x0_and_eps(path, reading):
    x0, eps, t = torch.randn(9, 3), torch.randn(9, 3), torch.linspace(0.05, 0.95, 9)
    x_t, parametrization = path.perturb(x0, t, eps), READINGS[reading]
    solved = parametrization.solve(path, t, x_t, parametrization.target(path, t, x0, eps))
    assert_close(solved, (x0, eps))


@pytest.mark.parametrize("reading", READINGS)
def test_networks_of_every_reading_are_the_same_denoiser(path, reading):
    """The exact denoiser, said in other words, predicts the same."""
    exact, parametrization = ExactMixture(two_peaks(), path), READINGS[reading]

    def words(x, t):
        prediction = exact.predict(x, t)
        return parametrization.target(path, t, prediction.x0, prediction.eps)

    x, t = torch.randn(9, 2), torch.linspace(0.05, 0.95, 9)
    ours, theirs = Denoiser(Given(words), path, parametrization).predict(x, t), exact.predict(x, t)
    for name in ("x0", "eps", "v", "score", "flow"):
        assert_close(getattr(ours, name), getattr(theirs, name))


def test_the_score_is_the_gradient_of_the_log_density(path):
    exact = ExactMixture(two_peaks(), path)
    x, t = torch.randn(9, 2).requires_grad_(), torch.linspace(0.05, 0.95, 9)
    (grad,) = torch.autograd.grad(exact.log_prob(x, t).sum(), x)
    assert_close(exact.predict(x, t).score, grad)


def test_the_noised_mixture_is_a_mixture():
    """p_t has means alpha m and variances alpha^2 s^2 + sigma^2, which the data's own density computes."""
    path, mixture = PATHS["straight"], two_peaks()
    noised = GaussianMixture(0.6 * mixture.means, 0.36 * mixture.variance + 0.16, mixture.weights)
    x = torch.randn(9, 2)
    ours = ExactMixture(mixture, path).log_prob(x, torch.full((9,), 0.4))
    assert_close(ours, noised.log_prob(x), rtol=1e-5, atol=1e-5)


def test_x0_is_the_posterior_mean(path):
    """E[x_0 | x_t] by importance weights of many data."""
    mixture, t = two_peaks(), torch.tensor([0.5])
    data = mixture.sample(200_000).double()
    x_t = path.perturb(torch.tensor([[0.4, 0.3]]), t, torch.tensor([[0.3, -0.2]]))
    scale, noise = path.at(t, x_t)
    weights = (-0.5 * ((x_t - scale * data) / noise).square().sum(1)).softmax(0)
    assert_close(ExactMixture(mixture, path).predict(x_t, t).x0[0], weights @ data, rtol=0.03, atol=0.03)


def test_readings_follow_a_changed_x0_or_eps(path):
    x, t = torch.randn(4, 2), torch.full((4,), 0.4)
    prediction = ExactMixture(two_peaks(), path).predict(x, t)
    x0 = torch.randn(4, 2)
    changed = prediction.with_x0(x0)
    assert_close(path.perturb(x0, t, changed.eps), x)
    assert_close(prediction.with_eps(changed.eps).x0, x0)


def test_clipping_holds_x0_and_keeps_x_t():
    path, x, t = PATHS["cosine"].double(), 3 * torch.randn(4, 2), torch.full((4,), 0.4)
    clipped = Clipped(ExactMixture(two_peaks(), path), 0.5).predict(x, t)
    assert clipped.x0.abs().max() == 0.5
    assert_close(path.perturb(clipped.x0, t, clipped.eps), x)


def test_all_paths_are_one_denoiser(path):
    """The exact denoiser of another path, read on this one, is its own: the same x_0, score and flow."""
    for other in (VP(), Straight(), VE(1e-3, 1e3)):
        reread, own = Reread(ExactMixture(two_peaks(), other), path), ExactMixture(two_peaks(), path)
        x, t = torch.randn(9, 2), torch.linspace(0.3, 0.8, 9)
        for name in ("x0", "eps", "score", "flow"):
            assert_close(getattr(reread.predict(x, t), name), getattr(own.predict(x, t), name))


def test_a_network_of_the_wrong_width_is_named():
    denoiser = Denoiser(Given(lambda x, t: x), Linear(10), variance=LearnedRange())
    with pytest.raises(ValueError, match=r"gave \(4, 2\) for x_t \(4, 2\); expected \(4, 4\)"):
        denoiser.predict(torch.randn(4, 2), torch.full((4,), 0.4))


def test_images_keep_their_shape():
    means = torch.randn(3, 1, 4, 4)
    mixture = GaussianMixture(means.flatten(1), 0.1)
    mixture.means = means
    x, t = torch.randn(5, 1, 4, 4), torch.rand(5)
    image, flat = (
        ExactMixture(mixture, PATHS["vp"]),
        ExactMixture(GaussianMixture(means.flatten(1), 0.1), PATHS["vp"]),
    )
    a, b = image.predict(x, t), flat.predict(x.flatten(1), t)
    assert a.x0.shape == a.eps.shape == a.flow.shape == x.shape
    assert_close(a.x0.flatten(1), b.x0)
    assert_close(expand_like(image.log_prob(x, t), t), flat.log_prob(x.flatten(1), t))
