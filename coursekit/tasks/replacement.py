"""Replacement: what is measured is put into every step, and the model fills in the rest."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from coursekit.models.diffusion import Denoises, Path, ancestral_step, posterior
from coursekit.models.diffusion.denoiser import same_time
from coursekit.ops import expand_like
from coursekit.tasks.linear import LinearOperator
from coursekit.tasks.solver import Solver


class Replacement(Solver):
    """After each ancestral step the measured coordinates of x_s become alpha_s y + what is missing in noise.

    With a mask and no noise it is RePaint with jumps of one step. For other operators the coordinates are
    those of the singular vectors; one whose measurement, U^T y / s, is noisier than x_s is left to the model.
    Once all are, steps are made once: repeats without y would only forget it.

    Args:
        resampling: how often each step is made; between two of them x_s is noised up to x_t again, so that
            what was filled in can hear of what was put in.

    Source: Lugmayr et al. 2022 (arXiv:2201.09865), algorithm 1.
    """

    def __init__(self, resampling: int = 1):
        if resampling < 1:
            raise ValueError(f"resampling is {resampling}; expected at least 1")
        self.resampling = resampling

    @torch.no_grad()
    def walk(
        self, denoiser: Denoises, operator: LinearOperator, y: Tensor, noise: float, x: Tensor, times: Tensor
    ) -> Iterator[Tensor]:
        known = operator.coordinates(y)
        spread = noise / operator.values.clamp(min=1e-12).to(x)  # of what y says of a coordinate
        for t, s in pairwise(times):
            t, s = same_time(t, x), same_time(s, x)
            scale, deviation = denoiser.path.at(s, x)
            missing = deviation.square() - (scale * spread).square()  # variance, (B, *shape)
            put = operator.seen.to(x.device) & (missing >= 0)
            for again in reversed(range(self.resampling if put.any() else 1)):
                after = ancestral_step(denoiser.predict(x, t), s)
                fresh = scale * known + missing.clamp(min=0).sqrt() * torch.randn_like(x)
                after = operator.unrotate(torch.where(put, fresh, operator.rotate(after)))
                x = self._renoised(denoiser.path, after, s, t) if again else after
            yield x

    def _renoised(self, path: Path, x: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """A draw of q(x_t | x_s)."""
        ratio = expand_like(path.scale(t) / path.scale(s), x)
        return ratio * x + expand_like(posterior(path, s, t).large.sqrt(), x) * torch.randn_like(x)
