"""Flow matching and rectified flows (Lipman et al. 2023, arXiv:2210.02747; Liu, Gong & Liu 2023,
arXiv:2209.03003)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.models.diffusion.continuous import ContinuousDiffusion
from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.predictions import Flow
from coursekit.models.diffusion.samplers import Sampler
from coursekit.models.diffusion.sdes import Straight
from coursekit.models.diffusion.solvers import Euler
from coursekit.models.diffusion.times import Times, UniformTimes


class FlowMatching(ContinuousDiffusion):
    """dx/dt = net(x, t), a continuous normalizing flow, trained by regression on x_t's own velocity.

    On the straight path that velocity is eps - x_0. Pairs (x_0, eps) that the model itself made, by `pairs`,
    train a rectified flow, whose paths are straighter.

    Args:
        net: (x_t, t, c) -> (B, *).
        shape: of one x.
        path: alpha(t) and sigma(t); None is `Straight()`.
        times: of training; None is uniform on [0, 1].
        drop, clip: as in `Diffusion`.

    Source: Lipman et al. 2023, eq. (9); Liu, Gong & Liu 2023, eq. (1); time runs the other way there.
    """

    sampler = Euler()

    def __init__(
        self,
        net: nn.Module,
        shape: Sequence[int],
        path: Path | None = None,
        times: Times | None = None,
        drop: float = 0.0,
        clip: float | None = None,
    ):
        super().__init__(
            net, shape, path or Straight(), Flow(), times or UniformTimes(), drop=drop, clip=clip
        )

    @torch.no_grad()
    def pairs(
        self, n: int, c: Tensor | None = None, sampler: Sampler | None = None, steps: int = 50
    ) -> tuple[Tensor, Tensor]:
        """n data of the model's own and the noise each came from, (n, *shape): a pair for `losses`."""
        x = self.path.prior_sample(n, self.shape, next(self.parameters()))
        x0 = (sampler or self.sampler)(self.guided(), x, c, steps)
        return x0, x / self.path.noise(torch.ones((), dtype=x.dtype, device=x.device))
