"""Solvers against the posterior of a Gaussian prior, which is known, and in cases where each is exact."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from coursekit.models.diffusion import DDIM, VP, Cosine, ExactGaussian, Heun, ReverseSDE
from coursekit.tasks import DDRM, DPS, Direct, Exposure, Guided, LikelihoodGuided, Mask, Replacement, Solver
from tests.tasks.gaussian import HALF, MEAN, NOISE, OPERATORS, SHAPE, SMOOTH, D, each, problem


def affine(draw: Callable[[Tensor], Tensor], mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of draw(x) for x ~ N(mean, covariance), where `draw` is affine: no randomness."""
    root = torch.linalg.cholesky(covariance)
    out = draw(torch.cat([mean[None], mean + root.T]).view(-1, *SHAPE)).flatten(1)
    columns = out[1:] - out[0]
    return out[0], columns.T @ columns


@each
def test_the_guided_score_is_that_of_the_posterior(operator):
    """Prior's score + likelihood's score = score of the exact posterior, at every time: Bayes' rule in two
    ways, with y given and without."""
    prior, y, mean, rest = problem(operator, n=6)
    t, x = torch.linspace(0.05, 0.95, 6, dtype=torch.float64), torch.randn(6, *SHAPE, dtype=torch.float64)
    guided = LikelihoodGuided(prior, operator, y, NOISE, prior.remaining)
    exact = ExactGaussian(mean, rest, prior.path)
    for i in range(6):
        one = slice(i, i + 1)
        guided.y = y[one]
        found, expected = guided.predict(x[one], t[one]), exact.predict(x[one], t[one])
        assert_close(found.score, expected.score, rtol=1e-8, atol=1e-8)
        assert_close(found.x0, expected.x0, rtol=1e-8, atol=1e-8)


def test_a_guided_prediction_holds_on_to_no_graph():
    """Not by a learnt variance either: a chain that keeps its steps would keep all passes through the net."""
    prior, y, _, _ = problem(OPERATORS["mask"], n=2)

    class Learnt:
        path = prior.path

        def predict(self, x_t, t, c=None):
            return replace(prior.predict(x_t, t), spread=x_t.sigmoid())

    found = LikelihoodGuided(Learnt(), OPERATORS["mask"], y, NOISE).predict(
        torch.randn_like(y), torch.ones(2)
    )
    assert not any(part.requires_grad for part in (found.x_t, found.x0, found.eps, found.spread))


@each
def test_the_exactly_guided_sampler_reaches_the_posterior_as_steps_grow(operator):
    """Heun's error in mean and covariance falls about fourfold with twice the steps."""
    prior, y, mean, rest = problem(operator, n=D + 1)
    one = torch.ones(1, dtype=torch.float64)
    scale, noise = prior.path.place(one)
    first = scale * mean, scale**2 * rest + noise**2 * torch.eye(D).double()
    errors = []
    for steps in (12, 24, 48):
        solver = Guided(prior.remaining, Heun())
        found, spread = affine(lambda x, s=steps, g=solver: g(prior, operator, y, NOISE, s, x=x), *first)
        errors.append(((found - mean).norm() / mean.norm() + (spread - rest).norm() / rest.norm()).item())
    assert all(b < 0.5 * a for a, b in pairwise(errors))
    assert errors[-1] < 0.06


def test_without_what_is_unknown_of_x0_the_likelihood_is_too_sure():
    """Jensen's approximation leaves out A C_t A^T, so its draws are too narrow where A sees, with however
    many steps; those of the exact likelihood are not."""
    operator, ratio = OPERATORS["crop"], {}
    prior, y, _, rest = problem(operator, n=1000)
    for name, covariance in (("jensen", None), ("exact", prior.remaining)):
        x = Guided(covariance, ReverseSDE())(prior, operator, y.float(), NOISE, 150).flatten(1)
        ratio[name] = (x.var(0) / rest.diagonal())[operator.seen.flatten()].mean().item()
    assert ratio["exact"] == pytest.approx(1, abs=0.12)
    assert ratio["jensen"] < 0.75


def levels(steps: int) -> list[tuple[float, float]]:
    """alpha and sigma of the path at even times from 1 to 0."""
    times = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    return [(a.item(), n.item()) for a, n in zip(*VP().place(times), strict=True)]


