"""Networks that see only what comes before: an order of subpixels, and convolutions that keep to it."""

import math
from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from coursekit.nets.condition import condition_vector

Place = tuple[int, int, int]
"""Channel, row and column of a subpixel."""

Convolve = Callable[[nn.Conv2d, Tensor], Tensor]
"""How a network applies its convolutions: everywhere at once, or at one place with the help of a memory."""


def raster(shape: Sequence[int]) -> Tensor:
    """Row by row, pixel by pixel, R before G before B: flat indices into (C, H, W), (C H W,)."""
    return rearrange(torch.arange(math.prod(shape)).reshape(*shape), "c h w -> (h w c)")


class CausalNet(nn.Module):
    """Levels of an image -> P numbers for each subpixel, which depend on the subpixels before it alone.

    `forward` maps x (B, C, H, W) and c to (B, C P, H, W), channels in the order "(c p)". The networks of this
    book derive from it, and differ in `forward` and in what of it `conditionals` has to compute anew.

    Args:
        shape: (C, H, W) of one image.
        out_features: P, as many numbers as the distribution of one subpixel takes.
        levels: number of grey values; x is in 0 .. levels - 1 and is read as 2 x / (levels - 1) - 1.
        c_dim: length of the condition; 0 for none.
        order: flat indices into (C, H, W), each once; None is `raster`.
    """

    def __init__(
        self,
        shape: Sequence[int],
        out_features: int = 1,
        levels: int = 2,
        c_dim: int = 0,
        order: Tensor | None = None,
    ):
        super().__init__()
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"shape is {tuple(shape)}; expected (C, H, W), each at least 1")
        if out_features < 1 or levels < 2:
            raise ValueError(f"out_features is {out_features}, levels is {levels}; expected at least 1 and 2")
        self.shape, self.out_features = tuple(shape), out_features
        self.levels, self.c_dim = levels, c_dim
        order = raster(shape) if order is None else torch.as_tensor(order).cpu()
        if not torch.equal(order.sort().values, torch.arange(math.prod(shape))):
            raise ValueError(f"order must hold each of 0 .. {math.prod(shape) - 1} once, got {order}")
        self.order = order.tolist()

    @property
    def places(self) -> list[Place]:
        """The subpixels in the order in which the network may see them."""
        _, height, width = self.shape
        return [(i // (height * width), i // width % height, i % width) for i in self.order]

    def read(self, x: Tensor) -> Tensor:
        """Checks the shape of an image of levels; its values in [-1, 1]."""
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (B, {', '.join(map(str, self.shape))})")
        return self.rescale(x)

    def rescale(self, levels: Tensor) -> Tensor:
        """0 .. levels - 1 -> [-1, 1]."""
        return levels * (2 / (self.levels - 1)) - 1

    def condition(self, c: Tensor | None, x: Tensor) -> Tensor | None:
        """The condition as a vector, (B, c_dim)."""
        return condition_vector(c, self.c_dim, x)

    def conditionals(self, x: Tensor, c: Tensor | None = None) -> Iterator[tuple[Place, Tensor]]:
        """Each subpixel's place and parameters (B, P), in order.

        The caller writes the subpixel into x before it asks for the next. Here the whole network runs for
        each of them: the naive way, which a subclass replaces by one that remembers.
        """
        for channel, row, column in self.places:
            parameters = rearrange(self(x, c), "b (c p) h w -> b c p h w", p=self.out_features)
            yield (channel, row, column), parameters[:, channel, :, row, column]


def groups(features: int, channels: int, parts: int = 1) -> Tensor:
    """Which colour channel each feature map belongs to, in `parts` equal runs of R, G, B: (features,)."""
    if features % (channels * parts):
        raise ValueError(
            f"{features} feature maps can't be shared evenly by {channels} channels; take a multiple"
        )
    return torch.arange(channels).repeat_interleave(features // channels // parts).repeat(parts)


class CausalConv2d(nn.Conv2d):
    """Convolution over the rows above and the own row: (B, F, H, W) -> (B, F', H, W), zeros outside.

    Of the own row, what is right of the own place is masked, and at the own place the feature maps of a
    colour channel see those of earlier channels (kind "A", the first layer, which reads x itself) and their
    own too (kind "B", later layers). With kind None nothing is masked: x was moved down, or is a finished
    row.

    Args:
        in_features, out_features: F and F', multiples of the channels.
        above, left, right: how many rows and columns the kernel reaches from its place.
        kind: "A", "B" or None.
        channels: number of colour channels; the feature maps are shared evenly, R's first.
        parts: equal parts of the output which are shared so each (the gates of a layer).

    Source: van den Oord, Kalchbrenner & Kavukcuoglu 2016 (arXiv:1601.06759), section 3.4, figure 2.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        above: int = 0,
        left: int = 0,
        right: int = 0,
        kind: str | None = None,
        channels: int = 1,
        parts: int = 1,
    ):
        if kind not in ("A", "B", None):
            raise ValueError(f"kind must be 'A', 'B' or None, got {kind!r}")
        super().__init__(in_features, out_features, (above + 1, left + 1 + right))
        self.above, self.left, self.right, self.kind = above, left, right, kind
        mask = torch.ones(self.weight.shape, dtype=torch.bool)
        if kind is not None:
            seen, own = groups(in_features, channels), groups(out_features, channels, parts)[:, None]
            mask[:, :, -1, left] = seen < own if kind == "A" else seen <= own  # (F', F)
            mask[:, :, -1, left + 1 :] = False
        self.register_buffer("mask", None if mask.all() else mask, persistent=False)

    @property
    def kernel(self) -> Tensor:
        """The weights, (F', F, above + 1, left + 1 + right), zero where masked."""
        return self.weight if self.mask is None else self.weight * self.mask

    def forward(self, x: Tensor) -> Tensor:
        if self.above or self.left or self.right:
            x = F.pad(x, (self.left, self.right, self.above, 0))
        return F.conv2d(x, self.kernel, self.bias)


def everywhere(convolution: nn.Conv2d, h: Tensor) -> Tensor:
    """A convolution as it is, over whole maps."""
    return convolution(h)
