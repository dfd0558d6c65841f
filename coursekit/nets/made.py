"""Networks without convolutions, in any order: MADE, logistic regressions, and NADE."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.nets.causal import CausalNet, Place


class MaskedLinear(nn.Linear):
    """An affine map with some weights held at zero: y = (M * W) x + b.

    Args:
        mask: M, (out_features, in_features), boolean.
        bias: whether there is a b.
    """

    def __init__(self, mask: Tensor, bias: bool = True):
        super().__init__(mask.shape[1], mask.shape[0], bias)
        self.register_buffer("mask", mask.to(self.weight), persistent=False)  # to multiply by a bool is slow
        self.full = bool(mask.all())

    @property
    def kernel(self) -> Tensor:
        """M * W."""
        return self.weight if self.full else self.weight * self.mask

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.kernel, self.bias)


class MADE(CausalNet):
    """A multi-layer perceptron with masked weights: every output sees only inputs that come before it.

    The input at position t of the order has degree t. A hidden unit of degree m sees what has a degree of at
    most m in the layer below, an output at position t what has a degree below t, eqs. (12) and (13).

    Args:
        shape, out_features, levels, c_dim, order: as for `CausalNet`; a condition is added in every layer.
        hidden: widths of the hidden layers (ReLU); () leaves the direct connections.
        direct: whether inputs are also connected to outputs directly.

    Source: Germain, Gregor, Murray & Larochelle 2015 (arXiv:1502.03509). The degrees of hidden units are
    spread evenly here, where the paper draws them.
    """

    def __init__(
        self,
        shape: Sequence[int],
        out_features: int = 1,
        levels: int = 2,
        hidden: Sequence[int] = (500,),
        direct: bool = True,
        c_dim: int = 0,
        order: Tensor | None = None,
    ):
        super().__init__(shape, out_features, levels, c_dim, order)
        if not (hidden or direct):
            raise ValueError("hidden is empty and direct is False: no input would reach an output")
        size = math.prod(shape)
        self.hidden, self.direct = tuple(hidden), direct
        position = torch.empty(size, dtype=torch.long)
        position[self.order] = torch.arange(size)
        out = position.repeat_interleave(out_features)
        spread = [torch.arange(width) * max(1, size - 1) // width for width in hidden]
        degrees = [position, *spread]
        masks = [below <= above[:, None] for below, above in pairwise(degrees)]
        self.layers = nn.ModuleList([MaskedLinear(mask) for mask in masks])
        self.out = MaskedLinear(degrees[-1] < out[:, None])
        self.shortcut = MaskedLinear(position < out[:, None], bias=False) if hidden and direct else None
        self.from_c = nn.ModuleList(
            [nn.Linear(c_dim, len(degree), bias=False) for degree in [*spread, out] if c_dim]
        )
        self._degrees = spread

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        h = flat = self.read(x).flatten(1)  # (B, C, H, W) -> (B, D)
        *biases, last = self._biases(c, x)
        for layer, bias in zip(self.layers, biases, strict=True):
            h = F.relu(layer(h) + bias)
        h = self.out(h) + last
        if self.shortcut is not None:
            h = h + self.shortcut(flat)
        return maps(h, self)

    def conditionals(self, x: Tensor, c: Tensor | None = None) -> Iterator[tuple[Place, Tensor]]:
        """As in `CausalNet`, but a unit is computed once, when the last input that it sees is known.

        Each input and each unit is then added to the sums of the units above it: a whole image costs about as
        much arithmetic as one forward pass.
        """
        layers = [*self.layers, self.out]
        sums = [layer.bias + bias for layer, bias in zip(layers, self._biases(c, x), strict=True)]
        sums = [s.expand(len(x), -1).clone() for s in sums]  # (B, width) each
        kernels = [layer.kernel for layer in layers]
        shortcut = None if self.shortcut is None else self.shortcut.kernel
        units = [[m == t for t in range(len(self.order))] for m in self._degrees]
        units = [[hit.nonzero()[:, 0].to(x.device) for hit in layer] for layer in units]
        features = self.out_features
        for t, (i, place) in enumerate(zip(self.order, self.places, strict=True)):
            yield place, sums[-1][:, i * features : (i + 1) * features]
            a = self.rescale(x[(slice(None), *place)])[:, None]  # (B, 1)
            if shortcut is not None:
                sums[-1] += a @ shortcut[:, i : i + 1].T
            seen = torch.tensor([i], device=x.device)
            for layer, kernel in enumerate(kernels):
                sums[layer] += a @ kernel[:, seen].T
                if layer < len(units):
                    seen = units[layer][t]
                    a = F.relu(sums[layer][:, seen])

    def _biases(self, c: Tensor | None, x: Tensor) -> list[Tensor | float]:
        """What the condition adds to each layer, (B, width) or 0."""
        c = self.condition(c, x)
        return [0.0] * (len(self.layers) + 1) if c is None else [layer(c) for layer in self.from_c]


class FVBN(MADE):
    """Fully visible belief network: one logistic regression a subpixel, on all that come before it.

    p(x_i = 1 | x_<i) = sigmoid(b_i + sum_{j < i} W_ij x_j): a strictly lower triangular matrix.

    Args:
        shape, out_features, levels, c_dim, order: as for `CausalNet`.

    Source: Frey, Hinton & Dayan 1996, "Does the wake-sleep algorithm produce good density estimators?"
    """

    def __init__(
        self,
        shape: Sequence[int],
        out_features: int = 1,
        levels: int = 2,
        c_dim: int = 0,
        order: Tensor | None = None,
    ):
        super().__init__(shape, out_features, levels, (), True, c_dim, order)


class NADE(CausalNet):
    """Neural autoregressive distribution estimator: one hidden layer for each subpixel, with shared weights.

    h_i = sigmoid(b + sum_{j < i} W_j x_j), parameters V_i h_i + d_i: the sum grows by one term a subpixel.

    Args:
        shape, out_features, levels, c_dim, order: as for `CausalNet`; a condition is added to the sum.
        hidden: number of hidden units.

    Source: Larochelle & Murray 2011, "The Neural Autoregressive Distribution Estimator".
    """

    def __init__(
        self,
        shape: Sequence[int],
        out_features: int = 1,
        levels: int = 2,
        hidden: int = 500,
        c_dim: int = 0,
        order: Tensor | None = None,
    ):
        super().__init__(shape, out_features, levels, c_dim, order)
        if hidden < 1:
            raise ValueError(f"hidden is {hidden}; expected at least one unit")
        self.hidden, size = hidden, math.prod(shape)
        self.first = nn.Linear(size, hidden)  # W and b
        self.second = nn.Parameter(torch.randn(size, out_features, hidden) / math.sqrt(hidden))  # V
        self.second_bias = nn.Parameter(torch.zeros(size, out_features))  # d
        self.from_c = nn.Linear(c_dim, hidden, bias=False) if c_dim else None

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        terms = self.read(x).flatten(1)[:, self.order, None] * self.first.weight.T[self.order]  # (B, D, H)
        sums = F.pad(terms.cumsum(1)[:, :-1], (0, 0, 1, 0)) + self._start(x, c)[:, None]
        back = torch.empty(len(self.order), dtype=torch.long, device=x.device)
        back[self.order] = torch.arange(len(self.order), device=x.device)
        h = sums.sigmoid()[:, back]
        return maps(torch.einsum("bdh,dph->bdp", h, self.second) + self.second_bias, self)

    def conditionals(self, x: Tensor, c: Tensor | None = None) -> Iterator[tuple[Place, Tensor]]:
        """As in `CausalNet`, but the sum is kept: an image costs as much as one forward pass."""
        total = self._start(x, c)
        for i, place in zip(self.order, self.places, strict=True):
            yield place, F.linear(total.sigmoid(), self.second[i], self.second_bias[i])
            total = total + self.rescale(x[(slice(None), *place)])[:, None] * self.first.weight[:, i]

    def _start(self, x: Tensor, c: Tensor | None) -> Tensor:
        """The sum before the first subpixel, (B, hidden)."""
        c = self.condition(c, x)
        bias = self.first.bias.expand(len(x), -1)
        return bias if c is None else bias + self.from_c(c)


def maps(h: Tensor, net: CausalNet) -> Tensor:
    """(B, C H W P), P last however the rest is cut -> (B, C P, H, W)."""
    h = h.reshape(len(h), *net.shape, net.out_features)  # b c h w p
    return h.permute(0, 1, 4, 2, 3).flatten(1, 2)
