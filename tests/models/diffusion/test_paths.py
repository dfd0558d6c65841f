"""Paths and schedules: the discrete reading is the papers', the continuous one its smooth continuation."""

import math

import pytest
import torch
from diffusers import DDPMScheduler, EDMEulerScheduler
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from coursekit.models.diffusion import (
    VE,
    VP,
    Cosine,
    Karras,
    Linear,
    Path,
    Schedule,
    Sigmoid,
    SubVP,
    VariancePreserving,
    even_log_snr,
    even_times,
)
from tests.models.diffusion.oracles import PATHS

T = torch.linspace(0.03, 0.97, 41, dtype=torch.float64)


@pytest.fixture(params=PATHS)
def path(request) -> Path:
    return PATHS[request.param].double()


@pytest.mark.parametrize(
    ("ours", "name"), [(Linear(), "linear"), (Cosine(), "squaredcos_cap_v2")], ids=["linear", "cosine"]
)
def test_schedules_equal_diffusers(ours, name):
    theirs = DDPMScheduler(1000, beta_schedule=name)
    assert_close(ours.betas, theirs.betas)
    assert_close(ours.alpha_bars, theirs.alphas_cumprod, rtol=1e-4, atol=1e-7)


def test_the_sigmoid_schedule_is_its_formula():
    """Chen's algorithm 1, written out for three times."""
    sigmoid = lambda u: 1 / (1 + math.exp(-u))  # noqa: E731
    start, end = sigmoid(-3 / 0.9), sigmoid(3 / 0.9)
    for i in (1, 40, 99):
        expected = (end - sigmoid((6 * i / 100 - 3) / 0.9)) / (end - start)
        assert Sigmoid(100, temperature=0.9).alpha_bars[i - 1].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("schedule", [Linear(), Cosine(), Sigmoid()], ids=["linear", "cosine", "sigmoid"])
def test_both_readings_agree_at_the_steps(schedule):
    """alpha(i / T)^2 is alpha-bar_i, the product of 1 - beta_j, and x_0 is data without noise."""
    t = torch.arange(1, 1001) / 1000
    product = torch.cumprod(1 - schedule.betas.double(), 0)
    assert_close(schedule.alpha_bars.double(), product, rtol=1e-4, atol=1e-7)
    assert_close(schedule.scale(t).square(), schedule.alpha_bars, rtol=1e-4, atol=1e-7)
    zero = torch.zeros(1)
    assert (schedule.scale(zero), schedule.noise(zero)) == (1, 0)


def test_the_continuous_reading_is_smooth_and_falls():
    """A jump of beta(t) at a step, or a rise of alpha-bar, would be an error of the cubics."""
    for schedule in (Linear(50), Cosine(50), Sigmoid(50)):
        schedule = schedule.double()
        steps = torch.arange(1, 50, dtype=torch.float64) / 50
        assert_close(schedule.beta(steps - 1e-9), schedule.beta(steps + 1e-9), rtol=1e-4, atol=1e-4)
        assert (schedule.log_alpha_bar(torch.linspace(0, 1, 2001, dtype=torch.float64)).diff() < 0).all()


@pytest.mark.parametrize("schedule", [Linear(), Cosine(), Sigmoid()], ids=["linear", "cosine", "sigmoid"])
def test_times_in_float64_have_its_digits(schedule):
    """The time of t's log-SNR is t, and alpha-bar is a product; a table in float32 would miss by 1e-8."""
    t = torch.linspace(0.01, 1, 700, dtype=torch.float64)
    assert_close(schedule.time(schedule.log_snr(t)), t, rtol=0, atol=1e-13)
    linear = Linear(10).log_alpha_bar(torch.tensor([0.7], dtype=torch.float64))
    betas = torch.linspace(1e-4, 0.02, 10, dtype=torch.float64)
    assert_close(linear.exp(), torch.prod(1 - betas[:7])[None], rtol=1e-14, atol=0)


def test_the_linear_schedule_approaches_the_vp_sde():
    """With beta_i = beta(i / T) / T the product becomes exp(-integral) as T grows."""
    errors = []
    for steps in (100, 1000):
        linear = Linear(steps, 0.1 / steps, 20 / steps).double()
        errors.append((linear.scale(T) - VP().scale(T)).abs().max().item())
    assert errors[1] < 0.12 * errors[0]
    assert errors[1] < 2e-3


