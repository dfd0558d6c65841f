"""Multi-layer perceptron on events of any shape."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from coursekit.nets.condition import condition_vector


class MLP(nn.Module):
    """Fully connected layers with a non-linearity between them: (B, *in_shape) -> (B, out_features).

    Args:
        in_shape: shape of one input, or its length.
        out_features: length of the output.
        hidden: widths of the hidden layers; () gives one affine map.
        c_dim: length of the condition, which is appended to the input; 0 for none.
        activation: makes the non-linearity.
    """

    def __init__(
        self,
        in_shape: int | Sequence[int],
        out_features: int,
        hidden: Sequence[int] = (256, 256),
        c_dim: int = 0,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ):
        super().__init__()
        self.in_shape = (in_shape,) if isinstance(in_shape, int) else tuple(in_shape)
        self.c_dim = c_dim
        widths = [math.prod(self.in_shape) + c_dim, *hidden, out_features]
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), activation()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        if x.shape[1:] != self.in_shape:
            raise ValueError(
                f"x has shape {tuple(x.shape)}; expected (B, {', '.join(map(str, self.in_shape))})"
            )
        h = x.flatten(1)
        c = condition_vector(c, self.c_dim, h)
        h = h if c is None else torch.cat([h, c], 1)
        for layer in self.layers:
            h = layer(h)
        return h
