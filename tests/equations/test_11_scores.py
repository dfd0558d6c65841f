"""Chapter 11: every labelled equation against numbers that were computed another way."""

import itertools
import math

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian
from torch.distributions import Categorical, MixtureSameFamily, Normal
from torch.testing import assert_close

from coursekit.models.diffusion import DDIM, Denoiser, Linear
from coursekit.nets import MLP
from tests.equations.registry import checks

LINE = torch.linspace(-14, 14, 8001, dtype=torch.float64)
STEP = (LINE[1] - LINE[0]).item()
MEANS, STDS, WEIGHTS = (
    torch.tensor(v).double() for v in ([-1.5, 0.4, 2.0], [0.5, 0.8, 0.3], [0.3, 0.5, 0.2])
)

PATHS = {  # a(t), sigma(t), f(t), g(t)^2, as the table of the chapter has them, for beta(t) = 0.5 + 3 t
    "VP": (
        lambda t: (-big(t) / 2).exp(),
        lambda t: (1 - (-big(t)).exp()).sqrt(),
        lambda t: -(0.5 + 3 * t) / 2,
        lambda t: 0.5 + 3 * t,
    ),
    "sub-VP": (
        lambda t: (-big(t) / 2).exp(),
        lambda t: 1 - (-big(t)).exp(),
        lambda t: -(0.5 + 3 * t) / 2,
        lambda t: (0.5 + 3 * t) * (1 - (-2 * big(t)).exp()),
    ),
    "VE": (
        lambda t: 1 + 0 * t,
        lambda t: 0.1 * 50**t,
        lambda t: 0 * t,
        lambda t: 2 * math.log(50) * (0.1 * 50**t) ** 2,
    ),
    "straight": (lambda t: 1 - t, lambda t: t, lambda t: -1 / (1 - t), lambda t: 2 * t / (1 - t)),
}
every_path = pytest.mark.parametrize("name", PATHS)


def big(t: Tensor) -> Tensor:
    """B(t), the integral of beta."""
    return 0.5 * t + 1.5 * t**2


def time(t: float) -> Tensor:
    return torch.tensor(t, dtype=torch.float64)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mixture(a: Tensor | float = 1.0, sigma: Tensor | float = 0.0) -> MixtureSameFamily:
    """The density of a x_0 + sigma eps on the line."""
    return MixtureSameFamily(Categorical(WEIGHTS), Normal(a * MEANS, (a**2 * STDS**2 + sigma**2).sqrt()))


def slope(f, x: Tensor) -> Tensor:
    """The derivative of f at each x, by autograd."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]


def score(x: Tensor, a: Tensor | float = 1.0, sigma: Tensor | float = 0.0) -> Tensor:
    return slope(mixture(a, sigma).log_prob, x)


def posterior_mean(value: Tensor, x: Tensor, a: Tensor, sigma: Tensor) -> Tensor:
    """E[value(x_0) | x_t = x] for values on LINE, by Bayes' rule and a sum: (N,)."""
    weight = mixture().log_prob(LINE).exp() * Normal(a * LINE, sigma).log_prob(x[:, None]).exp()  # (N, grid)
    return (weight * value).sum(1) / weight.sum(1)


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
    """In three dimensions there are eight of them: the expectation over v exactly, not by chance."""
    field, x = wiggly(0), normal(3)
    exact = jacobian(lambda x: field(x[None])[0], x).trace()
    signs = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=3)), dtype=torch.float64)
    products = [slope(lambda x, v=v: field(x[None])[0] @ v, x) @ v for v in signs]
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


@checks("view-readings")
def test_the_readings_of_coursekit_follow_from_the_guess_of_noise():
    """x_0 puts x_t together again; the flow is the path's slope in time, by differences."""
    path = Linear(100).double()
    x, t = normal(5, 2), torch.linspace(0.1234, 0.8567, 5, dtype=torch.float64)
    reading = Denoiser(Guess(), path).predict(x, t)
    assert_close(path.perturb(reading.x0, t, reading.eps), x)
    assert_close(reading.score, -reading.eps / path.noise(t)[:, None])
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
