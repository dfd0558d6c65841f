"""From image to image: a U-Net without time, or a bottleneck of residual blocks."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.nets.unet import norm


class Translator(nn.Module):
    """Strided convolutions down, residual blocks, transposed ones up, tanh: (B, C, H, W) -> (B, C', H, W).

    The output lies in [-1, 1], unless `change` is above 0.

    With skips each level on the way up also reads its fellow on the way down: the U-Net of Isola et al. 2017
    (arXiv:1611.07004). Without them everything must pass the deepest level, as in the generator of Zhu et al.
    2017 (arXiv:1703.10593).

    Args:
        in_channels, out_channels: C and C'.
        width: feature maps after the first halving; each further one doubles them.
        depth: halvings; H and W are divisible by 2^depth.
        blocks: residual blocks at the deepest level.
        skips: whether there are skip connections.
        change: by how much at most the net changes a pixel of its input, or of its brightest channel where C'
            is not C; 0 for a net that makes its pixels anew.
        dropout: share of the deepest level's numbers that is dropped, when the model is used as well: the
            generator's noise, as in pix2pix; 0 for none.

    Raises:
        ValueError: sizes that can't be, or (when called) an image that can't be halved so often.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        width: int = 32,
        depth: int = 2,
        blocks: int = 2,
        skips: bool = True,
        change: float = 0.0,
        dropout: float = 0.0,
    ):
        super().__init__()
        if depth < 1 or blocks < 0 or change < 0 or not 0 <= dropout < 1:
            raise ValueError(
                f"depth is {depth}, blocks {blocks}, change {change}, dropout {dropout}; expected at least 1,"
                " at least 0, at least 0, and 0 or more but less than 1"
            )
        self.in_channels, self.out_channels, self.width = in_channels, out_channels, width
        self.depth, self.skips, self.change, self.dropout = depth, skips, change, dropout
        maps = [in_channels, *(width * 2**i for i in range(depth))]
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(maps))
        self.norms_down = nn.ModuleList(norm(n) for n in maps[1:-1])
        self.blocks = nn.Sequential(*(Residual(maps[-1]) for _ in range(blocks)), norm(maps[-1]))
        maps = [*reversed(maps[1:]), out_channels]
        up = [
            nn.ConvTranspose2d((1 + skips * (i > 0)) * a, b, 4, 2, 1)
            for i, (a, b) in enumerate(pairwise(maps))
        ]
        self.up, self.norms_up = nn.ModuleList(up), nn.ModuleList(norm(n) for n in maps[1:-1])

    def forward(self, x: Tensor) -> Tensor:
        if any(side % 2**self.depth for side in x.shape[2:]):
            raise ValueError(f"x is {tuple(x.shape)}; expected sides divisible by {2**self.depth}")
        h, kept = self.down[0](x), []
        for normalize, conv in zip(self.norms_down, self.down[1:], strict=True):
            h = normalize(h)
            kept.append(h)
            h = conv(F.leaky_relu(h, 0.2))  # (B, C, H, W) -> (B, 2C, H / 2, W / 2)
        h = self.up[0](F.dropout(self.blocks(h), self.dropout).relu())  # dropped in use, too
        for normalize, conv in zip(self.norms_up, self.up[1:], strict=True):
            h = normalize(h)
            h = conv((torch.cat([h, kept.pop()], 1) if self.skips else h).relu())
        if not self.change:
            return h.tanh()
        copy = x if self.in_channels == self.out_channels else x.amax(1, keepdim=True)
        return copy + self.change * h.tanh()


class Residual(nn.Module):
    """x + conv(relu(norm(conv(relu(norm(x)))))): (B, C, H, W) -> the same."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm1, self.first = norm(channels), nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2, self.second = norm(channels), nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.norm2(self.first(F.relu(self.norm1(x))))))
