"""PixelCNN (van den Oord et al. 2016, arXiv:1601.06759) and gated PixelCNN (arXiv:1606.05328)."""

from collections.abc import Iterator, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.nets.causal import CausalConv2d, CausalNet, Convolve, Place, everywhere
from coursekit.nets.columns import ConvMemory, walk


class Bias(nn.Module):
    """The condition as a bias of feature maps: (B, c_dim) -> (B, features, 1, 1); 0 where there is none."""

    def __init__(self, c_dim: int, features: int):
        super().__init__()
        self.map = nn.Linear(c_dim, features, bias=False) if c_dim else None

    def forward(self, c: Tensor | None) -> Tensor | float:
        return 0.0 if self.map is None else self.map(c)[:, :, None, None]


class Head(nn.Module):
    """Two layers of ReLU and masked 1x1 convolution, from feature maps to parameters."""

    def __init__(self, features: int, out_features: int, channels: int):
        super().__init__()
        self.middle = CausalConv2d(features, features, kind="B", channels=channels)
        self.out = CausalConv2d(features, channels * out_features, kind="B", channels=channels)

    def forward(self, h: Tensor, convolve: Convolve = everywhere) -> Tensor:
        return convolve(self.out, F.relu(convolve(self.middle, F.relu(h))))


class ResidualBlock(nn.Module):
    """h + 1x1(relu(3x3(relu(1x1(relu(h)))))), masked: 2 width -> width -> width -> 2 width (figure 5)."""

    def __init__(self, width: int, channels: int, kernel: int, c_dim: int):
        super().__init__()
        reach = kernel // 2
        self.down = CausalConv2d(2 * width, width, kind="B", channels=channels)
        self.middle = CausalConv2d(width, width, reach, reach, reach, "B", channels)
        self.up = CausalConv2d(width, 2 * width, kind="B", channels=channels)
        self.bias = Bias(c_dim, width)

    def forward(self, h: Tensor, bias: Tensor | float, convolve: Convolve = everywhere) -> Tensor:
        inner = convolve(self.down, F.relu(h))
        inner = convolve(self.middle, F.relu(inner)) + bias
        return h + convolve(self.up, F.relu(inner))


class PixelCNN(CausalNet):
    """Masked convolutions: one of type A, then residual blocks of type B.

    A pixel sees what is left of it and above it, but not all: what lies a rows up and more than
    first // 2 + (a - 1) (kernel // 2) columns to the right stays out of sight (the blind spot).

    Args:
        shape, out_features, levels, c_dim: as for `CausalNet`.
        width: h; the stream between the blocks has 2 h feature maps. A multiple of the channels.
        layers: number of residual blocks.
        first, kernel: side of the kernel of type A and of those of type B, odd.

    Source: van den Oord, Kalchbrenner & Kavukcuoglu 2016 (arXiv:1601.06759), table 1 and figure 5.
    """

    def __init__(
        self,
        shape: Sequence[int],
        out_features: int = 1,
        levels: int = 2,
        width: int = 32,
        layers: int = 5,
        first: int = 7,
        kernel: int = 3,
        c_dim: int = 0,
    ):
        super().__init__(shape, out_features, levels, c_dim)
        check_sizes(width, first, kernel)
        self.width, self.first, self.kernel = width, first, kernel
        channels, reach = shape[0], first // 2
        self.look = CausalConv2d(channels, 2 * width, reach, reach, reach, "A", channels)
        self.layers = nn.ModuleList([ResidualBlock(width, channels, kernel, c_dim) for _ in range(layers)])
        self.head = Head(2 * width, out_features, channels)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return self._run(self.read(x), self._biases(c, x))

    def conditionals(self, x: Tensor, c: Tensor | None = None) -> Iterator[tuple[Place, Tensor]]:
        """As in `CausalNet`, but each layer computes its new column alone, from a memory of the others."""
        biases, memory = self._biases(c, x), ConvMemory(*self.shape[1:])
        yield from walk(self, x, memory, self.look, lambda pixel: self._run(pixel, biases, memory.at_place))

    def _biases(self, c: Tensor | None, x: Tensor) -> list[Tensor | float]:
        c = self.condition(c, x)
        return [block.bias(c) for block in self.layers]

    def _run(self, x: Tensor, biases: list[Tensor | float], convolve: Convolve = everywhere) -> Tensor:
        h = convolve(self.look, x)
        for block, bias in zip(self.layers, biases, strict=True):
            h = block(h, bias, convolve)
        return self.head(h, convolve)


