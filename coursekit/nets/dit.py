"""A transformer that denoises images (Peebles & Xie 2023, arXiv:2212.09748)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from coursekit.nets.condition import condition_image
from coursekit.nets.cross import CrossAttention, TokenEmbedding
from coursekit.nets.embed import TimeEmbedding, check_times, fourier_features
from coursekit.nets.same_size import zero


class DiT(nn.Module):
    """Patches as tokens, blocks whose norms are set by the time and the condition, patches again.

    (B, C, H, W), (B,) -> (B, C', H, W). At first every block is the identity and the output is zero.

    Args:
        shape: (C, H, W) of one image; H and W are multiples of `patch`.
        patch: side of a patch in pixels.
        width: of a token, a multiple of 4, at least 8.
        layers: number of blocks.
        heads: of the attention, a divisor of the width.
        c_dim: number of classes or length of the condition; 0 for none.
        c_channels: channels of a condition that is an image of the same size; 0 for none.
        out_channels: C'; None for C.
        c_tokens: number of symbols V and greatest length S of a condition that is a text, long (B, S), which
            each block attends to; symbol 0 means "no condition". None for none.

    Raises:
        ValueError: sizes that don't fit, or two kinds of condition.
    """

    def __init__(
        self,
        shape: Sequence[int],
        patch: int = 4,
        width: int = 128,
        layers: int = 4,
        heads: int = 4,
        c_dim: int = 0,
        c_channels: int = 0,
        out_channels: int | None = None,
        c_tokens: Sequence[int] | None = None,
    ):
        super().__init__()
        channels, *sides = shape
        kinds = bool(c_dim) + bool(c_channels) + (c_tokens is not None)
        if any(side % patch for side in sides) or width % 4 or width % heads or kinds > 1:
            raise ValueError(
                f"patch={patch} must go into the sides of {tuple(shape)}, 4 and heads={heads} into"
                f" width={width}, and of c_dim={c_dim}, c_channels={c_channels} and c_tokens={c_tokens} two"
                " must be left out"
            )
        self.shape, self.patch, self.width = tuple(shape), patch, width
        self.layers, self.heads, self.c_dim, self.c_channels = layers, heads, c_dim, c_channels
        self.c_tokens = None if c_tokens is None else tuple(c_tokens)
        self.out_channels = channels if out_channels is None else out_channels
        self.grid = (sides[0] // patch, sides[1] // patch)
        self.register_buffer("places", places(self.grid, width), persistent=False)
        self.embed = TimeEmbedding(width, width, c_dim)
        self.first = nn.Linear(patch**2 * (channels + c_channels), width)
        self.blocks = nn.ModuleList(AdaptiveBlock(width, heads) for _ in range(layers))
        self.set_last = zero(nn.Linear(width, 2 * width))
        self.out = nn.Linear(width, patch**2 * self.out_channels)
        if self.c_tokens is not None:
            self.source = TokenEmbedding(*self.c_tokens, width)
            self.cross = nn.ModuleList(CrossAttention(width, heads) for _ in range(layers))
        self.apply(_first_weights)
        for part in (self, *(self.cross if self.c_tokens is not None else ())):
            zero(part.out)

    def forward(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        check_times(t, x)
        if self.c_channels:
            x, c = torch.cat([x, condition_image(c, self.c_channels, x)], 1), None
        source = None
        if self.c_tokens is not None:
            source, c = self.source(c, len(x)), None  # (B, S, width)
        e = F.silu(self.embed(t, c))
        p, (rows, columns) = self.patch, self.grid
        tokens = rearrange(x, "b c (h p) (w q) -> b (h w) (c p q)", p=p, q=p)
        h = self.first(tokens) + self.places
        for i, block in enumerate(self.blocks):
            h = block(h, e)
            h = h if source is None else self.cross[i](h, source)
        h = self.out(modulated(h, *self.set_last(e)[:, None].chunk(2, -1)))
        return rearrange(h, "b (h w) (c p q) -> b c (h p) (w q)", h=rows, w=columns, p=p, q=p)


class AdaptiveBlock(nn.Module):
    """x + a attention(m(x)), then x + b mlp(n(x)): (B, T, width), (B, width) -> (B, T, width).

    m and n are layer norms with scales and shifts that are affine in e, and so are a and b (adaLN-zero). The
    affine maps start at zero, so the block starts as the identity.

    Args:
        width: of x and of e; the hidden layer of the MLP is 4 times as wide.
        heads: a divisor of width.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.set = zero(nn.Linear(width, 6 * width))
        self.qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        shift, scale, a, shift2, scale2, b = self.set(e)[:, None].chunk(6, -1)  # (B, 1, width) each
        x = torch.addcmul(x, a, self._attend(modulated(x, shift, scale)))
        h = F.gelu(self.up(modulated(x, shift2, scale2)), approximate="tanh")
        return torch.addcmul(x, b, self.down(h))

    def _attend(self, x: Tensor) -> Tensor:
        qkv = rearrange(self.qkv(x), "b t (k h d) -> k b h t d", k=3, h=self.heads)
        return self.mix(rearrange(F.scaled_dot_product_attention(*qkv), "b h t d -> b t (h d)"))


def modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Layer norm of each token, times 1 + scale, plus shift: (B, T, W), (B, 1, W) -> (B, T, W)."""
    return torch.addcmul(shift, F.layer_norm(x, x.shape[-1:], eps=1e-6), 1 + scale)


def places(grid: tuple[int, int], width: int) -> Tensor:
    """Fixed features of each patch's row and column, side by side: (rows * columns, width)."""
    rows, columns = (fourier_features(torch.arange(n).float(), width // 2, 1.0, 1e-4) for n in grid)
    rows, columns = rows[:, None].expand(-1, grid[1], -1), columns[None].expand(grid[0], -1, -1)
    return torch.cat([rows, columns], -1).flatten(0, 1)


def _first_weights(module: nn.Module) -> None:
    """Xavier's, but for what starts at zero; vectors of symbols are N(0, 0.02^2)."""
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.weight.any():
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias) if module.bias is not None else None
