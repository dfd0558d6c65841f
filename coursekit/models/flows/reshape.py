"""Bijectors of images that only move numbers: squeeze, flatten, and the split of scales."""

import math
from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor, nn


class Squeeze(nn.Module):
    """Each 2x2 block of pixels becomes one pixel: (B, C, H, W) -> (B, 4C, H/2, W/2), volume preserved.

    Source: Dinh, Sohl-Dickstein & Bengio 2017 (arXiv:1605.08803), section 3.6.
    """

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if x.ndim != 4 or x.shape[2] % 2 or x.shape[3] % 2:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (B, C, H, W) with even H and W")
        return rearrange(x, "b c (h i) (w j) -> b (c i j) h w", i=2, j=2), x.new_zeros(len(x))

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Unsqueeze: (B, 4C, H, W) -> (B, C, 2H, 2W)."""
        if z.ndim != 4 or z.shape[1] % 4:
            raise ValueError(f"z has shape {tuple(z.shape)}; expected (B, 4C, H, W)")
        return rearrange(z, "b (c i j) h w -> b c (h i) (w j)", i=2, j=2), z.new_zeros(len(z))


class Flatten(nn.Module):
    """An image as a vector: (B, C, H, W) -> (B, C H W), volume preserved.

    Args:
        shape: (C, H, W).
    """

    def __init__(self, shape: Sequence[int]):
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        _check(x, self.shape)
        return x.flatten(1), x.new_zeros(len(x))

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The vector as an image: (B, C H W) -> (B, C, H, W)."""
        _check(z, (math.prod(self.shape),))
        return z.unflatten(1, self.shape), z.new_zeros(len(z))


class Split(nn.Module):
    """Half of the channels is done, the other half goes on: z = (rest(x1), x2).

    x1 is the first half of the channels. What is done early is standard normal, like all of the base. A prior
    that is learnt from x1, N(mean(x1), scale(x1)^2), is an affine `Coupling` before the split.

    Args:
        shape: (C, H, W) of x, C even.
        rest: bijector of x1, (B, C/2, H, W) -> (B, C H W / 2).

    Source: Dinh, Sohl-Dickstein & Bengio 2017 (arXiv:1605.08803), section 3.6.
    """

    def __init__(self, shape: Sequence[int], rest: nn.Module):
        super().__init__()
        if len(shape) != 3 or shape[0] % 2:
            raise ValueError(f"shape is {tuple(shape)}; expected (C, H, W) with an even number of channels C")
        self.shape, self.rest = tuple(shape), rest

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        _check(x, self.shape)
        x1, x2 = x.chunk(2, 1)
        z1, log_det = self.rest(x1, c)
        return torch.cat([z1, x2.flatten(1)], 1), log_det

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The image back from its latents of all scales: (B, C H W) -> (B, C, H, W)."""
        _check(z, (math.prod(self.shape),))
        z1, z2 = z.chunk(2, 1)
        x1, log_det = self.rest.inverse(z1, c)
        return torch.cat([x1, z2.reshape(x1.shape)], 1), log_det


def _check(x: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(x.shape[1:]) != shape:
        raise ValueError(f"got shape {tuple(x.shape)}; expected (B, {', '.join(map(str, shape))})")
