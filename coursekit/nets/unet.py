"""A U-Net that reads a time, as in Ho, Jain & Abbeel 2020 (arXiv:2006.11239), appendix B."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.nets.condition import condition_image
from coursekit.nets.embed import TimeEmbedding, check_times
from coursekit.nets.same_size import zero


class UNet(nn.Module):
    """Blocks on the way down, blocks on the way up that also read what the way down computed.

    (B, C, H, W), (B,) -> (B, C', H, W). Levels have `width` times `multipliers` feature maps, and half the
    size of the one before. Every residual block reads the time and the condition; the deepest level ends with
    a block, attention, a block. The last convolution of every part starts at zero, so the output does too.

    Args:
        shape: (C, H, W) of one image; H and W are divisible by 2 once for each level after the first.
        width: feature maps of the first level, a multiple of 4.
        multipliers: of the width at each level.
        blocks: residual blocks at each level on the way down; one more on the way up.
        attention: levels with attention after each block, 0 the largest image.
        heads: of the attention, a divisor of its feature maps.
        c_dim: number of classes or length of the condition; 0 for none.
        c_channels: channels of a condition that is an image of the same size; 0 for none.
        out_channels: C'; None for C.
        dropout: share of feature maps' numbers dropped in each block while training.
        patch: side of the squares of pixels that are read and written as one pixel with patch^2 times the
            channels; for 2 the first level has a quarter of the pixels.

    Raises:
        ValueError: sizes that can't be halved so often, an unknown level, or two kinds of condition.
    """

    def __init__(
        self,
        shape: Sequence[int],
        width: int = 32,
        multipliers: Sequence[int] = (1, 2, 2),
        blocks: int = 2,
        attention: Sequence[int] = (),
        heads: int = 4,
        c_dim: int = 0,
        c_channels: int = 0,
        out_channels: int | None = None,
        dropout: float = 0.0,
        patch: int = 1,
    ):
        super().__init__()
        self.shape, self.width, self.multipliers = tuple(shape), width, tuple(multipliers)
        self.blocks, self.attention, self.heads = blocks, tuple(attention), heads
        self.c_dim, self.c_channels, self.dropout, self.patch = c_dim, c_channels, dropout, patch
        self.out_channels = shape[0] if out_channels is None else out_channels
        self._check()
        maps = [width * m for m in self.multipliers]
        self.embed = TimeEmbedding(4 * width, width, c_dim)
        self.first = nn.Conv2d(patch**2 * (shape[0] + c_channels), width, 3, padding=1)
        self.down, kept = nn.ModuleList(), [width]
        for level, n_out in enumerate(maps):
            for _ in range(blocks):
                self.down.append(self._part(kept[-1], n_out, level in self.attention))
                kept.append(n_out)
            if level < len(maps) - 1:
                self.down.append(Halve(n_out))
                kept.append(n_out)
        self.middle = nn.ModuleList([self._part(maps[-1], maps[-1], True), self._part(maps[-1], maps[-1])])
        self.up, n_in = nn.ModuleList(), maps[-1]
        for level in reversed(range(len(maps))):
            for _ in range(blocks + 1):
                self.up.append(self._part(n_in + kept.pop(), maps[level], level in self.attention))
                n_in = maps[level]
            if level:
                self.up.append(Double(n_in))
        self.norm, self.out = norm(width), zero(nn.Conv2d(width, patch**2 * self.out_channels, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        check_times(t, x)
        if self.c_channels:
            x, c = torch.cat([x, condition_image(c, self.c_channels, x)], 1), None
        e = F.silu(self.embed(t, c))
        h = self.first(F.pixel_unshuffle(x, self.patch))  # (B, patch^2 C, H / patch, W / patch)
        kept = [h]
        for part in self.down:
            h = part(h, e)
            kept.append(h)
        for part in self.middle:
            h = part(h, e)
        for part in self.up:
            h = part(h if isinstance(part, Double) else torch.cat([h, kept.pop()], 1), e)
        return F.pixel_shuffle(self.out(F.silu(self.norm(h))), self.patch)

    def _part(self, n_in: int, n_out: int, attends: bool = False) -> nn.Module:
        block = ResidualBlock(n_in, n_out, 4 * self.width, self.dropout)
        return AttendedBlock(block, Attention(n_out, self.heads)) if attends else block

    def _check(self) -> None:
        _, *sizes = self.shape
        halvings = len(self.multipliers) - 1
        if any(size % (self.patch * 2**halvings) for size in sizes):
            raise ValueError(
                f"shape is {self.shape}; {halvings + 1} levels of patches of side {self.patch} need sides"
                f" divisible by {self.patch * 2**halvings}"
            )
        if not set(self.attention) <= set(range(halvings + 1)):
            raise ValueError(f"attention is {self.attention}; expected levels among 0 .. {halvings}")
        if self.c_dim and self.c_channels:
            raise ValueError("c_dim and c_channels are both given; a condition is a vector or an image")


class ResidualBlock(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x))) + affine(e)))): (B, C, H, W), (B, E) -> (B, C', H, W).

    Args:
        n_in, n_out: C and C'; where they differ, x passes through a 1x1 convolution.
        e_dim: E, length of what is known of the time and the condition, after a non-linearity.
        dropout: share dropped before the second convolution.
    """

    def __init__(self, n_in: int, n_out: int, e_dim: int, dropout: float = 0.0):
        super().__init__()
        self.dropout = dropout
        self.norm1, self.first = norm(n_in), nn.Conv2d(n_in, n_out, 3, padding=1)
        self.from_e = nn.Linear(e_dim, n_out)
        self.norm2, self.second = norm(n_out), zero(nn.Conv2d(n_out, n_out, 3, padding=1))
        self.beside = nn.Conv2d(n_in, n_out, 1) if n_in != n_out else nn.Identity()

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        h = self.first(F.silu(self.norm1(x))) + self.from_e(e)[:, :, None, None]
        h = F.dropout(F.silu(self.norm2(h)), self.dropout, self.training)
        return self.beside(x) + self.second(h)


class Attention(nn.Module):
    """x + attention between the pixels of norm(x): (B, C, H, W) -> the same.

    Args:
        channels: C.
        heads: a divisor of C.
    """

    def __init__(self, channels: int, heads: int = 1):
        super().__init__()
        if channels % heads:
            raise ValueError(f"heads is {heads}; expected a divisor of the {channels} feature maps")
        self.heads = heads
        self.norm, self.qkv = norm(channels), nn.Conv2d(channels, 3 * channels, 1)
        self.out = zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        rows = self.qkv(self.norm(x)).flatten(2).unflatten(1, (3, self.heads, -1))  # (B, 3, heads, size, H W)
        rows = rows.transpose(-1, -2).contiguous()  # else the fast kernel refuses them
        q, k, v = rows.unbind(1)  # (B, heads, H W, size) each
        h = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(h.transpose(-1, -2).reshape(x.shape))


class AttendedBlock(nn.Module):
    """A residual block, then attention."""

    def __init__(self, block: ResidualBlock, attention: Attention):
        super().__init__()
        self.block, self.attention = block, attention

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        return self.attention(self.block(x, e))


class Halve(nn.Module):
    """A 3x3 convolution of every second pixel: (B, C, H, W) -> (B, C, H / 2, W / 2)."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        return self.conv(x)


class Double(nn.Module):
    """Every pixel four times, then a 3x3 convolution: (B, C, H, W) -> (B, C, 2H, 2W)."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2))


def norm(channels: int) -> nn.GroupNorm:
    """Group normalization (Wu & He 2018, arXiv:1803.08494) with 8 groups, or as many as go."""
    return nn.GroupNorm(math.gcd(8, channels), channels)
