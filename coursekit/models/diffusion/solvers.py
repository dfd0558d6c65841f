"""Solvers of the probability-flow ODE, whose noise is all in where it starts.

In `time` coordinates the ODE is dx/dt = flow(x, t). In `noise` coordinates, y = x / alpha as a function of
r = sigma / alpha, it is dy/dr = eps(x, t): straighter, but undefined where alpha is 0 (`Straight` at t = 1).
Where alpha nearly vanishes (`Cosine` at t = 1) the first of a few even steps in t is a huge one in r, which
`Heun` does not survive: take times even in log-SNR there, by `even_log_snr`, or start below 1.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from coursekit.models.diffusion.denoiser import Denoises, same_time
from coursekit.models.diffusion.predictions import Prediction
from coursekit.models.diffusion.samplers import Sampler
from coursekit.ops import expand_like


class Euler(Sampler):
    """First order: the slope at the start of a step is kept through it. In noise coordinates it is `DDIM()`.

    Args:
        coordinates: "time" or "noise".
    """

    corrects = False

    def __init__(self, coordinates: str = "time"):
        if coordinates not in ("time", "noise"):
            raise ValueError(f"coordinates is {coordinates!r}; expected 'time' or 'noise'")
        self.coordinates = coordinates

    @torch.no_grad()
    def walk(self, denoiser: Denoises, x: Tensor, times: Tensor, c: Tensor | None = None) -> Iterator[Tensor]:
        if self.coordinates == "noise" and denoiser.path.scale(times[0]) == 0:
            raise ValueError("alpha is 0 at the first time; take coordinates='time', or start below it")
        noises = denoiser.path.noise(times[1:]).tolist()
        for (t, s), noise in zip(pairwise(times), noises, strict=True):
            prediction = denoiser.predict(x, same_time(t, x), c)
            after = self._step(prediction, prediction, s)
            if self.corrects and noise > 0:
                again = denoiser.predict(after, same_time(s, x), c)
                after = (after + self._step(prediction, again, s)) / 2
            x = after
            yield x

    def _step(self, start: Prediction, slope: Prediction, s: Tensor) -> Tensor:
        """x at s, from x_t of `start` along the slope of `slope`."""
        x, s = start.x_t, same_time(s, start.x_t)
        if self.coordinates == "time":
            return x + expand_like(s - start.t, x) * slope.flow
        (scale, noise), (scale_s, noise_s) = start.path.at(start.t, x), start.path.at(s, x)
        return scale_s / scale * x + (noise_s - scale_s / scale * noise) * slope.eps


class Heun(Euler):
    """Second order: an Euler step, then the mean of the slopes at both ends. Two passes a step.

    A step that ends where sigma is 0 stays an Euler step.

    Args:
        coordinates: "time" or "noise".

    Source: Karras et al. 2022 (arXiv:2206.00364), algorithm 1, which is in noise coordinates.
    """

    corrects = True


class DPMSolver2M(Sampler):
    """Second order with one pass a step: x_0 is continued along the line through its last two estimates.

    x_s = sigma_s / sigma_t x_t - alpha_s (exp(-h) - 1) D, where h is by how much log alpha / sigma rises in
    the step, and D = x_0 + h / (2 h_before) (x_0 - x_0_before).
    The first step, and one that ends where sigma is 0, take D = x_0.

    Source: Lu et al. 2022 (arXiv:2211.01095), algorithm 2 (DPM-Solver++(2M)).
    """

    @torch.no_grad()
    def walk(self, denoiser: Denoises, x: Tensor, times: Tensor, c: Tensor | None = None) -> Iterator[Tensor]:
        path, before = denoiser.path, None
        scale, noise = path.scale(times), path.noise(times)
        noisy = (noise > 0).tolist()
        h = (0.5 * path.log_snr(times)).diff()
        for k, t in enumerate(times[:-1]):
            x0 = denoiser.predict(x, same_time(t, x), c).x0
            inner = before is not None and noisy[k + 1]
            ahead = x0 + h[k] / (2 * h[k - 1]) * (x0 - before) if inner else x0
            x = noise[k + 1] / noise[k] * x - scale[k + 1] * torch.expm1(-h[k]) * ahead
            before = x0
            yield x
