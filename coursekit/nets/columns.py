"""Running a causal network one column at a time: what earlier pixels computed is kept."""

from collections.abc import Callable, Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.nets.causal import CausalConv2d, CausalNet, Place


class ConvMemory:
    """What causal convolutions were given so far, so that a place or a row of their output is had alone.

    Args:
        height, width: of the images.

    Attributes:
        row, column: the place where the network is now.
    """

    def __init__(self, height: int, width: int):
        self.height, self.width = height, width
        self.row, self.column = 0, 0
        self._given: dict[nn.Module, Tensor] = {}
        self._kernels: dict[nn.Module, Tensor] = {}

    def at_place(self, convolution: CausalConv2d, h: Tensor) -> Tensor:
        """The output at (row, column) from the input there, (B, F, 1, 1) -> (B, F', 1, 1)."""
        kernel = self._kernels.get(convolution)
        if kernel is None:
            kernel = self._kernels[convolution] = convolution.kernel.flatten(1)
        rows, columns = convolution.kernel_size
        if rows * columns > 1:
            given = self.write(convolution, h)
            h = given[:, :, self.row : self.row + rows, self.column : self.column + columns]
        return F.linear(h.flatten(1), kernel, convolution.bias)[:, :, None, None]

    def at_row(self, convolution: CausalConv2d, h: Tensor) -> Tensor:
        """The whole row `row` of the output from that of the input, (B, F, 1, W) -> (B, F', 1, W)."""
        if convolution.above:
            given = self._map(convolution, h)
            left, bottom = convolution.left, self.row + convolution.above
            given[:, :, bottom, left : left + self.width] = h[:, :, 0]
            h = given[:, :, self.row : bottom + 1]
        elif convolution.left or convolution.right:
            h = F.pad(h, (convolution.left, convolution.right))
        return F.conv2d(h, convolution.kernel, convolution.bias)

    def write(self, convolution: CausalConv2d, h: Tensor) -> Tensor:
        """Keep the input at (row, column), (B, F, 1, 1); gives all that the convolution was given."""
        given = self._map(convolution, h)
        given[:, :, self.row + convolution.above, self.column + convolution.left] = h[:, :, 0, 0]
        return given

    def _map(self, convolution: CausalConv2d, h: Tensor) -> Tensor:
        """All that a convolution was given, with its border of zeros."""
        if convolution not in self._given:
            height = self.height + convolution.above
            width = convolution.left + self.width + convolution.right
            self._given[convolution] = h.new_zeros(len(h), h.shape[1], height, width)
        return self._given[convolution]


def walk(
    net: CausalNet,
    x: Tensor,
    memory: ConvMemory,
    look: CausalConv2d,
    column: Callable[[Tensor], Tensor],
    enter: Callable[[Tensor], None] | None = None,
) -> Iterator[tuple[Place, Tensor]]:
    """A network's `conditionals`, in raster order, from what it computes for one pixel.

    Args:
        net: says shape, levels and P.
        x: the image, which the caller fills as it goes, (B, C, H, W).
        memory: its place is moved along.
        look: the convolution that reads x itself; it is told of each finished pixel.
        column: a pixel of x, rescaled, (B, C, 1, 1) -> parameters of its subpixels, (B, C P, 1, 1). It is
            called for each subpixel again, as the later channels of a pixel depend on the earlier ones.
        enter: called at the start of a row with the row of x above it, rescaled (zeros above the first).
    """
    channels, height, width = net.shape
    features = net.out_features
    for row in range(height):
        memory.row = row
        if enter is not None:
            above = net.rescale(x[:, :, row - 1 : row]) if row else x.new_zeros(len(x), channels, 1, width)
            enter(above)
        for j in range(width):
            memory.column = j
            here = (..., slice(row, row + 1), slice(j, j + 1))
            for channel in range(channels):
                parameters = column(net.rescale(x[here]))
                yield (channel, row, j), parameters[:, channel * features : (channel + 1) * features, 0, 0]
            memory.write(look, net.rescale(x[here]))
