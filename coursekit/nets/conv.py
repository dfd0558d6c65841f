"""A convolutional encoder and its mirror image, for small pictures."""

from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor, nn

from coursekit.nets.condition import condition_vector


class ConvEncoder(nn.Module):
    """Two strided convolutions and one affine map: (B, C, H, W) -> (B, out_features).

    Args:
        shape: (C, H, W) of one image; H and W divisible by 4.
        out_features: length of the output.
        width: channels after the first convolution; the second has twice as many.
        c_dim: length of the condition, appended before the affine map; 0 for none.
    """

    def __init__(self, shape: Sequence[int], out_features: int, width: int = 32, c_dim: int = 0):
        super().__init__()
        channels, height, breadth = _check(shape)
        self.c_dim = c_dim
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.ReLU(),
        )
        self.out = nn.Linear(2 * width * (height // 4) * (breadth // 4) + c_dim, out_features)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        h = self.layers(x).flatten(1)
        c = condition_vector(c, self.c_dim, h)
        return self.out(h if c is None else torch.cat([h, c], 1))


class ConvDecoder(nn.Module):
    """One affine map and two transposed convolutions: (B, in_features) -> (B, C, H, W).

    Args:
        in_features: length of the code.
        shape: (C, H, W) of one image; H and W divisible by 4.
        width: channels before the last convolution; the affine map gives twice as many.
        c_dim: length of the condition, appended to the code; 0 for none.
    """

    def __init__(self, in_features: int, shape: Sequence[int], width: int = 32, c_dim: int = 0):
        super().__init__()
        channels, height, breadth = _check(shape)
        self.c_dim, self.grid = c_dim, (height // 4, breadth // 4)
        self.inp = nn.Linear(in_features + c_dim, 2 * width * self.grid[0] * self.grid[1])
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
        )

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        c = condition_vector(c, self.c_dim, z)
        h = self.inp(z if c is None else torch.cat([z, c], 1))
        return self.layers(rearrange(h, "b (c h w) -> b c h w", h=self.grid[0], w=self.grid[1]))


class ConvFeatures(nn.Module):
    """Four normalized convolutions, two strided, and one affine map: (B, C, H, W) -> (B, out_features).

    Deeper than `ConvEncoder`, and with batch normalization: made for telling images apart. In evaluation mode
    the features of an image do not depend on its batch.

    Args:
        shape: (C, H, W) of one image; H and W divisible by 4.
        out_features: length of the output.
        width: channels of the first two convolutions; the others have twice as many.
    """

    def __init__(self, shape: Sequence[int], out_features: int, width: int = 32):
        super().__init__()
        channels, height, breadth = _check(shape)
        widths = [(channels, width, 2), (width, width, 1), (width, 2 * width, 2), (2 * width, 2 * width, 1)]
        layers: list[nn.Module] = []
        for n_in, n_out, stride in widths:
            convolution = nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(n_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.out = nn.Linear(2 * width * (height // 4) * (breadth // 4), out_features)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.layers(x).flatten(1))


def _check(shape: Sequence[int]) -> tuple[int, int, int]:
    if len(shape) != 3 or shape[1] % 4 or shape[2] % 4:
        raise ValueError(f"shape is {tuple(shape)}; expected (C, H, W) with H and W divisible by 4")
    return tuple(shape)
