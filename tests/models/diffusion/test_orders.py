"""Solvers of the probability-flow ODE converge at their order: the same noise, an end at t > 0, and a fine
solution as the truth."""

import pytest
import torch

from coursekit.models.diffusion import (
    DDIM,
    VP,
    DPMSolver2M,
    Euler,
    ExactMixture,
    Heun,
    Karras,
    Linear,
    Straight,
    even_log_snr,
)
from tests.models.diffusion.oracles import two_peaks

END, COUNTS = 0.1, (32, 64, 128)
PATHS = {
    "vp": VP(),
    "linear schedule": Linear(1000, 1e-4, 0.01),
    "straight": Straight(),
    "karras": Karras(0.05, 10.0, 3.0),
}
SOLVERS = {
    "euler": (Euler(), 1),
    "ddim": (DDIM(), 1),
    "heun": (Heun(), 2),
    "heun, noise": (Heun("noise"), 2),
    "dpm-solver++(2m)": (DPMSolver2M(), 2),
}


@pytest.fixture(scope="module", params=PATHS)
def problem(request):
    """A denoiser, its start, and where the ODE leads to."""
    exact = ExactMixture(two_peaks(), PATHS[request.param]).double()
    torch.manual_seed(0)
    x = exact.path.prior_sample(32, (2,), torch.zeros(1, dtype=torch.float64))
    start = 0.98 if request.param == "straight" else 1.0
    return exact, x, start, Heun()(exact, x, steps=1000, start=start, end=END)


@pytest.mark.parametrize("name", SOLVERS)
def test_the_error_falls_at_the_solvers_order(problem, name):
    exact, x, start, truth = problem
    solver, order = SOLVERS[name]
    errors = []
    for steps in COUNTS:
        errors.append((solver(exact, x, steps=steps, start=start, end=END) - truth).square().mean().sqrt())
    slope = -torch.stack(errors).log2().diff().mean().item()
    assert slope == pytest.approx(order, abs=0.3)


def test_dpm_solver_keeps_its_order_on_times_even_in_log_snr(problem):
    exact, x, start, truth = problem
    errors = []
    for steps in COUNTS:
        times = even_log_snr(x, exact.path, steps, start, END)
        errors.append((DPMSolver2M()(exact, x, times=times) - truth).square().mean().sqrt())
    slope = -torch.stack(errors).log2().diff().mean().item()
    assert slope == pytest.approx(2, abs=0.3)