class GatedLayer(nn.Module):
    """One layer of both stacks: tanh(a) * sigmoid(b) in each, and a 1x1 map from the vertical one (figure 2).

    Args:
        in_features: what comes in on both stacks: x itself in the first layer, else `width` maps.
        width: feature maps of either stack.
        kind: mask of the horizontal stack, "A" in the first layer.
        last: whether there is no layer after it, hence no residual connection.
    """

    def __init__(
        self, in_features: int, width: int, channels: int, kernel: int, kind: str, last: bool, c_dim: int
    ):
        super().__init__()
        reach = kernel // 2
        self.kind, self.last = kind, last
        self.vertical = CausalConv2d(in_features, 2 * width, reach, reach, reach)
        self.link = CausalConv2d(2 * width, 2 * width)
        self.horizontal = CausalConv2d(in_features, 2 * width, 0, reach, 0, kind, channels, parts=2)
        parts = 1 if last else 2
        self.out = CausalConv2d(width, parts * width, kind="B", channels=channels, parts=parts)
        self.bias = Bias(c_dim, 4 * width)

    def down(self, v: Tensor, bias: Tensor | float, convolve: Convolve = everywhere) -> tuple[Tensor, Tensor]:
        """The vertical stack: its next maps, and what the horizontal one gets from it, (B, 2 width, H, W)."""
        both = convolve(self.vertical, v)
        return gate(both + bias), convolve(self.link, both)

    def across(
        self, h: Tensor, link: Tensor, bias: Tensor | float, convolve: Convolve = everywhere
    ) -> tuple[Tensor, Tensor]:
        """The horizontal stack: its next maps (in the last layer those given), and what skips to the end."""
        gated = gate(convolve(self.horizontal, h) + link + bias)
        out = convolve(self.out, gated)
        if self.last:
            return h, out
        step, skip = out.chunk(2, 1)
        return (step if self.kind == "A" else h + step), skip


class GatedPixelCNN(CausalNet):
    """Two stacks of gated convolutions, which together see all that comes before.

    The vertical stack reads x moved down by a row, so that its row r knows the rows above r, in full. The
    horizontal one reads its own row up to the pixel, and in every layer the vertical stack's maps. So the
    blind spot is gone: after enough layers each pixel sees all earlier ones.

    Args:
        shape, out_features, levels, c_dim: as for `CausalNet`; the condition is added inside every gate.
        width: feature maps of either stack, a multiple of the channels.
        layers: number of layers, the first included.
        first, kernel: side of the first layer's kernel and of the others', odd.

    Source: van den Oord et al. 2016 (arXiv:1606.05328), figure 2, with skip connections to the output.
    """

    def __init__(
        self,
        shape: Sequence[int],
        out_features: int = 1,
        levels: int = 2,
        width: int = 32,
        layers: int = 7,
        first: int = 7,
        kernel: int = 3,
        c_dim: int = 0,
    ):
        super().__init__(shape, out_features, levels, c_dim)
        check_sizes(width, first, kernel)
        if layers < 1:
            raise ValueError(f"layers is {layers}; expected at least 1")
        self.width, self.first, self.kernel = width, first, kernel
        channels = shape[0]
        sizes = [(channels, first, "A")] + [(width, kernel, "B")] * (layers - 1)
        self.layers = nn.ModuleList(
            GatedLayer(features, width, channels, side, kind, i == layers - 1, c_dim)
            for i, (features, side, kind) in enumerate(sizes)
        )
        self.head = Head(width, out_features, channels)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        x, biases = self.read(x), self._biases(c, x)
        moved = F.pad(x, (0, 0, 1, 0))[:, :, :-1]
        return self._across(x, self._down(moved, biases), biases)

    def conditionals(self, x: Tensor, c: Tensor | None = None) -> Iterator[tuple[Place, Tensor]]:
        """As in `CausalNet`, but from a memory: the vertical stack runs once a row, for that row alone, and
        each layer of the horizontal one computes its new column alone."""
        biases, memory = self._biases(c, x), ConvMemory(*self.shape[1:])
        links: list[Tensor] = []

        def enter(above: Tensor) -> None:
            links[:] = self._down(above, biases, memory.at_row)

        def column(pixel: Tensor) -> Tensor:
            here = [link[..., memory.column, None] for link in links]
            return self._across(pixel, here, biases, memory.at_place)

        yield from walk(self, x, memory, self.layers[0].horizontal, column, enter)

    def _biases(self, c: Tensor | None, x: Tensor) -> list[tuple[Tensor | float, Tensor | float]]:
        """What the condition adds in the vertical and in the horizontal gate of each layer."""
        c = self.condition(c, x)
        return [(0.0, 0.0) if c is None else layer.bias(c).chunk(2, 1) for layer in self.layers]

    def _down(self, v: Tensor, biases: list, convolve: Convolve = everywhere) -> list[Tensor]:
        links = []
        for layer, (bias, _) in zip(self.layers, biases, strict=True):
            v, link = layer.down(v, bias, convolve)
            links.append(link)
        return links

    def _across(
        self, h: Tensor, links: list[Tensor], biases: list, convolve: Convolve = everywhere
    ) -> Tensor:
        total = 0.0
        for layer, link, (_, bias) in zip(self.layers, links, biases, strict=True):
            h, skip = layer.across(h, link, bias, convolve)
            total = total + skip
        return self.head(total, convolve)


def gate(both: Tensor) -> Tensor:
    """tanh(a) * sigmoid(b) of the two halves of the feature maps."""
    a, b = both.chunk(2, 1)
    return a.tanh() * b.sigmoid()


def check_sizes(width: int, *kernels: int) -> None:
    """Refuse what has no middle, and no width."""
    if width < 1 or any(kernel < 1 or kernel % 2 == 0 for kernel in kernels):
        raise ValueError(f"width is {width}, kernels are {kernels}; expected at least 1, and odd numbers")
