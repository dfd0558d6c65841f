"""What the 2-D toy densities share: endless batches, and the exact density of a noisy curve."""

import copy
import math
from collections.abc import Callable
from functools import cached_property
from typing import Self

import numpy as np
import torch
from torch import Tensor

from coursekit.data.walk import check_batch, generator


class Density:
    """A distribution p(x) over the plane; a subclass gives `sample` and `log_prob`.

    Points are drawn in float32 on the CPU and moved, so that every device sees the same data.
    """

    device: torch.device | str = "cpu"

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n independent points, (n, 2).

        Args:
            n: how many, >= 0.
            generator: a CPU generator; None is torch's global one.
        """
        return self._draw(n, generator).to(self.device)

    def _draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        raise NotImplementedError

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), exact, in nats: (..., 2) -> (...)."""
        raise NotImplementedError

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[Tensor, None]:
        """Fresh points (size, 2) for every step and no condition; a pure function of (step, size, seed)."""
        check_batch(step, size, seed)
        return self.sample(size, generator(seed, step)), None

    def to(self, device: torch.device | str) -> Self:
        """The same density, sampling onto another device."""
        other = copy.copy(self)
        other.device = device
        return other


def normal_log_prob(squared: Tensor, variance: Tensor | float, dims: int) -> Tensor:
    """log N(x; m, variance I) from the squared distance |x - m|^2, in `dims` dimensions, nats."""
    variance = torch.as_tensor(variance, dtype=squared.dtype, device=squared.device)
    return -0.5 * (squared / variance + dims * (math.log(2 * math.pi) + variance.log()))


class NoisyCurves(Density):
    """K smooth curves, equally likely: x = curve_k(u) + noise * eps, with u ~ U(0, 1) and eps ~ N(0, I).

        p(x) = 1/K sum_k integral_0^1 N(x; curve_k(u), noise^2 I) du

    The integral has no closed form; Gauss-Legendre nodes closer together than the noise make it exact to
    the last digits of float32. With u = v^2 curves in sqrt(u), such as the spiral's, are smooth in v.

    Args:
        curves: u (M,) -> points (K, M, 2), in the precision of u.
        noise: standard deviation of the noise, > 0.
    """

    def __init__(self, curves: Callable[[Tensor], Tensor], noise: float):
        if not noise > 0:
            raise ValueError(f"noise: expected a standard deviation > 0, got {noise}.")
        self.curves, self.noise = curves, noise

    def _draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        points = self.curves(torch.rand(n, generator=generator))
        which = torch.randint(len(points), (n,), generator=generator)
        return points[which, torch.arange(n)] + self.noise * torch.randn(n, 2, generator=generator)

    @cached_property
    def _quadrature(self) -> tuple[Tensor, Tensor]:
        """Nodes (J, 2) and log-weights (J,) with p(x) = sum_j w_j N(x; node_j, noise^2 I), float64."""
        v = torch.linspace(0, 1, 2001, dtype=torch.float64)
        speed = 2000 * self.curves(v.square()).diff(dim=1).norm(dim=-1)
        spacing = math.pi * (v * (1 - v)).sqrt()[1:] * speed  # of n nodes at v, times n
        n = max(64, math.ceil(1.25 * spacing.max().item() / self.noise))
        nodes, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(n))
        v, weights = (nodes + 1) / 2, weights / 2
        points = self.curves(v.square())
        log_weights = (2 * v * weights).log() - math.log(len(points))
        return points.flatten(0, 1), log_weights.repeat(len(points))

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), exact to float precision, in nats: (..., 2) -> (...)."""
        nodes, log_weights = (a.to(x) for a in self._quadrature)
        rows = max(1, 2**17 // len(nodes))  # as many as stay in the processor's cache
        log_p = [self._log_prob(part, nodes, log_weights) for part in x.reshape(-1, 2).split(rows)]
        return torch.cat(log_p).reshape(x.shape[:-1])

    def _log_prob(self, x: Tensor, nodes: Tensor, log_weights: Tensor) -> Tensor:
        squared = sum((x[:, i, None] - nodes[:, i]).square() for i in range(2))
        return (normal_log_prob(squared, self.noise**2, 2) + log_weights).logsumexp(-1)