def hidden_draws(solver: Solver, variance: float, steps: int, n: int = 2000) -> Tensor:
    """Draws of hidden pixels of a round prior where others are seen exactly; the seen ones are kept."""
    operator = OPERATORS["mask"]
    prior, y, _, _ = problem(operator, variance * torch.eye(D, dtype=torch.float64), noise=1e-9, n=n)
    x, seen = solver(prior, operator, y.float(), 0.0, steps).flatten(1), operator.seen.flatten()
    assert_close(x[:, seen], y.float().flatten(1)[:, seen], rtol=0, atol=1e-5)
    assert_close(x[:, ~seen].mean(0).double(), MEAN[~seen], rtol=0, atol=5 * (variance / n) ** 0.5 + 0.02)
    return x[:, ~seen].double()


@pytest.mark.parametrize("repeats", [1, 3])
def test_replacement_leaves_independent_pixels_to_the_chain(repeats):
    """They have the variance of ancestral steps, by the scalars' own recursion, with what is noised up
    again between two repeats."""
    s2, places = 0.3, levels(30)
    v = 1.0
    for (a, n), (b, m) in pairwise(places):
        ratio = a / b
        added = n**2 - (ratio * m) ** 2
        k = ratio * m**2 / n**2 + b * added / n**2 * a * s2 / (a**2 * s2 + n**2)
        for again in reversed(range(repeats)):
            v = k**2 * v + added * m**2 / n**2
            v = ratio**2 * v + added if again else v
    assert hidden_draws(Replacement(repeats), s2, 30).var(0).mean().item() == pytest.approx(v, rel=0.06)


@pytest.mark.parametrize("eta", [0.0, 0.85, 1.0])
def test_ddrm_leaves_independent_pixels_to_its_own_chain(eta):
    """Their variance by the scalars' own recursion; with all noise drawn anew it tends to half of the true
    one, however many steps there are."""
    s2, places = 0.3, levels(100)
    noise = [n / a for a, n in places]
    v = (1 / places[0][0]) ** 2
    for n, m in pairwise(noise):
        k = s2 / (s2 + n**2)
        v = (k + (1 - eta**2) ** 0.5 * m / n * (1 - k)) ** 2 * v + (eta * m) ** 2
    assert hidden_draws(DDRM(eta), s2, 100).var(0).mean().item() == pytest.approx(v, rel=0.06)
    if eta == 1:
        assert v < 0.55 * s2
    if eta == 0:
        assert v == pytest.approx(s2, rel=0.08)


@pytest.mark.parametrize("eta_b", [1.0, 0.6])
def test_ddrm_weighs_a_noisy_pixel_by_its_three_cases(eta_b):
    """One number with a prior of variance 0.3 and a noise of 0.5: mean and variance over draws by the
    recursion of equations (7) and (8), in scalars."""
    s2, d, eta, y = 0.3, 0.5, 0.85, 1.0
    places = levels(40)
    noise = [n / a for a, n in places]
    mean, v = y, noise[0] ** 2 - d**2
    for n, m in pairwise(noise):
        k = s2 / (s2 + n**2)
        if m >= d:
            rest = (1 - eta_b) * k
            mean, v = rest * mean + eta_b * y, rest**2 * v + m**2 - (eta_b * d) ** 2
        else:
            c = (1 - eta**2) ** 0.5 * m / d
            mean, v = (1 - c) * k * mean + c * y, ((1 - c) * k) ** 2 * v + (eta * m) ** 2
    prior = ExactGaussian(torch.zeros(1), torch.tensor([[s2]]), VP())
    x = DDRM(eta, eta_b)(prior, Mask(torch.ones(1, 1, 1)), torch.full((4000, 1, 1, 1), y), d, 40)
    assert x.mean().item() == pytest.approx(mean, abs=5 * (v / 4000) ** 0.5)
    assert x.var().item() == pytest.approx(v, rel=0.12)


