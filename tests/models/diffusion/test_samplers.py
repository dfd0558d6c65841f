"""Samplers: identities between them, steps equal to diffusers', and moments that approach the truth."""

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    HeunDiscreteScheduler,
)
from torch.testing import assert_close

from coursekit.models.diffusion import (
    DDIM,
    VE,
    VP,
    Ancestral,
    Cosine,
    Denoiser,
    DPMSolver2M,
    Euler,
    ExactMixture,
    FixedLarge,
    FixedSmall,
    Flow,
    Heun,
    Langevin,
    LearnedRange,
    Linear,
    PredictorCorrector,
    ReverseSDE,
    Straight,
    even_log_snr,
    even_times,
)
from tests.models.diffusion.oracles import PATHS, Given, moments, one_gaussian, two_peaks

STEPS = 20
ODE = {"ddim": DDIM(), "euler": Euler(), "heun": Heun(), "heun, noise": Heun("noise"), "dpm": DPMSolver2M()}
SDE = {
    "ancestral": Ancestral(),
    "ddim, eta 1": DDIM(1.0),
    "reverse sde": ReverseSDE(),
    "predictor-corrector": PredictorCorrector(0.05),
}


def says(x, t):
    """An output that depends on x and on t, as a network's does."""
    return torch.sin(2 * x + 3 * t[:, None]) + 0.3 * x


def says_both(x, t):
    """An output with what it says of the variance beside it."""
    return torch.cat([says(x, t), torch.tanh(x)], 1)


def theirs_trace(scheduler, x: torch.Tensor, net=says, seed: int = 3, **keywords) -> torch.Tensor:
    """The loop of diffusers' documentation, after each call."""
    torch.manual_seed(seed)
    scheduler.set_timesteps(STEPS)
    x, film = x * getattr(scheduler, "init_noise_sigma", 1.0), []
    for i in scheduler.timesteps:
        scaled = scheduler.scale_model_input(x, i)
        t = ((i.float() + 1) / 1000).expand(len(x))
        x = scheduler.step(net(scaled, t), i, x, **keywords).prev_sample
        film.append(x)
    return torch.stack(film)


def ours_trace(sampler, path, x: torch.Tensor, net=says, variance=None, seed: int = 3) -> torch.Tensor:
    torch.manual_seed(seed)
    return sampler.trace(Denoiser(Given(net), path, variance=variance), x, steps=STEPS)[1:]


