"""Denoising diffusion restoration models (Kawar et al. 2022, arXiv:2201.11793)."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from coursekit.models.diffusion import Denoises
from coursekit.models.diffusion.denoiser import same_time
from coursekit.tasks.linear import LinearOperator
from coursekit.tasks.solver import Solver


class DDRM(Solver):
    """A chain over the coordinates of V^T x, each of which is told by y, by the model, or by both.

    With z_t = V^T x_t / alpha_t, its noise level n_t = sigma_t / alpha_t, the model's V^T x_0 and what y
    says, u = U^T y / s with the deviation d = noise / s, the next z is drawn around

    - x_0 + sqrt(1 - eta^2) n_s / n_t (z_t - x_0), deviation eta n_s, where A is blind,
    - x_0 + sqrt(1 - eta^2) n_s / d (u - x_0), deviation eta n_s, where y is noisier than z (n_s < d),
    - (1 - eta_b) x_0 + eta_b u, variance n_s^2 - (eta_b d)^2, elsewhere.

    It starts from u with noise up to n_1 where A sees, from noise elsewhere.

    Args:
        eta: in [0, 1], how much of the noise is drawn anew.
        eta_b: in [0, 1], how much of u is taken where it is the better of the two.

    Source: eq. (4), (5) and (7), (8) of the paper, which has alpha = 1.
    """

    divides = True

    def __init__(self, eta: float = 0.85, eta_b: float = 1.0):
        if not (0 <= eta <= 1 and 0 <= eta_b <= 1):
            raise ValueError(f"eta is {eta}, eta_b is {eta_b}; expected numbers in [0, 1]")
        self.eta, self.eta_b = eta, eta_b

    @torch.no_grad()
    def walk(
        self, denoiser: Denoises, operator: LinearOperator, y: Tensor, noise: float, x: Tensor, times: Tensor
    ) -> Iterator[Tensor]:
        seen, u = operator.seen.to(x.device), operator.coordinates(y)
        d = noise / operator.values.where(operator.seen, 1).to(x)
        scale, deviation = denoiser.path.at(same_time(times[0], x), x)
        level = deviation / scale
        z = operator.rotate(x) / scale
        z = torch.where(seen & (level >= d), u + (1 - (d / level).square()).clamp(min=0).sqrt() * z, z)
        for t, s in pairwise(times):
            scale, _ = denoiser.path.at(same_time(t, x), x)
            x0 = operator.rotate(denoiser.predict(scale * operator.unrotate(z), same_time(t, x)).x0)
            after, deviation = denoiser.path.at(same_time(s, x), x)
            level, before = deviation / after, level
            mean, spread = self._coordinates(z, x0, u, d, seen, level, before)
            z = mean + spread * torch.randn_like(z)
            yield after * operator.unrotate(z)

    def _coordinates(
        self, z: Tensor, x0: Tensor, u: Tensor, d: Tensor, seen: Tensor, level: Tensor, before: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mean and deviation of the next z, (B, *shape)."""
        kept = (1 - self.eta**2) ** 0.5 * level
        blind = x0 + kept / before * (z - x0)
        doubtful = x0 + kept / d.clamp(min=1e-12) * (u - x0)
        better = (1 - self.eta_b) * x0 + self.eta_b * u
        mean = torch.where(seen, torch.where(level < d, doubtful, better), blind)
        trusted = (level.square() - (self.eta_b * d).square()).clamp(min=0).sqrt()
        return mean, torch.where(seen & (level >= d), trusted, self.eta * level)