def test_rates_are_derivatives(path):
    t = T.clone().requires_grad_()
    for value, rate in ((path.scale, path.scale_rate), (path.noise, path.noise_rate)):
        constant = not (y := value(t)).requires_grad
        grad = torch.zeros_like(t) if constant else torch.autograd.grad(y.sum(), t)[0]
        assert_close(rate(T), grad)


def test_closed_forms_equal_the_definitions(path):
    """What a subclass writes shorter is what `Path` derives from alpha and sigma."""
    assert_close(path.drift(T), Path.drift(path, T))
    assert_close(path.diffusion(T), Path.diffusion(path, T))
    assert_close(path.log_snr(T), Path.log_snr(path, T))
    for a, b in zip(path.place(T), (path.scale(T), path.noise(T)), strict=True):
        assert_close(a, b)


def test_the_sde_has_the_paths_moments(path):
    """Mean and variance of dx = f x dt + g dw obey m' = f m and V' = 2 f V + g^2: integrated from t = 0.03 on
    they are alpha and sigma^2 (with alpha^2 times a variance at the start)."""
    t = torch.linspace(0.03, 0.9, 4001, dtype=torch.float64)
    f, g2 = path.drift(t), path.diffusion(t)
    assert (g2 > 0).all()
    gain = torch.cat([t.new_zeros(1), torch.cumulative_trapezoid(f, t)]).exp()
    variance = path.noise(t[:1]) ** 2 + torch.trapezoid(g2 / gain.square(), t)
    assert_close(path.scale(t[0]) * gain[-1], path.scale(t[-1]), rtol=1e-4, atol=0)
    assert_close((gain[-1] ** 2 * variance)[0], path.noise(t[-1]) ** 2, rtol=1e-3, atol=0)


def test_time_is_the_inverse_of_log_snr(path):
    assert_close(path.time(path.log_snr(T)), T)


def test_perturb_has_the_moments_of_q(path):
    x0, t = torch.tensor([[2.0, -1.0]], dtype=torch.float64).expand(20_000, 2), T[20].expand(20_000)
    x = path.perturb(x0, t, torch.randn_like(x0))
    scale, noise = path.scale(t[:1]), path.noise(t[:1])
    assert ((x.mean(0) - scale * x0[0]).abs() < 5 * noise / 20_000**0.5).all()
    assert_close(x.std(0), noise.expand(2), rtol=0.03, atol=0)


def test_karras_steps_equal_diffusers():
    theirs = EDMEulerScheduler(0.002, 80.0, rho=7.0)
    theirs.set_timesteps(18)
    sigmas = Karras().noise(even_times(torch.zeros(1), 17))
    assert_close(sigmas, theirs.sigmas[:-1], rtol=1e-4, atol=1e-6)


def test_times_even_in_log_snr():
    path = VP().double()
    times = even_log_snr(torch.zeros(1, dtype=torch.float64), path, 10)
    assert (times[0], times[-1]) == (1.0, 1e-3)
    gaps = path.log_snr(times).diff()
    assert_close(gaps, gaps[:1].expand(10))


def test_priors_start_where_paths_end(path):
    """In standard noise where variance is kept, in noise of sigma(1) elsewhere."""
    x = path.prior_sample(20_000, (2,), torch.zeros(1))
    assert x.shape == (20_000, 2)
    deviation = 1.0 if isinstance(path, VariancePreserving) else path.noise(T.new_ones(())).item()
    assert x.std().item() == pytest.approx(deviation, rel=0.02)


def test_distance_of_a_paths_end_from_its_prior(path):
    """By torch's divergence of normal distributions; it counts what is left of the datum, and its noise."""
    x0, one = torch.randn(3, 2, 2, dtype=torch.float64), T.new_ones(())
    last = Normal(path.scale(one) * x0, path.noise(one))
    prior = Normal(0.0, path.prior_deviation(one))
    assert_close(path.prior_kl(x0), kl_divergence(last, prior).sum((1, 2)))


def test_wrong_numbers_are_named():
    for wrong, message in (
        (lambda: Linear(1), "betas has shape"),
        (lambda: Schedule(torch.tensor([0.1, 1.0])), "below 1"),
        (lambda: Cosine(1), "steps is 1"),
        (lambda: VP(0.0), "beta_min is 0.0"),
        (lambda: SubVP(2.0, 1.0), "beta_max is 1.0"),
        (lambda: VE(3.0, 2.0), "sigma_min is 3.0"),
        (lambda: even_times(T, 0), "steps=0"),
        (lambda: even_times(T, 5, 0.5, 0.5), "two different times"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()
