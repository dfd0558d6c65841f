"""The generator and the critic of DCGAN (Radford, Metz & Chintala 2016, arXiv:1511.06434).

Inside, a pixel's numbers lie side by side in memory (channels_last): on a CPU such layers are faster so.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from coursekit.nets.condition import condition_vector
from coursekit.nets.projection import Projection

NORMS = {"batch": nn.BatchNorm2d, "layer": partial(nn.GroupNorm, 1), "none": nn.Identity}


class DCGANGenerator(nn.Module):
    """An affine map to a small image of many channels, then strided transposed convolutions, and tanh.

    (B, D) -> (B, C, H, W) in (-1, 1). Batch norm and ReLU stand after every layer but the last; a convolution
    doubles the size and halves the channels.

    Args:
        latent_dim: D, length of z.
        shape: (C, H, W) of one image; see `halvings`.
        width: channels before the last layer.
        c_dim: length of the condition, appended to z; 0 for none.
    """

    def __init__(self, latent_dim: int, shape: Sequence[int], width: int = 64, c_dim: int = 0):
        super().__init__()
        count, grid = halvings(shape)
        self.latent_dim, self.shape, self.width, self.c_dim = latent_dim, tuple(shape), width, c_dim
        widths = [width * 2**i for i in reversed(range(count))]
        self.inp = nn.Linear(latent_dim + c_dim, widths[0] * grid[0] * grid[1], bias=False)
        self.start = (widths[0], *grid)
        layers: list[nn.Module] = [nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)]
        for n_in, n_out in pairwise(widths):
            layers.append(nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1, bias=False))
            layers += [nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
        layers += [nn.ConvTranspose2d(width, shape[0], 4, stride=2, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(small_weights)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        c = condition_vector(c, self.c_dim, z)
        h = self.inp(z if c is None else torch.cat([z, c], 1)).unflatten(1, self.start)
        return self.layers(h.contiguous(memory_format=torch.channels_last)).contiguous()


class DCGANCritic(nn.Module):
    """Strided convolutions with leaky ReLUs, the generator's mirror image: (B, C, H, W) -> raw scores, (B,).

    Args:
        shape: (C, H, W) of one image; see `halvings`.
        width: channels after the first convolution; each further one halves the size and doubles them.
        c_dim: length of the condition, which enters by `Projection`; 0 for none.
        norm: "batch" norm after every convolution but the first; "layer" norm or "none" where a penalty wants
            rows that do not depend on each other.

    Raises:
        ValueError: another norm.
    """

    def __init__(self, shape: Sequence[int], width: int = 64, c_dim: int = 0, norm: str = "batch"):
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {', '.join(NORMS)}, got {norm!r}")
        count, grid = halvings(shape)
        self.shape, self.width, self.c_dim, self.norm = tuple(shape), width, c_dim, norm
        widths = [width * 2**i for i in range(count)]
        layers: list[nn.Module] = [
            nn.Conv2d(shape[0], width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for n_in, n_out in pairwise(widths):
            layers.append(nn.Conv2d(n_in, n_out, 4, stride=2, padding=1, bias=norm == "none"))
            layers += [NORMS[norm](n_out), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.out = Projection(widths[-1] * grid[0] * grid[1], c_dim)
        self.apply(small_weights)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return self.out(self.layers(x.contiguous(memory_format=torch.channels_last)).flatten(1), c)


def halvings(shape: Sequence[int]) -> tuple[int, tuple[int, int]]:
    """How often an image (C, H, W) can be halved until a side is odd or at most 4, and the size it has then.

    32x32 gives 3 and 4x4, 28x28 gives 2 and 7x7.

    Raises:
        ValueError: it can't be halved at all.
    """
    count, (height, breadth) = 0, shape[1:]
    while height % 2 == breadth % 2 == 0 and min(height, breadth) > 4:
        count, height, breadth = count + 1, height // 2, breadth // 2
    if not count:
        raise ValueError(f"shape is {tuple(shape)}; expected (C, H, W) with H and W even and at least 6")
    return count, (height, breadth)


def small_weights(layer: nn.Module) -> None:
    """Weights from N(0, 0.02^2) and biases zero, for affine maps and convolutions, as in the paper."""
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, std=0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
