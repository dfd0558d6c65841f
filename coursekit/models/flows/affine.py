"""Affine maps without a network: an own scale for each dimension, permutations, and ActNorm."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ElementwiseAffine(nn.Module):
    """z_i = exp(a_i) x_i + b_i, log |det| = sum_i a_i: each dimension has a scale and a shift of its own.

    Args:
        shape: of a and b, or their length; it broadcasts against one x. (D,) for vectors, (C, 1, 1) for
            images with a scale for each channel.
    """

    def __init__(self, shape: int | Sequence[int]):
        super().__init__()
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.log_scale, self.shift = (nn.Parameter(torch.zeros(self.shape)) for _ in range(2))

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self._check(x)
        return x * self.log_scale.exp() + self.shift, self._log_det(x)

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x_i = exp(-a_i) (z_i - b_i)."""
        self._check(z)
        return (z - self.shift) * (-self.log_scale).exp(), -self._log_det(z)

    def _log_det(self, x: Tensor) -> Tensor:
        shared = math.prod(x.shape[1:]) // math.prod(self.shape)  # places with the same scale
        return (shared * self.log_scale.sum()).expand(len(x))

    def _check(self, x: Tensor) -> None:
        fits = x.ndim == len(self.shape) + 1 and all(
            n in (1, m) for n, m in zip(self.shape, x.shape[1:], strict=True)
        )
        if not fits:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (B, *), with * as {self.shape}")


class ActNorm(ElementwiseAffine):
    """An elementwise affine map that starts so that the first batch leaves it with mean 0 and variance 1.

    Until `start_from` it is the identity; `Flow.start` calls it for all layers of a flow.

    Args:
        shape: as for `ElementwiseAffine`; what shares a scale shares the mean and variance.

    Source: Kingma & Dhariwal 2018 (Glow, arXiv:1807.03039), section 3.1.
    """

    @torch.no_grad()
    def start_from(self, x: Tensor) -> None:
        """Set scale and shift from a batch (B, *); what does not vary at all keeps the scale 1.

        Raises:
            ValueError: a scale has fewer than two values to start from, or one of them is not finite.
        """
        self._check(x)
        axes = [0, *(i + 1 for i, n in enumerate(self.shape) if n == 1 and x.shape[i + 1] > 1)]
        if math.prod(x.shape[i] for i in axes) < 2:
            raise ValueError(f"x has shape {tuple(x.shape)}; ActNorm starts from at least two rows")
        variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        if not (variance.isfinite() & mean.isfinite()).all():
            raise ValueError("ActNorm can't start from a batch that holds NaN, infinities or huge numbers")
        log_scale = torch.where(variance > 0, -0.5 * variance.log(), 0.0)[0]
        self.log_scale.copy_(log_scale)
        self.shift.copy_(-mean[0] * log_scale.exp())


class Permutation(nn.Module):
    """z = x[order]: dimensions, or the channels of an image, in another order; log |det| = 0.

    Args:
        order: where each dimension of z comes from: 0 .. D - 1, each once, (D,).
    """

    def __init__(self, order: Tensor | Sequence[int]):
        super().__init__()
        order = torch.as_tensor(order)
        if order.ndim != 1 or not torch.equal(order.sort().values, torch.arange(len(order))):
            raise ValueError(f"order must hold each of 0 .. D - 1 once, got {order.tolist()}")
        self.register_buffer("order", order)
        self.register_buffer("back", order.argsort())

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self._pick(x, self.order)

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x[order] = z."""
        return self._pick(z, self.back)

    def _pick(self, x: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
        if x.ndim < 2 or x.shape[1] != len(order):
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (B, {len(order)}) or more axes")
        return x.index_select(1, order), x.new_zeros(len(x))
