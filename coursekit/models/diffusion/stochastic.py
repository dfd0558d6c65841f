"""Samplers that draw noise on the way: the reverse SDE and Langevin dynamics."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from coursekit.models.diffusion.denoiser import Denoises, same_time
from coursekit.models.diffusion.samplers import Sampler
from coursekit.ops import expand_like


class ReverseSDE(Sampler):
    """Euler-Maruyama steps of dx = [f x - g^2 score] dt + g dw, run from noise to data.

    The last step adds no noise. The path's SDE must be finite: on `Straight` start at a t below 1.

    Source: Song et al. 2021 (arXiv:2011.13456), eq. (6).
    """

    @torch.no_grad()
    def walk(self, denoiser: Denoises, x: Tensor, times: Tensor, c: Tensor | None = None) -> Iterator[Tensor]:
        for k, (t, s) in enumerate(pairwise(times)):
            x, noise = self.step(denoiser, x, t, s, c)
            x = x if k == len(times) - 2 else x + noise * torch.randn_like(x)
            yield x

    def step(
        self, denoiser: Denoises, x: Tensor, t: Tensor, s: Tensor, c: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of x at s: (B, *) -> (B, *) and (B, 1, ...)."""
        length, t = t - s, same_time(t, x)
        drift, spread = (expand_like(a(t), x) for a in (denoiser.path.drift, denoiser.path.diffusion))
        score = denoiser.predict(x, t, c).score
        return x - length * (drift * x - spread * score), (length * spread).sqrt()


class PredictorCorrector(Sampler):
    """A step of the reverse SDE, then Langevin steps at the time it has reached, if sigma is above 0 there.

    A Langevin step has size 2 (snr |z| / |score|)^2, with norms averaged over the batch.

    Args:
        snr: how far a step goes, in units of how far its noise goes; above 0.
        corrections: Langevin steps after each step.

    Source: Song et al. 2021 (arXiv:2011.13456), algorithms 2 and 4.
    """

    def __init__(self, snr: float = 0.16, corrections: int = 1):
        if not snr > 0 or corrections < 0:
            raise ValueError(f"snr is {snr}, corrections is {corrections}; expected above 0, and at least 0")
        self.snr, self.corrections, self.predictor = snr, corrections, ReverseSDE()

    @torch.no_grad()
    def walk(self, denoiser: Denoises, x: Tensor, times: Tensor, c: Tensor | None = None) -> Iterator[Tensor]:
        for k, (t, s) in enumerate(pairwise(times)):
            x, noise = self.predictor.step(denoiser, x, t, s, c)
            x = x if k == len(times) - 2 else x + noise * torch.randn_like(x)
            for _ in range(self.corrections if denoiser.path.noise(s) > 0 else 0):
                score, z = denoiser.predict(x, same_time(s, x), c).score, torch.randn_like(x)
                size = 2 * (self.snr * _norm(z) / _norm(score)).square()
                x = langevin_step(x, score, size, z)
            yield x


class Langevin(Sampler):
    """Annealed Langevin dynamics: at each time, the first included, `repeats` steps of size step * sigma^2.

    There are none where sigma is 0. The steps at the first two times count as one step of the sampler.

    Args:
        step: size of a step as a share of the noise's variance, above 0.
        repeats: steps at each time.

    Source: Song & Ermon 2019 (arXiv:1907.05600), algorithm 1, where step is epsilon / sigma_L^2.
    """

    def __init__(self, step: float = 0.2, repeats: int = 100):
        if not step > 0 or repeats < 1:
            raise ValueError(f"step is {step}, repeats is {repeats}; expected above 0, and at least 1")
        self.step, self.repeats = step, repeats

    @torch.no_grad()
    def walk(self, denoiser: Denoises, x: Tensor, times: Tensor, c: Tensor | None = None) -> Iterator[Tensor]:
        for k, t in enumerate(times):
            variance = denoiser.path.noise(t).square()
            for _ in range(self.repeats if variance > 0 else 0):
                score = denoiser.predict(x, same_time(t, x), c).score
                x = langevin_step(x, score, self.step * variance, torch.randn_like(x))
            if k > 0:
                yield x


def langevin_step(x: Tensor, score: Tensor, size: Tensor | float, z: Tensor) -> Tensor:
    """x + size / 2 score + sqrt(size) z, z ~ N(0, I): small steps lead to the density with this score."""
    return x + 0.5 * size * score + size**0.5 * z


def _norm(x: Tensor) -> Tensor:
    """Euclidean norm of a row, averaged over rows: (B, *) -> ()."""
    return x.flatten(1).norm(dim=1).mean()
