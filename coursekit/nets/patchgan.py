"""A critic that scores patches of an image (Isola et al. 2017, arXiv:1611.07004)."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from coursekit.nets.condition import condition_image
from coursekit.nets.dcgan import NORMS, small_weights

PATCHES = {
    1: ((1, 1), (1, 1), (1, 1)),
    8: ((4, 2), (3, 1), (1, 1)),
    16: ((4, 2), (3, 2), (3, 1)),
    28: ((4, 2), (3, 2), (6, 1)),
}
"""Three layers of (kernel, stride) each, by the side of the patch that a score sees; 28 is a whole glyph."""


class PatchGAN(nn.Module):
    """Convolutions with leaky ReLUs, each number of the last a raw score: (B, C, H, W) -> (B, 1, h, w).

    A score sees a square of the image whose side is the receptive field,

        k = 1 + sum_l (k_l - 1) s_1 ... s_(l-1),

    and its neighbour a square that lies s_1 ... s_L pixels further on. Nothing is padded (its authors'
    code pads by one pixel), so all patches lie inside the image and are treated alike.

    Args:
        channels: C.
        c_channels: channels of a condition that is an image of the same size; 0 for none.
        layers: (k_l, s_l), kernel and stride of every convolution; see `PATCHES`.
        width: channels after the first convolution; each further one but the last doubles them.
        norm: of the layers between the first and the last: "none"; or "batch" or "layer", and then a score
            depends on more than its patch, through the statistics.

    Raises:
        ValueError: another norm, or no layers.
    """

    def __init__(
        self,
        channels: int = 1,
        c_channels: int = 0,
        layers: Sequence[Sequence[int]] = PATCHES[16],
        width: int = 32,
        norm: str = "none",
    ):
        super().__init__()
        if norm not in NORMS or not layers:
            raise ValueError(f"norm must be one of {', '.join(NORMS)} and layers not empty; got {norm!r}")
        self.channels, self.c_channels, self.width, self.norm = channels, c_channels, width, norm
        self.layers = tuple((kernel, stride) for kernel, stride in layers)
        widths = [channels + c_channels, *(width * 2**i for i in range(len(layers) - 1)), 1]
        parts: list[nn.Module] = []
        for i, ((n_in, n_out), (kernel, stride)) in enumerate(
            zip(pairwise(widths), self.layers, strict=True)
        ):
            parts.append(nn.Conv2d(n_in, n_out, kernel, stride))
            if i < len(layers) - 1:
                parts += [NORMS[norm](n_out) if i else nn.Identity(), nn.LeakyReLU(0.2, inplace=True)]
        self.net = nn.Sequential(*parts)
        self.apply(small_weights)

    @property
    def stride(self) -> int:
        """How many pixels lie between neighbouring patches."""
        return math.prod(stride for _, stride in self.layers)

    @property
    def receptive_field(self) -> int:
        """k, the side of a patch in pixels."""
        steps = [1]
        for _, stride in self.layers:
            steps.append(steps[-1] * stride)
        return 1 + sum((kernel - 1) * step for (kernel, _), step in zip(self.layers, steps, strict=False))

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        if min(x.shape[2:]) < self.receptive_field:
            raise ValueError(
                f"x is {tuple(x.shape)}; expected sides of at least {self.receptive_field} pixels, one patch"
            )
        if self.c_channels:
            x = torch.cat([x, condition_image(c, self.c_channels, x)], 1)
        return self.net(x)
