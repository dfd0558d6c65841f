"""DDPM's schedules, one object for T discrete steps and for continuous time (Ho, Jain & Abbeel 2020,
arXiv:2006.11239)."""

import math

import torch
from torch import Tensor

from coursekit.models.diffusion.path import VariancePreserving


class Schedule(VariancePreserving):
    """alpha-bar_i = prod_{j <= i} (1 - beta_j) at t = i / T; between steps log alpha-bar is a smooth curve.

    The curve is the monotone cubic through the steps' values whose slope at a step is the harmonic mean of
    its neighbours (Fritsch & Butland 1984, doi:10.1137/0905021), so that beta(t) is continuous.

    Args:
        betas: beta_1 ... beta_T, (T,), each above 0 and below 1; at least two.
    """

    betas: Tensor
    alpha_bars: Tensor

    def __init__(self, betas: Tensor):
        super().__init__()
        betas = betas.double()
        if betas.ndim != 1 or len(betas) < 2 or not ((betas > 0) & (betas < 1)).all():
            raise ValueError(
                f"betas has shape {tuple(betas.shape)} and values {betas.min().item():.3g} to"
                f" {betas.max().item():.3g}; expected (T,), T at least 2, above 0 and below 1"
            )
        self.steps = len(betas)
        fall = torch.log1p(-betas)  # log alpha-bar_i - log alpha-bar_{i-1}, (T,)
        values = torch.cat([fall.new_zeros(1), fall.cumsum(0)])  # (T + 1,)
        slopes = 2 * fall[1:] * fall[:-1] / (fall[1:] + fall[:-1])
        slopes = torch.cat([fall[:1], slopes, fall[-1:]])
        m0, m1 = slopes[:-1], slopes[1:]
        cubics = torch.stack([values[:-1], m0, 3 * fall - 2 * m0 - m1, m0 + m1 - 2 * fall], 1)  # (T, 4)
        # rounded, and what rounding left out: their sum has float64's digits on devices without float64
        rounded = cubics.to(torch.get_default_dtype())
        parts = torch.cat([rounded, cubics - rounded], 1)  # (T, 8)
        for name, table in {"betas": betas, "alpha_bars": values[1:].exp(), "cubics": parts}.items():
            self.register_buffer(name, table.to(torch.get_default_dtype()), persistent=False)

    def log_alpha_bar(self, t: Tensor) -> Tensor:
        """log alpha-bar(t), equal to the sum of log(1 - beta_j) at t = i / T."""
        u, (a, b, c, d) = self._cubic(t)
        return a + u * (b + u * (c + u * d))

    def beta(self, t: Tensor) -> Tensor:
        """-d log alpha-bar / dt, continuous."""
        u, (_, b, c, d) = self._cubic(t)
        return -self.steps * (b + u * (2 * c + 3 * u * d))

    def _cubic(self, t: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """How far t is from step i to step i + 1, in [0, 1], and the coefficients of the cubic there."""
        place = t * self.steps
        i = place.floor().clamp(0, self.steps - 1)
        rounded, rest = self.cubics[i.long()].to(t.dtype).chunk(2, dim=-1)  # each (B, 4)
        return place - i, (rounded + rest).unbind(-1)


class Linear(Schedule):
    """beta_i rises in equal steps (section 4 of the DDPM paper).

    Args:
        steps: T.
        first: beta_1.
        last: beta_T.
    """

    def __init__(self, steps: int = 1000, first: float = 1e-4, last: float = 0.02):
        super().__init__(torch.linspace(first, last, steps, dtype=torch.float64, device="cpu"))
        self.first, self.last = first, last


class Cosine(Schedule):
    """alpha-bar(t) = cos^2((t + s) / (1 + s) pi / 2), divided by its value at 0; beta at most 0.999.

    Args:
        steps: T.
        offset: s, which keeps beta_1 from being too small.

    Source: Nichol & Dhariwal 2021 (arXiv:2102.09672), eq. (17).
    """

    def __init__(self, steps: int = 1000, offset: float = 0.008):
        t = _grid(steps)
        super().__init__(_betas(((t + offset) / (1 + offset) * math.pi / 2).cos().square()))
        self.offset = offset


class Sigmoid(Schedule):
    """alpha-bar(t) falls from 1 to 0 as a sigmoid of -(start + t (end - start)) / temperature does.

    Args:
        steps: T.
        start, end: the part of the sigmoid that is used.
        temperature: above 0; more is closer to a straight line.

    Source: Chen 2023 (arXiv:2301.10972), algorithm 1.
    """

    def __init__(self, steps: int = 1000, start: float = -3.0, end: float = 3.0, temperature: float = 1.0):
        place = (start + _grid(steps) * (end - start)) / temperature
        falling = (-place).sigmoid()
        super().__init__(_betas((falling - falling[-1]) / (falling[0] - falling[-1])))
        self.start, self.end, self.temperature = start, end, temperature


def _grid(steps: int) -> Tensor:
    """0, 1/T, ..., 1."""
    if steps < 2:
        raise ValueError(f"steps is {steps}; expected at least 2")
    return torch.linspace(0, 1, steps + 1, dtype=torch.float64, device="cpu")


def _betas(alpha_bar: Tensor) -> Tensor:
    """beta_i = 1 - alpha-bar_i / alpha-bar_{i-1}, at most 0.999: (T + 1,) -> (T,)."""
    return (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=0.999)
