"""Likelihoods by the probability-flow ODE (Song et al. 2021, arXiv:2011.13456, section 4.3)."""

import math
from itertools import pairwise

import torch
from torch import Tensor
from tqdm.auto import tqdm

from coursekit.models.diffusion.denoiser import Denoises, same_time

EXACT = 16  # dimensions up to which the divergence is summed exactly, unless probes are asked for


def ode_log_prob(
    denoiser: Denoises,
    x: Tensor,
    c: Tensor | None = None,
    steps: int = 100,
    *,
    start: float = 1e-3,
    end: float = 1.0,
    probes: int | None = None,
    progress: bool = False,
) -> Tensor:
    """log p(x | c) = log p_1(x_1) + int_start^1 div u(x_t, t) dt along dx/dt = u, the flow, from x to x_1.

    Classical Runge-Kutta steps (four passes each), even in the square root of t. p_1 is the path's prior, a
    Gaussian of mean 0: exact where alpha(1) is 0. What is computed is the density of x at `start`, where they
    have noise sigma(start).

    Args:
        denoiser: any.
        x: data, (B, *).
        c: condition, as for the denoiser.
        steps: number of steps.
        start: above 0 where sigma(0) is 0, since the estimated flow is infinite there.
        end: at most 1; below it where the flow is infinite at 1.
        probes: random directions by which the divergence is estimated (Hutchinson): unbiased for the
            integral, noisy. None is the exact divergence up to 16 dimensions, one pass back for each, and
            one probe above that.
        progress: show a bar if it takes more than a second.

    Returns:
        (B,), nats.
    """
    if steps < 1 or not 0 <= start < end <= 1:
        raise ValueError(
            f"steps={steps}, start={start}, end={end}; expected at least 1, 0 <= start < end <= 1"
        )
    dims = x[0].numel()
    directions = _directions(x, dims, probes)
    roots = torch.linspace(start**0.5, end**0.5, steps + 1, dtype=torch.float64, device="cpu")
    times = roots.square().to(device=x.device, dtype=x.dtype)
    log_det = x.new_zeros(len(x))
    bar = tqdm(total=steps, unit="step", delay=1, disable=not progress)
    with bar:
        for t, s in pairwise(times):
            x, change = _step(denoiser, x, t, s, c, directions)
            log_det = log_det + change
            bar.update()
    variance = denoiser.path.prior_deviation(times[-1]).square()
    squared = x.flatten(1).square().sum(1)
    return log_det - 0.5 * (squared / variance + dims * (2 * math.pi * variance).log())


def _directions(x: Tensor, dims: int, probes: int | None) -> Tensor:
    """Vectors e with mean of e e^T = I: unit vectors times sqrt(D), or random signs: (K, 1 or B, *)."""
    if probes is None and dims <= EXACT:
        eye = torch.eye(dims, dtype=x.dtype, device=x.device) * math.sqrt(dims)
        return eye.view(dims, 1, *x.shape[1:])
    shape = (probes or 1, *x.shape)
    return 2 * torch.randint(0, 2, shape, device=x.device).to(x.dtype) - 1


def _step(
    denoiser: Denoises, x: Tensor, t: Tensor, s: Tensor, c: Tensor | None, directions: Tensor
) -> tuple[Tensor, Tensor]:
    """One Runge-Kutta step of x and of the integral of the divergence."""
    h = s - t
    u1, d1 = flow_and_divergence(denoiser, x, t, c, directions)
    u2, d2 = flow_and_divergence(denoiser, x + h / 2 * u1, t + h / 2, c, directions)
    u3, d3 = flow_and_divergence(denoiser, x + h / 2 * u2, t + h / 2, c, directions)
    u4, d4 = flow_and_divergence(denoiser, x + h * u3, s, c, directions)
    return x + h / 6 * (u1 + 2 * u2 + 2 * u3 + u4), h / 6 * (d1 + 2 * d2 + 2 * d3 + d4)


@torch.enable_grad()
def flow_and_divergence(
    denoiser: Denoises, x: Tensor, t: Tensor, c: Tensor | None, directions: Tensor
) -> tuple[Tensor, Tensor]:
    """u(x, t), (B, *), and the mean of e^T J e over directions e, (K, 1 or B, *): (B,), without a graph."""
    x = x.detach().requires_grad_()
    flow = denoiser.predict(x, same_time(t, x), c).flow
    total = x.new_zeros(len(x))
    for k, e in enumerate(directions):
        e = e.expand_as(x)
        (product,) = torch.autograd.grad((flow * e).sum(), x, retain_graph=k < len(directions) - 1)
        total = total + (product * e).detach().flatten(1).sum(1)
    return flow.detach(), total / len(directions)
