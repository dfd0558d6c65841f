"""PixelRNN: Row LSTM and Diagonal BiLSTM (van den Oord et al. 2016, arXiv:1601.06759)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.nets.causal import CausalConv2d, CausalNet, Place
from coursekit.nets.columns import ConvMemory, walk
from coursekit.nets.pixelcnn import Bias, Head, check_sizes

State = tuple[Tensor, Tensor]
"""Hidden state and cell of an LSTM, each (B, h, *)."""


def lstm(gates: Tensor, cell: Tensor) -> State:
    """o, f, i = sigmoid, g = tanh; c = f * cell + i * g, h = o * tanh(c): (B, 4 h, *) -> (B, h, *)."""
    o, f, i, g = gates.chunk(4, 1)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    return o.sigmoid() * cell.tanh(), cell


class RowLayer(nn.Module):
    """A Row LSTM with a residual connection: each row from the one above, all its pixels at once.

    Input to state: a masked 3 x 1 convolution along the row, for all rows before the recurrence begins. State
    to state: a 3 x 1 convolution over the row above, which is known in full, hence not masked (eq. 3).
    """

    def __init__(self, width: int, channels: int, c_dim: int):
        super().__init__()
        self.input = CausalConv2d(2 * width, 4 * width, 0, 1, 0, "B", channels, parts=4)
        self.state = nn.Conv1d(width, 4 * width, 3, padding=1, bias=False)
        self.up = CausalConv2d(width, 2 * width, kind="B", channels=channels)
        self.bias = Bias(c_dim, 4 * width)

    def forward(self, x: Tensor, bias: Tensor | float) -> Tensor:
        given = self.input(x) + bias
        h = cell = x.new_zeros(len(x), given.shape[1] // 4, x.shape[-1])
        rows = []
        for row in given.unbind(2):
            h, cell = lstm(row + self.state(h), cell)
            rows.append(h)
        return x + self.up(torch.stack(rows, 2))


class RowLSTM(CausalNet):
    """A masked convolution of type A, then layers of Row LSTM: a triangle above each pixel is in sight.

    Args:
        shape, out_features, levels, c_dim: as for `CausalNet`; the condition is added inside every gate.
        width: h, the size of a pixel's state; the stream between the layers has 2 h feature maps. A multiple
            of the channels.
        layers: number of Row LSTMs.
        first: side of the first kernel, odd.

    Source: arXiv:1601.06759, section 3.1, table 1 and figure 5.
    """

    def __init__(
        self,
        shape: Sequence[int],
        out_features: int = 1,
        levels: int = 2,
        width: int = 32,
        layers: int = 2,
        first: int = 7,
        c_dim: int = 0,
    ):
        super().__init__(shape, out_features, levels, c_dim)
        check_sizes(width, first)
        self.width, self.first = width, first
        channels, reach = shape[0], first // 2
        self.look = CausalConv2d(channels, 2 * width, reach, reach, reach, "A", channels)
        self.layers = nn.ModuleList([RowLayer(width, channels, c_dim) for _ in range(layers)])
        self.head = Head(2 * width, out_features, channels)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        biases = self._biases(c, x)
        h = self.look(self.read(x))
        for layer, bias in zip(self.layers, biases, strict=True):
            h = layer(h, bias)
        return self.head(h)

    def conditionals(self, x: Tensor, c: Tensor | None = None) -> Iterator[tuple[Place, Tensor]]:
        """As in `CausalNet`, but from a memory: the states of the row above are kept, and what they give to
        this row is computed once; within the row each layer computes its new column alone."""
        biases, memory = self._biases(c, x), ConvMemory(*self.shape[1:])
        like = self.look.weight.new_zeros(len(x), self.width, self.shape[2])
        rows = [(like.clone(), like.clone()) for _ in self.layers]  # the states of this row so far
        links: list[State] = []  # what the row above gives: gates, cells

        def enter(above: Tensor) -> None:
            pairs = zip(self.layers, rows, strict=True)
            links[:] = [(layer.state(h), cell.clone()) for layer, (h, cell) in pairs]

        def column(pixel: Tensor) -> Tensor:
            h, j = memory.at_place(self.look, pixel), memory.column
            for layer, bias, row, (link, cells) in zip(self.layers, biases, rows, links, strict=True):
                gates = memory.at_place(layer.input, h) + bias + link[:, :, None, j, None]
                state, cell = lstm(gates, cells[:, :, None, j, None])
                row[0][:, :, j], row[1][:, :, j] = state[:, :, 0, 0], cell[:, :, 0, 0]
                h = h + memory.at_place(layer.up, state)
            return self.head(h, memory.at_place)

        yield from walk(self, x, memory, self.look, column, enter)

    def _biases(self, c: Tensor | None, x: Tensor) -> list[Tensor | float]:
        c = self.condition(c, x)
        return [layer.bias(c) for layer in self.layers]


def skew(x: Tensor) -> Tensor:
    """Move row r by r places to the right, so that diagonals become columns: width W -> W + H - 1."""
    height, width = x.shape[-2:]
    padded = F.pad(x, (0, height)).flatten(-2)
    return padded[..., : height * (width + height - 1)].unflatten(-1, (height, width + height - 1))


def unskew(x: Tensor) -> Tensor:
    """Move row r back: (*, H, W + H - 1) -> (*, H, W)."""
    height, breadth = x.shape[-2:]
    padded = F.pad(x.flatten(-2), (0, height)).unflatten(-1, (height, breadth + 1))
    return padded[..., : breadth + 1 - height]


class DiagonalLSTM(nn.Module):
    """One direction: each pixel's state from those of its left and its upper neighbour, zeros outside.

    On the skewed map both neighbours are in the column before, and a column is computed at once. Input to
    state is a masked 1 x 1 convolution, state to state a 2 x 1 convolution down the column.
    """

    def __init__(self, width: int, channels: int, c_dim: int):
        super().__init__()
        self.input = CausalConv2d(2 * width, 4 * width, kind="B", channels=channels, parts=4)
        self.state = nn.Conv1d(width, 4 * width, 2, bias=False)
        self.bias = Bias(c_dim, 4 * width)

    def forward(self, x: Tensor, bias: Tensor | float) -> Tensor:
        """The states of whole maps, (B, 2 h, H, W) -> (B, h, H, W)."""
        given = skew(self.input(x) + bias)  # (B, 4 h, H, W + H - 1)
        inside = skew(torch.ones_like(x[0, 0]))
        h = cell = x.new_zeros(len(x), given.shape[1] // 4, x.shape[2])
        columns = []
        for column, valid in zip(given.unbind(-1), inside.unbind(-1), strict=True):
            h, cell = lstm(column + self.state(F.pad(h, (1, 0))), cell)
            h, cell = h * valid, cell * valid
            columns.append(h)
        return unskew(torch.stack(columns, -1))

    def step(self, given: Tensor, above: Tensor, left: State) -> State:
        """A pixel's state, from its input (B, 4 h), the hidden state above, (B, h), and that to the left."""
        gates = given + F.linear(torch.stack([above, left[0]], -1).flatten(1), self.state.weight.flatten(1))
        return lstm(gates, left[1])

    def row(self, given: Tensor, above: Tensor) -> Tensor:
        """The hidden states of one row, (B, 4 h, W) and those of the row above (B, h, W) -> (B, h, W)."""
        state = above.new_zeros(above.shape[:2]), above.new_zeros(above.shape[:2])
        states = []
        for j in range(above.shape[-1]):
            state = self.step(given[..., j], above[..., j], state)
            states.append(state[0])
        return torch.stack(states, -1)


