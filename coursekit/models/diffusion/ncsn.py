"""Noise-conditional score networks (Song & Ermon 2019, arXiv:1907.05600)."""

from collections.abc import Sequence

from torch import nn

from coursekit.models.diffusion.continuous import ContinuousDiffusion
from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.predictions import Epsilon
from coursekit.models.diffusion.sdes import VE
from coursekit.models.diffusion.stochastic import Langevin
from coursekit.models.diffusion.times import GridTimes


class NCSN(ContinuousDiffusion):
    """Scores at a row of noise levels, s(x, sigma) = -net(x, t) / sigma, sampled by Langevin dynamics.

    Args:
        net: (x_t, t, c) -> (B, *).
        shape: of one x.
        path: sigma(t); None is `VE()`. The levels are at t = 0, 1 / (levels - 1), ..., 1.
        levels: how many, at least 2; sampling walks at each.
        drop, clip: as in `Diffusion`.

    Source: Song & Ermon 2019, eq. (5) and (6) with lambda = sigma^2; the division by sigma is that of
    Song & Ermon 2020 (arXiv:2006.09011).
    """

    sampler = Langevin()

    def __init__(
        self,
        net: nn.Module,
        shape: Sequence[int],
        path: Path | None = None,
        levels: int = 10,
        drop: float = 0.0,
        clip: float | None = None,
    ):
        if levels < 2:
            raise ValueError(f"levels is {levels}; expected at least 2")
        super().__init__(net, shape, path or VE(), Epsilon(), GridTimes(levels), drop=drop, clip=clip)
        self.levels, self.steps = levels, levels - 1
