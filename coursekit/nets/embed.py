"""Time as a vector, and a perceptron that reads it: networks of the form net(x, t, c)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.nets.condition import condition_vector
from coursekit.nets.mlp import MLP


def fourier_features(t: Tensor, size: int, highest: float = 1000.0, lowest: float = 0.1) -> Tensor:
    """cos and sin of w_i t, the frequencies w_i in a geometric row from `highest` to `lowest`.

    With the default frequencies and t = i / 1000 these are nearly the positions of Vaswani et al. 2017
    (arXiv:1706.03762) at i, as diffusion models use them.

    Args:
        t: times, (B,).
        size: number of features, even and at least 4.
        highest, lowest: frequencies in radians per unit of time.

    Returns:
        (B, size).
    """
    if size % 2 or size < 4:
        raise ValueError(f"size is {size}; expected an even number of features, at least 4")
    steps = torch.linspace(math.log(highest), math.log(lowest), size // 2, dtype=t.dtype, device=t.device)
    angles = t[:, None] * steps.exp()  # (B, size / 2)
    return torch.cat([angles.cos(), angles.sin()], 1)


class TimeEmbedding(nn.Module):
    """Features of t, an affine map, SiLU, another affine map; the condition is added: (B,) -> (B, width).

    Args:
        width: length of the result.
        features: number of Fourier features of t.
        c_dim: length of the condition; 0 for none. A row of zeros adds nothing: no condition.
    """

    def __init__(self, width: int, features: int = 64, c_dim: int = 0):
        super().__init__()
        self.width, self.features, self.c_dim = width, features, c_dim
        self.layers = nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, width))
        self.from_c = nn.Linear(c_dim, width, bias=False) if c_dim else None

    def forward(self, t: Tensor, c: Tensor | None = None) -> Tensor:
        c = condition_vector(c, self.c_dim, t)
        e = self.layers(fourier_features(t, self.features))
        return e if c is None else e + self.from_c(c)


class TimeMLP(nn.Module):
    """A perceptron that reads x, features of t and c side by side: (B, D), (B,) -> (B, out_features).

    Args:
        dims: D, length of one x; 2 for points in the plane.
        hidden: widths of the hidden layers.
        c_dim: length of the condition; 0 for none.
        out_features: length of the output; None for D.
        features: number of Fourier features of t.
    """

    def __init__(
        self,
        dims: int = 2,
        hidden: Sequence[int] = (128, 128, 128),
        c_dim: int = 0,
        out_features: int | None = None,
        features: int = 32,
    ):
        super().__init__()
        self.dims, self.c_dim, self.features = dims, c_dim, features
        self.out_features = dims if out_features is None else out_features
        self.net = MLP(dims + features, self.out_features, hidden, c_dim, nn.SiLU)

    def forward(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        check_times(t, x)
        return self.net(torch.cat([x, fourier_features(t, self.features, highest=100.0)], 1), c)


class ImageTimeMLP(TimeMLP):
    """A `TimeMLP` that reads an image as a vector: (B, C, H, W), (B,) -> (B, C', H, W).

    Args:
        shape: (C, H, W).
        hidden, c_dim, features: as for `TimeMLP`.
        out_channels: C'; None for C.
    """

    def __init__(
        self,
        shape: Sequence[int],
        hidden: Sequence[int] = (512, 512, 512),
        c_dim: int = 0,
        out_channels: int | None = None,
        features: int = 32,
    ):
        pixels = math.prod(shape[1:])
        outputs = pixels * (shape[0] if out_channels is None else out_channels)
        super().__init__(shape[0] * pixels, hidden, c_dim, outputs, features)
        self.shape = tuple(shape)

    def forward(self, x: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        return super().forward(x.flatten(1), t, c).unflatten(1, (-1, *self.shape[1:]))


def check_times(t: Tensor, x: Tensor) -> None:
    """One time for each row of x, or an error."""
    if t.shape != x.shape[:1]:
        raise ValueError(f"t has shape {tuple(t.shape)}; expected ({len(x)},), one time for each row of x")
