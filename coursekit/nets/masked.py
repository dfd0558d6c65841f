"""A masked perceptron on real vectors: the network of autoregressive flows."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from coursekit.nets.condition import condition_vector
from coursekit.nets.made import MaskedLinear


class MaskedMLP(nn.Module):
    """P numbers for each of D dimensions, from the dimensions before it: (B, D) -> (B, P D), "(p d)".

    As in `MADE`, an input has its position in the order as degree, a hidden unit sees what has a degree of at
    most its own, an output what has a lower one. The condition has degree -1: all see it, the first dimension
    too.

    Args:
        dim: D, the number of dimensions.
        out_features: P, numbers for each dimension.
        hidden: widths of the hidden layers, at least one.
        c_dim: length of the condition, which is appended to the input; 0 for none.
        order: the dimensions in the order in which they come, each of 0 .. D - 1 once; None is 0, 1, ..
        activation: makes the non-linearity.

    Source: Germain, Gregor, Murray & Larochelle 2015 (arXiv:1502.03509), eqs. (12) and (13); hidden degrees
    are spread evenly.
    """

    def __init__(
        self,
        dim: int,
        out_features: int = 1,
        hidden: Sequence[int] = (64, 64),
        c_dim: int = 0,
        order: Tensor | Sequence[int] | None = None,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ):
        super().__init__()
        if dim < 1 or out_features < 1 or not hidden:
            raise ValueError(
                f"dim is {dim}, out_features is {out_features}, hidden is {tuple(hidden)}; expected at least"
                " 1 each, and a hidden layer"
            )
        self.dim, self.out_features, self.hidden, self.c_dim = dim, out_features, tuple(hidden), c_dim
        order = torch.arange(dim) if order is None else torch.as_tensor(order).cpu()
        if not torch.equal(order.sort().values, torch.arange(dim)):
            raise ValueError(f"order must hold each of 0 .. {dim - 1} once, got {order.tolist()}")
        self.order = order.tolist()
        position = order.argsort()
        lowest = -1 if c_dim else 0
        count = max(1, dim - 1 - lowest)  # degrees that a hidden unit can have: lowest .. dim - 2
        spread = [lowest + torch.arange(width) * count // width for width in hidden]
        degrees = [torch.cat([position, torch.full((c_dim,), -1)]), *spread]
        masks = [below <= above[:, None] for below, above in pairwise(degrees)]
        masks.append(degrees[-1] < position.repeat(out_features)[:, None])
        layers = [layer for mask in masks for layer in (MaskedLinear(mask), activation())]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (B, {self.dim})")
        c = condition_vector(c, self.c_dim, x)
        return self.layers(x if c is None else torch.cat([x, c], 1))
