"""Toy densities in the plane, all within about [-4, 4]^2, all with an exact log-density.

Most shapes go back to scikit-learn and to FFJORD's experiments (Grathwohl et al. 2019, arXiv:1810.01367).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from coursekit.data.densities import Density, NoisyCurves, normal_log_prob


class GaussianMixture(Density):
    """p(x) = sum_k w_k N(x; m_k, s_k^2 I), in any dimension D.

    Args:
        means: m_k, (K, D).
        variance: s_k^2 > 0, one number or (K,).
        weights: w_k > 0, (K,), normalized here; None makes them equal.
    """

    def __init__(
        self,
        means: Tensor | Sequence[Sequence[float]],
        variance: Tensor | Sequence[float] | float = 1.0,
        weights: Tensor | Sequence[float] | None = None,
    ):
        self.means = torch.as_tensor(means, dtype=torch.float32)
        if self.means.ndim != 2:
            raise ValueError(f"means: expected shape (K, D), got {tuple(self.means.shape)}.")
        k = len(self.means)
        self.variance = self._positive("variance", variance).expand(k)
        weights = self._positive("weights", torch.ones(k) if weights is None else weights)
        if len(weights) != k:
            raise ValueError(f"weights: expected {k}, one for each mean, got {len(weights)}.")
        self.weights = weights / weights.sum()

    @staticmethod
    def _positive(name: str, values: Tensor | Sequence[float] | float) -> Tensor:
        values = torch.as_tensor(values, dtype=torch.float32)
        if not (values > 0).all():
            raise ValueError(f"{name}: expected numbers > 0, got {values.tolist()}.")
        return values

    def _draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        which = torch.bucketize(torch.rand(n, generator=generator), self.weights.cumsum(0)[:-1], right=True)
        noise = torch.randn(n, self.means.shape[1], generator=generator)
        return self.means[which] + self.variance[which].sqrt()[:, None] * noise

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), exact, in nats: (..., D) -> (...)."""
        means, variance, weights = (a.to(x) for a in (self.means, self.variance, self.weights))
        squared = (x[..., None, :] - means).square().sum(-1)
        return (normal_log_prob(squared, variance, means.shape[1]) + weights.log()).logsumexp(-1)


class EightGaussians(GaussianMixture):
    """Eight equal Gaussians on a circle.

    Args:
        radius: of the circle.
        std: standard deviation of each Gaussian.
    """

    def __init__(self, radius: float = 3.0, std: float = 0.3):
        angle = torch.arange(8) * math.pi / 4
        super().__init__(radius * torch.stack([angle.cos(), angle.sin()], -1), std**2)


class GaussianGrid(GaussianMixture):
    """side x side equal Gaussians on a square grid around the origin.

    Args:
        side: number of Gaussians along a side, at least 1.
        spacing: between neighbours.
        std: standard deviation of each Gaussian.
    """

    def __init__(self, side: int = 5, spacing: float = 1.0, std: float = 0.1):
        if side < 1:
            raise ValueError(f"side: expected at least 1 Gaussian along a side, got {side}.")
        ticks = spacing * (torch.arange(side) - (side - 1) / 2)
        super().__init__(torch.cartesian_prod(ticks, ticks), std**2)


class Checkerboard(Density):
    """Uniform on the eight dark fields of a 4 x 4 board over [-4, 4]^2: p = 1/32 there, elsewhere 0."""

    def _draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        column = torch.randint(4, (n,), generator=generator)
        row = 2 * torch.randint(2, (n,), generator=generator) + column % 2
        inside = torch.rand(n, 2, generator=generator).clamp(
            max=1 - 2**-22
        )  # no rounding into the next field
        return 2 * (torch.stack([column, row], -1) + inside) - 4

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), exact, in nats: (..., 2) -> (...)."""
        field = (x / 2).floor()
        dark = (field.sum(-1) % 2 == 0) & ((field >= -2) & (field < 2)).all(-1)
        return torch.where(dark, -math.log(32), -math.inf).to(x)


class Rings(Density):
    """Circles around the origin, equally likely, each blurred by N(0, noise^2 I).

    With I_0 the modified Bessel function, p(x) is the mean over the radii R of
    exp(-(|x|^2 + R^2) / (2 noise^2)) I_0(|x| R / noise^2) / (2 pi noise^2).

    Args:
        radii: R, each > 0.
        noise: standard deviation of the noise, > 0.
    """

    def __init__(self, radii: Sequence[float] = (0.9, 1.8, 2.7, 3.6), noise: float = 0.1):
        if not noise > 0 or not all(radius > 0 for radius in radii):
            raise ValueError(f"expected radii > 0 and noise > 0, got radii={tuple(radii)}, noise={noise}.")
        self.radii, self.noise = torch.tensor(radii), noise

    def _draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        radius = self.radii[torch.randint(len(self.radii), (n,), generator=generator)]
        angle = 2 * math.pi * torch.rand(n, generator=generator)
        circle = radius[:, None] * torch.stack([angle.cos(), angle.sin()], -1)
        return circle + self.noise * torch.randn(n, 2, generator=generator)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), exact, in nats: (..., 2) -> (...)."""
        r, radii = x.norm(dim=-1, keepdim=True), self.radii.to(x)
        bessel = torch.special.i0e(r * radii / self.noise**2).log()
        log_p = normal_log_prob((r - radii).square(), self.noise**2, 2) + bessel
        return log_p.logsumexp(-1) - math.log(len(radii))


