"""Chapter 11, paths: every labelled equation against numbers that were computed another way."""

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from coursekit.data import GaussianMixture
from coursekit.models.diffusion import DDIM, Denoiser, ExactMixture, Linear
from tests.equations.line import LINE, PATHS, every_path, mixture, normal, posterior_mean, score, slope, time
from tests.equations.registry import checks


@checks("sde-coefficients")
@every_path
def test_the_table_of_drifts_and_noises_leads_along_the_path(name):
    """Mean and variance given x_0 carried from t = 0.2 to 0.8 by 500 midpoint steps of their equations."""
    a, sigma, f, g2 = PATHS[name]
    mean, variance, h = a(time(0.2)), sigma(time(0.2)) ** 2, 0.6 / 500
    for i in range(500):
        t, middle = time(0.2 + i * h), time(0.2 + (i + 0.5) * h)
        half_mean = mean * (1 + h / 2 * f(t))
        half = variance + h / 2 * (2 * f(t) * variance + g2(t))
        mean = mean + h * f(middle) * half_mean
        variance = variance + h * (2 * f(middle) * half + g2(middle))
    assert_close(mean, a(time(0.8)), rtol=1e-5, atol=0)
    assert_close(variance, sigma(time(0.8)) ** 2, rtol=1e-5, atol=0)
    t = time(0.4)
    spread, rate = sigma(t), slope(sigma, t)
    assert_close(slope(a, t) / a(t), f(t))
    assert_close(2 * spread * rate - 2 * f(t) * spread**2, g2(t))


@checks("sde-fokker-planck")
@every_path
def test_the_density_changes_as_fokker_and_planck_say(name):
    """The known density of x_t, differentiated by differences in time and by autograd in space."""
    a, sigma, f, g2 = PATHS[name]
    t, h, x = time(0.4), 1e-5, normal(20) * 2

    def density(x: Tensor, t: Tensor) -> Tensor:
        return mixture(a(t), sigma(t)).log_prob(x).exp()

    change = (density(x, t + h) - density(x, t - h)) / (2 * h)
    transport = slope(lambda x: f(t) * x * density(x, t), x)
    curvature = slope(
        lambda x: torch.autograd.grad(density(x, t).sum(), x, create_graph=True)[0], x
    )  # p'' by autograd
    assert_close(change, -transport + g2(t) / 2 * curvature, rtol=1e-5, atol=1e-7)


def velocity(name: str, x: Tensor, t: Tensor) -> Tensor:
    """f x - g^2/2 score, with the exact score."""
    a, sigma, f, g2 = PATHS[name]
    return f(t) * x - g2(t) / 2 * score(x, a(t), sigma(t))


@checks("ode-flow")
@every_path
def test_the_ode_keeps_every_point_at_its_rank(name):
    """On a line no point passes another: carrying p_t along means keeping the distribution function."""
    a, sigma, *_ = PATHS[name]
    x, h = normal(15), 0.6 / 300
    rank = mixture(a(time(0.2)), sigma(time(0.2))).cdf(x)
    for i in range(300):
        t = time(0.2 + i * h)
        middle = x + h / 2 * velocity(name, x, t)
        x = x + h * velocity(name, middle, t + h / 2)
    assert_close(mixture(a(time(0.8)), sigma(time(0.8))).cdf(x), rank, rtol=0, atol=1e-4)


@checks("sde-reverse")
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 2.0])
@every_path
def test_a_step_back_lands_on_the_earlier_density_with_any_noise(name, strength):
    """Gaussian data N(0.7, 0.25): mean and variance after the step, exact but for a square of h."""
    a, sigma, f, g2 = PATHS[name]

    def moments(t: Tensor) -> Tensor:
        return torch.stack([a(t) * 0.7, a(t) ** 2 * 0.25 + sigma(t) ** 2])

    def miss(h: float) -> Tensor:
        t = time(0.5)
        mean, variance = moments(t)
        push = (1 + strength**2) / 2 * g2(t)
        factor = 1 - h * (f(t) + push / variance)  # the score is -(x - mean) / variance
        after = mean - h * f(t) * mean, factor**2 * variance + h * strength**2 * g2(t)
        return (torch.stack(after) - moments(t - h)).abs()

    assert (miss(1e-3) < 1e-3).all()
    assert (miss(5e-4) <= 0.26 * miss(1e-3) + 1e-12).all()