def test_replacement_hands_a_pixel_to_the_model_once_its_measurement_is_the_noisier():
    """One number with a prior of variance 0.3 and a noise of 0.5: put in while it is the better of the two,
    ancestral steps after that; in scalars."""
    s2, d, y, mean, v = 0.3, 0.5, 1.0, 0.0, 1.0
    for (a, n), (b, m) in pairwise(levels(40)):
        if m >= b * d:
            mean, v = b * y, m**2 - (b * d) ** 2
            continue
        ratio, added = a / b, n**2 - (a / b * m) ** 2
        k = ratio * m**2 / n**2 + b * added / n**2 * a * s2 / (a**2 * s2 + n**2)
        mean, v = k * mean, k**2 * v + added * m**2 / n**2
    prior = ExactGaussian(torch.zeros(1), torch.tensor([[s2]]), VP())
    x = Replacement()(prior, Mask(torch.ones(1, 1, 1)), torch.full((4000, 1, 1, 1), y), d, 40)
    assert x.mean().item() == pytest.approx(mean, abs=5 * (v / 4000) ** 0.5)
    assert x.var().item() == pytest.approx(v, rel=0.12)


@pytest.mark.parametrize("operator", [OPERATORS[name] for name in ("mask", "crop", "downsample")])
@pytest.mark.parametrize("solver", [Replacement(), DDRM()], ids=["replacement", "ddrm"])
def test_without_noise_the_measurement_is_kept_to_the_last_digit(operator, solver):
    """Data consistency: A x = y, whatever the prior says."""
    prior, y, _, _ = problem(operator, noise=1e-9, n=3)
    assert_close(operator(solver(prior, operator, y, 0.0, 5)), y, rtol=0, atol=1e-8)


def test_resampling_lets_the_filled_in_hear_of_the_put_in():
    """The error of the hidden pixels' mean falls with the number of repeats."""
    prior, y, mean, _ = problem(OPERATORS["mask"], noise=0.01, n=400)
    hidden, errors = ~HALF.bool().flatten(), []
    for repeats in (1, 6):
        x = Replacement(repeats)(prior, OPERATORS["mask"], y.float(), 0.01, 30).flatten(1).double()
        errors.append((x.mean(0) - mean)[hidden].norm().item())
    assert errors[1] < 0.7 * errors[0]


def test_dps_is_its_two_lines():
    """One step from t = 1 to s, by hand: an ancestral step and the gradient of the norm, by differences."""
    prior, y, _, _ = problem(OPERATORS["blur"], n=2)
    x = torch.randn(2, *SHAPE, dtype=torch.float64)
    times = torch.tensor([0.6, 0.0], dtype=torch.float64)  # the last step draws no noise: x_0 itself

    def length(x: Tensor) -> Tensor:
        x0 = prior.predict(x, times[:1].expand(2)).x0
        return (y - OPERATORS["blur"](x0)).flatten(1).norm(dim=1)

    eye, h = torch.eye(D, dtype=torch.float64).view(D, 1, *SHAPE), 1e-5
    slope = torch.stack([(length(x + h * e) - length(x - h * e)) / (2 * h) for e in eye], 1)
    expected = prior.predict(x, times[:1].expand(2)).x0.flatten(1) - 0.7 * slope
    found = DPS(0.7)(prior, OPERATORS["blur"], y, NOISE, x=x, times=times)
    assert_close(found.flatten(1), expected, rtol=1e-6, atol=1e-6)


def test_dps_brings_draws_nearer_to_the_measurement():
    """Also through an operator that is not linear; and the model's parameters get no gradient."""
    prior = ExactGaussian(MEAN, SMOOTH, Cosine(100))
    operator = Exposure(SHAPE, 1.5)
    y = operator(torch.full((40, *SHAPE), -0.6))
    far, near = (
        (operator(DPS(step)(prior, operator, y, 0.0, 40)) - y).square().mean().item() for step in (1e-6, 0.3)
    )
    assert near < 0.3 * far


def test_a_model_that_reads_the_measurement_is_sampled_with_its_picture():
    """Direct is the sampler, with c = the picture of y."""
    prior = ExactGaussian(MEAN, SMOOTH, VP())

    class Reads:
        path = prior.path

        def predict(self, x_t, t, c=None):
            return prior.predict(x_t - c, t)

    operator, x = OPERATORS["downsample"], torch.randn(3, *SHAPE)
    y = torch.randn(3, *operator.y_shape)
    expected = DDIM()(Reads(), x, operator.picture(y), 4)
    assert_close(Direct(DDIM())(Reads(), operator, y, 0.1, 4, x=x), expected)
