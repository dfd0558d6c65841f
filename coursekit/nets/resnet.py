"""A generator and a critic of residual blocks, as in Gulrajani et al. 2017 (arXiv:1704.00028) and in Miyato
et al. 2018 (arXiv:1802.05957)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.nets.condition import condition_vector
from coursekit.nets.dcgan import halvings
from coursekit.nets.projection import Projection


class ResNetGenerator(nn.Module):
    """An affine map to a small image, blocks that double the size, one convolution and tanh.

    (B, D) -> (B, C, H, W) in (-1, 1).

    Args:
        latent_dim: D, length of z.
        shape: (C, H, W) of one image; see `halvings`.
        width: channels of every block.
        c_dim: length of the condition, which sets the blocks' scales and shifts; 0 for none.
    """

    def __init__(self, latent_dim: int, shape: Sequence[int], width: int = 128, c_dim: int = 0):
        super().__init__()
        count, grid = halvings(shape)
        self.latent_dim, self.shape, self.width, self.c_dim = latent_dim, tuple(shape), width, c_dim
        self.start = (width, *grid)
        self.inp = nn.Linear(latent_dim, width * grid[0] * grid[1])
        self.blocks = nn.ModuleList(UpBlock(width, c_dim) for _ in range(count))
        self.norm = nn.BatchNorm2d(width)
        self.out = nn.Conv2d(width, shape[0], 3, padding=1)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        c, h = condition_vector(c, self.c_dim, z), self.inp(z).unflatten(1, self.start)
        h = h.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            h = block(h, c)
        return self.out(self.norm(h).relu()).tanh().contiguous()


class ResNetCritic(nn.Module):
    """Blocks that halve the size, one that keeps it, a sum over pixels: (B, C, H, W) -> raw scores, (B,).

    It has no normalization, so that it goes with a gradient penalty or with `spectral_norm`.

    Args:
        shape: (C, H, W) of one image; see `halvings`.
        width: channels of every block.
        c_dim: length of the condition, which enters by `Projection`; 0 for none.
    """

    def __init__(self, shape: Sequence[int], width: int = 128, c_dim: int = 0):
        super().__init__()
        count, _ = halvings(shape)
        self.shape, self.width, self.c_dim = tuple(shape), width, c_dim
        down = [DownBlock(width if i else shape[0], width, first=i == 0) for i in range(count)]
        self.blocks = nn.Sequential(*down, DownBlock(width, width, halve=False))
        self.out = Projection(width, c_dim)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        h = self.blocks(x.contiguous(memory_format=torch.channels_last))
        return self.out(h.relu().sum((2, 3)), c)


class UpBlock(nn.Module):
    """Two convolutions, each after batch norm and ReLU, beside one of 1x1: (B, C, H, W) -> (B, C, 2H, 2W)."""

    def __init__(self, width: int, c_dim: int = 0):
        super().__init__()
        self.norms = nn.ModuleList(ConditionalNorm(width, c_dim) for _ in range(2))
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.beside = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        h = self.first(F.interpolate(self.norms[0](x, c).relu(), scale_factor=2))
        return self.second(self.norms[1](h, c).relu()) + F.interpolate(self.beside(x), scale_factor=2)


class DownBlock(nn.Module):
    """Two convolutions, each after a ReLU, beside a 1x1 convolution, then the mean of 2x2 pixels.

    Args:
        n_in, width: channels that come in and go out.
        first: whether the block sees the image itself, which no ReLU should cut.
        halve: whether the mean is taken.
    """

    def __init__(self, n_in: int, width: int, first: bool = False, halve: bool = True):
        super().__init__()
        self.is_first, self.halve = first, halve
        self.first = nn.Conv2d(n_in, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.beside = nn.Conv2d(n_in, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.second(self.first(x if self.is_first else x.relu()).relu())
        if not self.halve:
            return h + self.beside(x)
        return F.avg_pool2d(h, 2) + self.beside(F.avg_pool2d(x, 2))


class ConditionalNorm(nn.Module):
    """Batch norm whose scales and shifts are affine in the condition: (B, C, H, W) -> the same.

    Args:
        width: C.
        c_dim: length of the condition; 0 for none, then it is ordinary batch norm.

    Source: Dumoulin, Shlens & Kudlur 2017 (arXiv:1610.07629), there without a batch.
    """

    def __init__(self, width: int, c_dim: int = 0):
        super().__init__()
        self.norm = nn.BatchNorm2d(width)
        self.from_c = nn.Linear(c_dim, 2 * width, bias=False) if c_dim else None

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        x = self.norm(x)
        if c is None:
            return x
        scale, shift = self.from_c(c)[:, :, None, None].chunk(2, 1)  # (B, 2C) -> 2 x (B, C, 1, 1)
        return x * (1 + scale) + shift
