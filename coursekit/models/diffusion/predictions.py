"""What a network says about x_t, and the five readings of it (Salimans & Ho 2022, arXiv:2202.00512; Lipman
et al. 2023, arXiv:2210.02747)."""

from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import torch
from torch import Tensor

from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.variances import FixedSmall, Variance
from coursekit.ops import expand_like


@dataclass(frozen=True)
class Prediction:
    """An estimate of x_0 and of eps in x_t = alpha x_0 + sigma eps, and all that follows from the two.

    Args:
        x_t: where, (B, *).
        t: when, (B,).
        path: gives alpha and sigma.
        x0: the estimate of x_0, (B, *).
        eps: the estimate of eps, (B, *).
        variance: of a step of the reverse chain from here.
        spread: what the network says about that variance, (B, *), where it is learnt.
    """

    x_t: Tensor
    t: Tensor
    path: Path
    x0: Tensor
    eps: Tensor
    variance: Variance = field(default_factory=FixedSmall)
    spread: Tensor | None = None

    @property
    def v(self) -> Tensor:
        """alpha eps - sigma x_0."""
        scale, noise = self.path.at(self.t, self.x_t)
        return scale * self.eps - noise * self.x0

    @property
    def score(self) -> Tensor:
        """grad log p_t(x_t) = -eps / sigma."""
        return -self.eps / self.path.at(self.t, self.x_t).noise

    @property
    def flow(self) -> Tensor:
        """dx/dt = alpha' x_0 + sigma' eps of the probability-flow ODE."""
        scale_rate, noise_rate = _rates(self.path, self.t, self.x_t)
        return scale_rate * self.x0 + noise_rate * self.eps

    def with_x0(self, x0: Tensor) -> Self:
        """The same with another x_0, and the eps that goes with it."""
        scale, noise = self.path.at(self.t, self.x_t)
        return replace(self, x0=x0, eps=(self.x_t - scale * x0) / noise)

    def with_eps(self, eps: Tensor) -> Self:
        """The same with another eps, and the x_0 that goes with it."""
        scale, noise = self.path.at(self.t, self.x_t)
        return replace(self, x0=(self.x_t - noise * eps) / scale, eps=eps)

    def halves(self) -> tuple[Self, Self]:
        """The predictions of the first and of the last B / 2 rows."""
        rows = {"x_t": self.x_t, "t": self.t, "x0": self.x0, "eps": self.eps, "spread": self.spread}
        cut = {name: (None, None) if a is None else a.chunk(2) for name, a in rows.items()}
        first, last = (replace(self, **{name: pair[i] for name, pair in cut.items()}) for i in (0, 1))
        return first, last


class Parametrization(Protocol):
    """Which of the readings the network's output is."""

    def target(self, path: Path, t: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
        """What the network should say at x_t = alpha x_0 + sigma eps: (B, *) -> (B, *)."""
        ...

    def solve(self, path: Path, t: Tensor, x_t: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
        """x_0 and eps from the network's output at x_t."""
        ...


class Epsilon:
    """The network estimates eps; x_0 = (x_t - sigma eps) / alpha."""

    def target(self, path: Path, t: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
        return eps

    def solve(self, path: Path, t: Tensor, x_t: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
        scale, noise = path.at(t, x_t)
        return (x_t - noise * out) / scale, out


class Data:
    """The network estimates x_0; eps = (x_t - alpha x_0) / sigma."""

    def target(self, path: Path, t: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
        return x0

    def solve(self, path: Path, t: Tensor, x_t: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
        scale, noise = path.at(t, x_t)
        return out, (x_t - scale * out) / noise


class Velocity:
    """The network estimates v = alpha eps - sigma x_0 (arXiv:2202.00512, section 4)."""

    def target(self, path: Path, t: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
        scale, noise = path.at(t, x0)
        return scale * eps - noise * x0

    def solve(self, path: Path, t: Tensor, x_t: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
        scale, noise = path.at(t, x_t)
        square = scale.square() + noise.square()  # 1 where the path preserves variance
        return (scale * x_t - noise * out) / square, (noise * x_t + scale * out) / square


class Score:
    """The network estimates the score, -eps / sigma."""

    def target(self, path: Path, t: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
        return -eps / path.at(t, x0).noise

    def solve(self, path: Path, t: Tensor, x_t: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
        return Epsilon().solve(path, t, x_t, -path.at(t, x_t).noise * out)


class Flow:
    """The network estimates dx/dt = alpha' x_0 + sigma' eps."""

    def target(self, path: Path, t: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
        scale_rate, noise_rate = _rates(path, t, x0)
        return scale_rate * x0 + noise_rate * eps

    def solve(self, path: Path, t: Tensor, x_t: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
        (scale, noise), (scale_rate, noise_rate) = path.at(t, x_t), _rates(path, t, x_t)
        det = scale * noise_rate - noise * scale_rate  # of the two equations for x_0 and eps
        return (noise_rate * x_t - noise * out) / det, (scale * out - scale_rate * x_t) / det


def mix(weight: float, a: Prediction, b: Prediction) -> Prediction:
    """(1 - weight) a + weight b, at the same x_t; what is said of the variance is that of b."""
    return replace(b, x0=torch.lerp(a.x0, b.x0, weight), eps=torch.lerp(a.eps, b.eps, weight))


def _rates(path: Path, t: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    return expand_like(path.scale_rate(t), x), expand_like(path.noise_rate(t), x)