class Pinwheel(Density):
    """Gaussian arms N((d, 0), diag(s_r^2, s_t^2)) in a star, then turned by the angle swirl * |x|.

    Turning by an angle that depends on |x| alone keeps areas: p(x) is the star's density, turned back.

    Args:
        arms: their number.
        distance, radial_std, tangential_std: d, s_r, s_t.
        swirl: radians for each unit of length.
    """

    def __init__(
        self,
        arms: int = 5,
        distance: float = 2.0,
        radial_std: float = 0.6,
        tangential_std: float = 0.2,
        swirl: float = 0.6,
    ):
        self.distance, self.swirl = distance, swirl
        self.stds = torch.tensor([radial_std, tangential_std])
        self.angles = 2 * math.pi * torch.arange(arms) / arms

    def _draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        arm = torch.randn(n, 2, generator=generator) * self.stds + torch.tensor([self.distance, 0.0])
        angle = self.angles[torch.randint(len(self.angles), (n,), generator=generator)]
        return turn(arm, angle + self.swirl * arm.norm(dim=-1))

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), exact, in nats: (..., 2) -> (...)."""
        angles, stds = self.angles.to(x), self.stds.to(x)
        back = turn(x[..., None, :], -angles - self.swirl * x.norm(dim=-1, keepdim=True))
        scaled = (back - x.new_tensor([self.distance, 0.0])) / stds
        log_arms = normal_log_prob(scaled.square().sum(-1), 1.0, 2) - stds.log().sum()
        return log_arms.logsumexp(-1) - math.log(len(angles))


def turn(x: Tensor, angle: Tensor) -> Tensor:
    """Points (..., 2) turned about the origin by angles (...), in radians, counter-clockwise."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos * x[..., 0] - sin * x[..., 1], sin * x[..., 0] + cos * x[..., 1]], -1)


class TwoMoons(NoisyCurves):
    """Two half circles that reach into each other, blurred by N(0, noise^2 I)."""

    def __init__(self, noise: float = 0.15):
        super().__init__(self._arcs, noise)

    @staticmethod
    def _arcs(u: Tensor) -> Tensor:
        upper = torch.stack([(math.pi * u).cos() - 0.5, (math.pi * u).sin() - 0.25], -1)
        return 2 * torch.stack([upper, -upper])


class Spirals(NoisyCurves):
    """Two spiral arms of one and a half turns, blurred by N(0, noise^2 I); about even along the arms."""

    def __init__(self, noise: float = 0.1):
        super().__init__(self._arms, noise)

    @staticmethod
    def _arms(u: Tensor) -> Tensor:
        angle = 3 * math.pi * u.sqrt()
        arm = 3.6 * u.sqrt()[..., None] * torch.stack([-angle.cos(), angle.sin()], -1)
        return torch.stack([arm, -arm])


class SwissRoll(NoisyCurves):
    """One spiral seen from the side, as scikit-learn's swiss roll, blurred by N(0, noise^2 I)."""

    def __init__(self, noise: float = 0.1):
        super().__init__(self._roll, noise)

    @staticmethod
    def _roll(u: Tensor) -> Tensor:
        angle = 1.5 * math.pi * (1 + 2 * u)
        return (0.25 * angle[..., None] * torch.stack([angle.cos(), angle.sin()], -1))[None]


class SCurve(NoisyCurves):
    """Two three-quarter circles that form an S, as scikit-learn's S-curve, blurred by N(0, noise^2 I)."""

    def __init__(self, noise: float = 0.1):
        super().__init__(self._halves, noise)

    @staticmethod
    def _halves(u: Tensor) -> Tensor:
        angle = 1.5 * math.pi * u
        half = 1.75 * torch.stack([angle.sin(), angle.cos() - 1], -1)
        return torch.stack([half, -half])