@checks("ode-likelihood")
@every_path
def test_the_likelihood_is_the_end_s_density_and_the_integral_of_the_trace(name):
    """From t = 0.1 to 0.8 with the exact score, against the known density at the start."""
    a, sigma, *_ = PATHS[name]
    start = x = normal(12)
    h, integral = 0.7 / 150, torch.zeros_like(x)

    def both(x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        return velocity(name, x, t), (velocity(name, x + 1e-5, t) - velocity(name, x - 1e-5, t)) / 2e-5

    for i in range(150):
        t = time(0.1 + i * h)
        middle = x + h / 2 * both(x, t)[0]
        v, trace = both(middle, t + h / 2)
        x, integral = x + h * v, integral + h * trace
    end = mixture(a(time(0.8)), sigma(time(0.8))).log_prob(x)
    known = mixture(a(time(0.1)), sigma(time(0.1))).log_prob(start)
    assert_close(end + integral, known, rtol=0, atol=1e-3)


@checks("fm-velocity")
@every_path
def test_the_mean_of_the_velocities_is_that_of_the_probability_flow(name):
    """E[a' x_0 + sigma' eps | x_t] by Bayes' rule on a grid."""
    a, sigma, *_ = PATHS[name]
    t, x = time(0.4), normal(9) * 2
    a_rate = slope(a, t)
    here, spread = a(t), sigma(t)
    moving = a_rate * LINE + slope(sigma, t) * (x[:, None] - here * LINE) / spread
    assert_close(posterior_mean(moving, x, here, spread), velocity(name, x, t))


@checks("fm-weight")
@every_path
def test_the_loss_of_the_velocity_is_a_weighted_loss_of_the_noise(name):
    """The velocity that belongs to a guess of noise, by way of the guess of x_0."""
    a, sigma, f, _ = PATHS[name]
    t, x0, eps, guess = time(0.4), normal(6), normal(6, seed=1), normal(6, seed=2)
    here, spread, rate = a(t), sigma(t), slope(sigma, t)
    a_rate = slope(a, t)
    x_t = here * x0 + spread * eps
    guessed = a_rate * (x_t - spread * guess) / here + rate * guess
    moving = a_rate * x0 + rate * eps
    weight = (rate - f(t) * spread) ** 2
    assert_close((guessed - moving).square(), weight * (guess - eps).square())
    if name == "straight":
        assert_close(weight, 1 / (1 - t) ** 2)


class Guess(nn.Module):
    """Some guess of the noise, which depends on place and time."""

    def forward(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        return torch.tanh(x.flip(1) * 1.3) * (1 - t[:, None]) + x * t[:, None]


class Answer(nn.Module):
    """A network that gives one answer to all."""

    def __init__(self, answer: Tensor):
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        return self.answer


@checks("view-readings")
def test_the_readings_of_coursekit_follow_from_the_guess_of_noise():
    """The score by autograd of a known density, whose noise is known; the flow by differences in time;
    x_0 puts x_t together again."""
    path = Linear(100).double()
    x, t = normal(5, 2), torch.linspace(0.1234, 0.8567, 5, dtype=torch.float64)
    exact = ExactMixture(GaussianMixture([[1.5, 0.0], [-1.0, 1.0]], [0.3, 0.1], [1.0, 2.0]), path)
    known = Denoiser(Answer(exact.predict(x, t).eps), path).predict(x, t)
    assert_close(known.score, slope(lambda x: exact.log_prob(x, t), x))
    reading = Denoiser(Guess(), path).predict(x, t)
    assert_close(path.perturb(reading.x0, t, reading.eps), x)
    later, earlier = (path.perturb(reading.x0, t + h, reading.eps) for h in (1e-6, -1e-6))
    assert_close(reading.flow, (later - earlier) / 2e-6, rtol=1e-4, atol=1e-5)


@checks("view-step")
def test_ddim_is_euler_in_both_other_coordinates():
    """The package's sampler on DDPM's path; by hand with the clocks sigma / a and sigma / (a + sigma)."""
    path, x, times = Linear(100).double(), normal(4, 2), torch.linspace(1, 0.05, 8, dtype=torch.float64)
    a, sigma = path.scale(times), path.noise(times)
    bar, u = x / a[0], x / (a[0] + sigma[0])
    level, tau, guess = sigma / a, sigma / (a + sigma), Guess()
    for i in range(7):
        t = times[i].expand(4)
        bar = bar + (level[i + 1] - level[i]) * guess(a[i] * bar, t)
        eps = guess((a[i] + sigma[i]) * u, t)
        x0 = (u - tau[i] * eps) / (1 - tau[i])
        u = u + (tau[i + 1] - tau[i]) * (eps - x0)
    end = DDIM()(Denoiser(guess, path), x, times=times)
    assert_close(a[-1] * bar, end)
    assert_close((a[-1] + sigma[-1]) * u, end)