class DiagonalLayer(nn.Module):
    """Both directions and a residual connection; the one from the right is moved down by a row."""

    def __init__(self, width: int, channels: int, c_dim: int):
        super().__init__()
        self.left, self.right = (DiagonalLSTM(width, channels, c_dim) for _ in range(2))
        self.up = CausalConv2d(width, 2 * width, kind="B", channels=channels)

    def forward(self, x: Tensor, biases: tuple[Tensor | float, Tensor | float]) -> Tensor:
        from_right = self.right(x.flip(-1), biases[1]).flip(-1)
        moved = F.pad(from_right, (0, 0, 1, 0))[:, :, :-1]
        return x + self.up(self.left(x, biases[0]) + moved)


@dataclass
class DiagonalMemory:
    """What a layer keeps while an image is drawn; column 0 of `hidden` and `cell` is outside, and zero.

    Attributes:
        hidden, cell: states from the left in this row so far, (B, h, W + 1).
        above: hidden states from the left in the row above, (B, h, W).
        right: hidden states from the right in the row above, (B, h, W).
        given: what this row gave to the layer so far, (B, 2 h, 1, W).
    """

    hidden: Tensor
    cell: Tensor
    above: Tensor
    right: Tensor
    given: Tensor


class DiagonalBiLSTM(CausalNet):
    """A masked convolution of type A, then layers that carry states along both diagonals.

    From the left a pixel knows all that is above and left of it, from the right all that is above its row and
    right of it: no triangle as in `RowLSTM`. One subpixel can still stay out of sight: at the last pixel of a
    row the layers read no more than what precedes it, so for the beginning of the next row that last pixel is
    visible through the first kernel alone, and not at all where this does not reach it.

    Args:
        shape, out_features, levels, c_dim, width, layers, first: as for `RowLSTM`.

    Source: arXiv:1601.06759, section 3.2, table 1, figures 3 and 5.
    """

    def __init__(
        self,
        shape: Sequence[int],
        out_features: int = 1,
        levels: int = 2,
        width: int = 32,
        layers: int = 2,
        first: int = 7,
        c_dim: int = 0,
    ):
        super().__init__(shape, out_features, levels, c_dim)
        check_sizes(width, first)
        self.width, self.first = width, first
        channels, reach = shape[0], first // 2
        self.look = CausalConv2d(channels, 2 * width, reach, reach, reach, "A", channels)
        self.layers = nn.ModuleList([DiagonalLayer(width, channels, c_dim) for _ in range(layers)])
        self.head = Head(2 * width, out_features, channels)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        biases = self._biases(c, x)
        h = self.look(self.read(x))
        for layer, bias in zip(self.layers, biases, strict=True):
            h = layer(h, bias)
        return self.head(h)

    def conditionals(self, x: Tensor, c: Tensor | None = None) -> Iterator[tuple[Place, Tensor]]:
        """As in `CausalNet`, but from a memory of states: from the left only a new column is computed.

        The direction from the right begins at the end of a row, so nothing of it can be computed before the
        row is finished: it then runs once along that row. And pixels of one diagonal, which training computes
        at once, come one after the other, since those further down wait for the rows above to be drawn.
        """
        biases, memory = self._biases(c, x), ConvMemory(*self.shape[1:])
        kept = [self._memory(x) for _ in self.layers]

        def enter(above: Tensor) -> None:
            for layer, bias, m in zip(self.layers, biases, kept, strict=True):
                m.above = m.hidden[..., 1:].clone()
                if memory.row:
                    given = (layer.right.input(m.given) + bias[1]).squeeze(2)
                    m.right = layer.right.row(given.flip(-1), m.right.flip(-1)).flip(-1)

        def column(pixel: Tensor) -> Tensor:
            h, j = memory.at_place(self.look, pixel), memory.column
            for layer, bias, m in zip(self.layers, biases, kept, strict=True):
                m.given[..., j] = h[..., 0]
                given = (memory.at_place(layer.left.input, h) + bias[0])[..., 0, 0]
                left = m.hidden[..., j], m.cell[..., j]
                m.hidden[..., j + 1], m.cell[..., j + 1] = layer.left.step(given, m.above[..., j], left)
                both = m.hidden[..., j + 1] + m.right[..., j]
                h = h + memory.at_place(layer.up, both[..., None, None])
            return self.head(h, memory.at_place)

        yield from walk(self, x, memory, self.look, column, enter)

    def _memory(self, x: Tensor) -> DiagonalMemory:
        batch, width = len(x), self.shape[2]
        zeros = self.look.weight.new_zeros
        states = [zeros(batch, self.width, width + extra) for extra in (1, 1, 0, 0)]
        return DiagonalMemory(*states, given=zeros(batch, 2 * self.width, 1, width))

    def _biases(self, c: Tensor | None, x: Tensor) -> list[tuple[Tensor | float, Tensor | float]]:
        """What the condition adds to the gates of each layer, from the left and from the right."""
        c = self.condition(c, x)
        return [(layer.left.bias(c), layer.right.bias(c)) for layer in self.layers]