@pytest.mark.parametrize("schedule", ["linear", "squaredcos_cap_v2"])
@pytest.mark.parametrize(
    ("name", "variance", "net"),
    [
        ("fixed_small", FixedSmall(), says),
        ("fixed_large", FixedLarge(), says),
        ("learned_range", LearnedRange(), says_both),
    ],
    ids=["small", "large", "learnt"],
)
def test_ancestral_steps_equal_diffusers(schedule, name, variance, net):
    """The same noise, since both draw it in the same order from the same seed; but theirs adds some of it in
    the last step too, where we end at the mean."""
    path = Linear() if schedule == "linear" else Cosine()
    scheduler = DDPMScheduler(
        beta_schedule=schedule, variance_type=name, clip_sample=False, timestep_spacing="trailing"
    )
    x = torch.randn(8, 3)
    ours = ours_trace(Ancestral(), path, x, net, variance)
    assert_close(ours[:-1], theirs_trace(scheduler, x, net)[:-1], rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_steps_equal_diffusers(eta):
    x = torch.randn(8, 3)
    theirs = DDIMScheduler(clip_sample=False, timestep_spacing="trailing")
    assert_close(ours_trace(DDIM(eta), Linear(), x), theirs_trace(theirs, x, eta=eta), rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize(
    ("sampler", "scheduler"),
    [(Euler("noise"), EulerDiscreteScheduler), (Heun("noise"), HeunDiscreteScheduler)],
    ids=["euler", "heun"],
)
def test_euler_and_heun_steps_equal_diffusers(sampler, scheduler):
    """Theirs move y = x / alpha, so that the start is scaled; the end, at alpha = 1, is the same."""
    x = torch.randn(8, 3)
    theirs = scheduler(beta_start=1e-4, beta_end=0.02, timestep_spacing="trailing")
    path = Linear()
    scale = path.scale(torch.ones(()))
    theirs.set_timesteps(STEPS)
    given = x / scale / theirs.init_noise_sigma
    assert_close(ours_trace(sampler, path, x)[-1], theirs_trace(theirs, given)[-1], rtol=2e-4, atol=2e-4)


def test_dpm_solver_steps_equal_diffusers():
    x = torch.randn(8, 3)
    theirs = DPMSolverMultistepScheduler(timestep_spacing="trailing")
    assert_close(ours_trace(DPMSolver2M(), Linear(), x), theirs_trace(theirs, x), rtol=2e-4, atol=2e-4)


def test_flow_matchings_euler_equals_diffusers():
    theirs = FlowMatchEulerDiscreteScheduler()
    theirs.set_timesteps(sigmas=torch.linspace(1, 1 / STEPS, STEPS).tolist())
    x = start = torch.randn(8, 3)
    for i in theirs.timesteps:
        x = theirs.step(says(x, (i / 1000).expand(8)), i, x).prev_sample
    ours = Euler()(Denoiser(Given(says), Straight(), Flow()), start, steps=STEPS)
    assert_close(ours, x, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["linear", "vp", "ve", "karras", "sub-vp"])
def test_euler_in_noise_coordinates_is_ddim(name):
    exact = ExactMixture(two_peaks(), PATHS[name].double())
    x = exact.path.prior_sample(5, (2,), torch.zeros(1, dtype=torch.float64))
    assert_close(Euler("noise")(exact, x, steps=7), DDIM()(exact, x, steps=7))


def test_on_the_straight_path_all_first_order_solvers_are_one():
    exact = ExactMixture(two_peaks(), Straight())
    x = torch.randn(5, 2, dtype=torch.float64)
    assert_close(Euler()(exact, x, steps=7), DDIM()(exact, x, steps=7))


def test_ddim_with_eta_one_is_ancestral():
    """The same mean and the same variance, so the same path from the same noise."""
    exact = ExactMixture(two_peaks(), Cosine(50).double())
    x = torch.randn(5, 2, dtype=torch.float64)
    out = []
    for sampler in (Ancestral(), DDIM(1.0)):
        torch.manual_seed(1)
        out.append(sampler(exact, x, steps=25))
    assert_close(*out)


@pytest.mark.parametrize("name", ODE | SDE)
def test_moments_approach_the_truth_with_more_steps(name):
    """Mean and covariance of the exact denoiser's samples: far off at 4 steps, near at 64."""
    sampler, mixture = (ODE | SDE)[name], two_peaks()
    exact, n = ExactMixture(mixture, VP()), 4_000
    x = exact.path.prior_sample(n, (2,), torch.zeros(1))
    mean, covariance = moments(mixture)
    errors = []
    for steps in (4, 64):
        y = sampler(exact, x, steps=steps)
        errors.append(((y.mean(0) - mean).abs().max() + (y.T.cov() - covariance).abs().max()).item())
    assert errors[1] < 0.15
    assert errors[1] < 0.6 * errors[0]


def test_langevin_keeps_the_law_that_it_samples():
    """For N(0, v) a step of size a has the stationary variance v / (1 - a / (4 v)), known exactly."""
    exact = ExactMixture(one_gaussian(variance=0.3), VE(0.4, 10.0))
    v = 0.3 + 0.4**2
    size = 0.5 * 0.4**2
    x = 3 * torch.randn(20_000, 2)
    y = Langevin(step=0.5, repeats=60)(exact, x, times=torch.tensor([0.1, 0.0]))
    assert_close(y.var(0), torch.full((2,), v / (1 - size / (4 * v))), rtol=0.04, atol=0)


def test_annealed_langevin_finds_both_peaks_in_their_shares():
    exact = ExactMixture(two_peaks(), VE(0.05, 10.0))
    x = exact.path.prior_sample(4_000, (2,), torch.zeros(1))
    y = Langevin(repeats=30)(exact, x, steps=12)
    assert (y[:, 0] > 0.4).float().mean().item() == pytest.approx(0.36, abs=0.06)


def test_annealed_langevin_walks_at_every_time_and_not_without_noise():
    """Three levels and the end of the straight path, where sigma is 0: when the score is asked."""
    exact, asked = ExactMixture(two_peaks(), Straight()), []
    predict = exact.predict
    exact.predict = lambda x, t, c=None: asked.append(t[0].item()) or predict(x, t, c)
    film = Langevin(repeats=2).trace(exact, torch.randn(3, 2), times=torch.tensor([0.75, 0.5, 0.25, 0.0]))
    assert asked == [0.75, 0.75, 0.5, 0.5, 0.25, 0.25]
    assert film.shape == (4, 3, 2)


def test_a_trace_holds_every_step_of_a_call():
    exact, x = ExactMixture(two_peaks(), VP()), torch.randn(5, 2)
    for sampler in (DDIM(), Heun(), DPMSolver2M()):
        film = sampler.trace(exact, x, steps=6, end=0.1)
        assert film.shape == (7, 5, 2)
        assert_close(film[0], x)
        assert_close(film[-1], sampler(exact, x, steps=6, end=0.1))
        half = sampler(exact, x, times=even_times(x, 6, end=0.1)[:4])
        assert_close(film[3], half)


def test_an_ode_solver_runs_both_ways():
    """Data to noise and back is the identity, but for the solver's error."""
    exact, x = ExactMixture(two_peaks(), VP().double()), torch.randn(5, 2, dtype=torch.float64)
    noise = Heun()(exact, x, steps=400, start=0.01, end=1.0)
    assert_close(Heun()(exact, noise, steps=400, start=1.0, end=0.01), x, rtol=1e-3, atol=1e-3)


def test_other_times_lead_to_the_same_place():
    exact, x = ExactMixture(two_peaks(), VP().double()), torch.randn(5, 2, dtype=torch.float64)
    times = even_log_snr(x, exact.path, 200, end=0.01)
    fine = Heun("noise")(exact, x, steps=500, end=0.01)
    assert_close(DPMSolver2M()(exact, x, times=times), fine, rtol=1e-3, atol=1e-3)


def test_wrong_arguments_are_named():
    for wrong, message in (
        (lambda: DDIM(1.5), "eta is 1.5"),
        (lambda: Euler("space"), "coordinates is 'space'"),
        (lambda: Langevin(0.0), "step is 0.0"),
        (lambda: PredictorCorrector(0.0), "snr is 0.0"),
        (lambda: Heun("noise")(ExactMixture(two_peaks(), Straight()), torch.randn(2, 2)), "alpha is 0"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()
