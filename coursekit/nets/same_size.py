"""Convolutional networks that keep the size of an image: what the couplings of image flows are made of."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.nets.condition import condition_vector

Layer = nn.Conv2d | nn.ConvTranspose2d | nn.Linear


class ConvNet(nn.Module):
    """Three convolutions, 3x3, 1x1 and 3x3, with ReLUs between them: (B, C, H, W) -> (B, C', H, W).

    The last one starts at zero, so that a coupling starts as the identity. Inside, a pixel's numbers lie side
    by side in memory, and the last convolution is a transposed one, the same map with its kernel turned: with
    so many feature maps and so few channels both are faster on a CPU.

    Args:
        in_channels, out_channels: C and C'.
        width: feature maps between the convolutions.
        c_dim: length of the condition, which is added to the first feature maps; 0 for none.

    Source: Kingma & Dhariwal 2018 (arXiv:1807.03039).
    """

    def __init__(self, in_channels: int, out_channels: int, width: int = 64, c_dim: int = 0):
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.width, self.c_dim = width, c_dim
        self.first = nn.Conv2d(in_channels, width, 3, padding=1)
        self.middle = nn.Conv2d(width, width, 1)
        self.out = zero(nn.ConvTranspose2d(width, out_channels, 3, padding=1))
        self.from_c = nn.Linear(c_dim, width, bias=False) if c_dim else None

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        c, h = condition_vector(c, self.c_dim, x), self.first(x.contiguous(memory_format=torch.channels_last))
        if c is not None:
            h = h + self.from_c(c)[:, :, None, None]
        return self.out(self.middle(h.relu_()).relu_()).contiguous()  # in place: fewer large maps


class GatedConvNet(nn.Module):
    """Gated residual blocks between two 3x3 convolutions: (B, C, H, W) -> (B, C', H, W).

    The last convolution starts at zero, so that a coupling starts as the identity.

    Args:
        in_channels, out_channels: C and C'.
        width: feature maps of the residual stream.
        layers: number of blocks.
        c_dim: length of the condition, which is added inside every block; 0 for none.

    Source: gates as in van den Oord et al. 2016 (arXiv:1606.05328), in residual blocks as those of Ho et al.
    2019 (arXiv:1902.00275).
    """

    def __init__(self, in_channels: int, out_channels: int, width: int = 32, layers: int = 3, c_dim: int = 0):
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.width, self.c_dim = width, c_dim
        self.first = nn.Conv2d(in_channels, width, 3, padding=1)
        self.layers = nn.ModuleList(GatedBlock(width, c_dim) for _ in range(layers))
        self.out = zero(nn.Conv2d(2 * width, out_channels, 3, padding=1))

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        c, h = condition_vector(c, self.c_dim, x), self.first(x)
        for layer in self.layers:
            h = layer(h, c)
        return self.out(both_ways(h))


class GatedBlock(nn.Module):
    """norm(h + a * sigmoid(b)), with (a, b) two convolutions of h: (B, width, H, W) -> the same."""

    def __init__(self, width: int, c_dim: int = 0):
        super().__init__()
        self.inner = nn.Conv2d(2 * width, width, 3, padding=1)
        self.gates = nn.Conv2d(2 * width, 2 * width, 1)
        self.norm = ChannelNorm(width)
        self.from_c = nn.Linear(c_dim, width, bias=False) if c_dim else None

    def forward(self, h: Tensor, c: Tensor | None = None) -> Tensor:
        inner = self.inner(both_ways(h))
        if c is not None:
            inner = inner + self.from_c(c)[:, :, None, None]
        return self.norm(h + F.glu(self.gates(both_ways(inner)), 1))


class ChannelNorm(nn.Module):
    """Layer normalization over the channels of each pixel: (B, C, H, W) -> the same."""

    def __init__(self, channels: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        rows = x.movedim(1, -1)  # b c h w -> b h w c
        return F.layer_norm(rows, self.weight.shape, self.weight, self.bias, self.eps).movedim(-1, 1)


class Beside(nn.Module):
    """A network that reads its condition, an image, as further channels: (x, c) -> net([x, c]).

    Args:
        net: (B, C + K, H, W) -> (B, C', H, W).
    """

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        if c is None or c.shape[2:] != x.shape[2:]:
            raise ValueError(
                f"the condition is {'None' if c is None else tuple(c.shape)}; expected an image (B, K, H, W)"
                f" of the size of x, {tuple(x.shape)}"
            )
        return self.net(torch.cat([x, c], 1))


def both_ways(x: Tensor) -> Tensor:
    """ELU of x and of -x, side by side: (B, C, H, W) -> (B, 2C, H, W)."""
    return F.elu(torch.cat([x, -x], 1))


def zero(layer: Layer) -> Layer:
    """The layer, with weights and biases set to zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
