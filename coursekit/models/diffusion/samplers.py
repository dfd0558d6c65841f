"""Samplers: ways from noise to data along a path, for any denoiser."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor
from tqdm.auto import tqdm

from coursekit.models.diffusion.denoiser import Denoises, same_time
from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.predictions import Prediction
from coursekit.models.diffusion.variances import posterior
from coursekit.ops import expand_like


class Sampler:
    """Takes x from the first time to the last, step by step; a subclass says what a step is."""

    def __call__(
        self,
        denoiser: Denoises,
        x: Tensor,
        c: Tensor | None = None,
        steps: int = 50,
        *,
        start: float = 1.0,
        end: float = 0.0,
        times: Tensor | None = None,
        progress: bool = False,
    ) -> Tensor:
        """x at the last time: (B, *) -> (B, *).

        Args:
            denoiser: any: a `Denoiser`, a guided one, an exact one.
            x: a draw at the first time, (B, *): noise, or data that were noised up to there.
            c: condition, as for the denoiser.
            steps: number of equal steps.
            start, end: first and last time, in [0, 1].
            times: all times, (steps + 1,), in place of `steps`, `start` and `end`.
            progress: show a bar if it takes more than a second.
        """
        times = even_times(x, steps, start, end) if times is None else times.to(x)
        bar = tqdm(total=len(times) - 1, unit="step", delay=1, disable=not progress)
        with bar:
            for after in self.walk(denoiser, x, times, c):  # noqa: B007
                bar.update()
        return after

    def trace(
        self, denoiser: Denoises, x: Tensor, c: Tensor | None = None, steps: int = 50, **keywords
    ) -> Tensor:
        """x at every time, for films: (steps + 1, B, *); arguments as in a call, but no bar."""
        times = keywords.pop("times", None)
        times = even_times(x, steps, **keywords) if times is None else times.to(x)
        return torch.stack([x, *self.walk(denoiser, x, times, c)])

    def walk(self, denoiser: Denoises, x: Tensor, times: Tensor, c: Tensor | None = None) -> Iterator[Tensor]:
        """Yields x after each step between `times`, (steps + 1,)."""
        raise NotImplementedError


def first_and_last(start: float = 1.0, end: float = 0.0, times: Tensor | None = None) -> tuple[float, float]:
    """The ends of a walk, from the keywords of `Sampler`."""
    return (start, end) if times is None else (float(times[0]), float(times[-1]))


def even_times(like: Tensor, steps: int, start: float = 1.0, end: float = 0.0) -> Tensor:
    """start, ..., end in equal steps: (steps + 1,), in the precision of `like`."""
    if steps < 1 or not (0 <= start <= 1 and 0 <= end <= 1 and start != end):
        raise ValueError(
            f"steps={steps}, start={start}, end={end}; expected at least 1, and two different times in [0, 1]"
        )
    times = torch.linspace(start, end, steps + 1, dtype=torch.float64, device="cpu")
    return times.to(device=like.device, dtype=like.dtype)


def even_log_snr(like: Tensor, path: Path, steps: int, start: float = 1.0, end: float = 1e-3) -> Tensor:
    """Times at which log-SNR rises in equal steps from that at `start` to that at `end`: (steps + 1,)."""
    first, last = path.log_snr(torch.tensor([start, end], dtype=like.dtype, device=like.device))
    share = even_times(like, steps, 0.0, 1.0)
    times = path.time(torch.lerp(first, last, share))
    times[0], times[-1] = start, end
    return times


class Ancestral(Sampler):
    """x_s = posterior mean at the estimated x_0 + noise: algorithm 2 of DDPM, and its like on other paths.

    The variance is the denoiser's own. A step that ends where sigma is 0 adds no noise.

    Source: Ho, Jain & Abbeel 2020 (arXiv:2006.11239), eq. (6) and (7).
    """

    @torch.no_grad()
    def walk(self, denoiser: Denoises, x: Tensor, times: Tensor, c: Tensor | None = None) -> Iterator[Tensor]:
        for t, s in pairwise(times):
            x = ancestral_step(denoiser.predict(x, same_time(t, x), c), same_time(s, x))
            yield x


def ancestral_step(prediction: Prediction, s: Tensor) -> Tensor:
    """A draw of the model's x_s given x_t: the posterior's mean at the estimated x_0, with the variance that
    the prediction carries; none where sigma is 0 at s: (B,) -> (B, *)."""
    x, path = prediction.x_t, prediction.path
    step = posterior(path, s, prediction.t)
    mean = expand_like(step.of_x_t, x) * x + expand_like(step.of_x0, x) * prediction.x0
    log_variance = prediction.variance(path, s, prediction.t, prediction.spread)
    noisy = expand_like((path.noise(s) > 0).to(x.dtype), x)
    return mean + noisy * expand_like((0.5 * log_variance).exp(), x) * torch.randn_like(x)


class DDIM(Sampler):
    """x_s = alpha_s x_0 + sqrt(sigma_s^2 - r^2) eps + r z, with r = eta times the posterior's deviation.

    eta = 0 draws no noise: x is a function of where it started. eta = 1 has the law of `Ancestral` with
    `FixedSmall`.

    Args:
        eta: at least 0, at most 1.

    Source: Song, Meng & Ermon 2021 (arXiv:2010.02502), eq. (12) and (16).
    """

    def __init__(self, eta: float = 0.0):
        if not 0 <= eta <= 1:
            raise ValueError(f"eta is {eta}; expected a number in [0, 1]")
        self.eta = eta

    @torch.no_grad()
    def walk(self, denoiser: Denoises, x: Tensor, times: Tensor, c: Tensor | None = None) -> Iterator[Tensor]:
        for t, s in pairwise(times):
            t, s = same_time(t, x), same_time(s, x)
            prediction = denoiser.predict(x, t, c)
            scale, noise = denoiser.path.at(s, x)
            if self.eta == 0:
                x = scale * prediction.x0 + noise * prediction.eps
            else:
                fresh = self.eta * expand_like(posterior(denoiser.path, s, t).small.sqrt(), x)
                kept = (noise.square() - fresh.square()).clamp(min=0).sqrt()
                x = scale * prediction.x0 + kept * prediction.eps + fresh * torch.randn_like(x)
            yield x
