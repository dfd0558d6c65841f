"""Monotonic maps of one number, whose parameters a network gives: couplings and MAF apply them elementwise.

A transform maps x (B, D, ...) by P numbers for each of its entries, theta (B, P D, ...) in the order "(p d)",
and returns z and the sum of log dz/dx over all but the first axis, (B,). At theta = 0 it is the identity.
"""

from typing import Protocol

import torch
from torch import Tensor


class Transform(Protocol):
    """z = h(x; theta), increasing in x; `features` is P, as many numbers as h takes for one x."""

    features: int

    def forward(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]: ...

    def inverse(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]: ...


class Shift:
    """z = x + t, log dz/dx = 0; theta = t.

    Source: Dinh, Krueger & Bengio 2015 (NICE, arXiv:1410.8516), section 3.2.
    """

    features = 1

    def forward(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        return x + theta, x.new_zeros(len(x))

    def inverse(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """x = z - t."""
        return z - theta, z.new_zeros(len(z))


class Affine:
    """z = exp(bound tanh a) x + t, log dz/dx = bound tanh a; theta = (a, t).

    No layer scales by more than exp(bound), so that a deep flow neither overflows nor loses its inverse.

    Args:
        bound: of the log-scale, above 0; with 2 a dimension that 16 layers map grows at most by e^32.

    Source: Dinh, Sohl-Dickstein & Bengio 2017 (RealNVP, arXiv:1605.08803), eq. (7) and section 4.1 (tanh).
    """

    features = 2

    def __init__(self, bound: float = 2.0):
        if not bound > 0:
            raise ValueError(f"bound is {bound}; expected a number above 0")
        self.bound = bound

    def forward(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = self._read(theta)
        return torch.addcmul(shift, x, log_scale.exp()), log_scale.flatten(1).sum(1)

    def inverse(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """x = exp(-bound tanh a) (z - t)."""
        log_scale, shift = self._read(theta)
        return (z - shift) * (-log_scale).exp(), -log_scale.flatten(1).sum(1)

    def _read(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        a, shift = theta.unsafe_chunk(2, 1)  # cheaper to record than views; nothing is written in place
        return (a.tanh() if self.bound == 1 else self.bound * a.tanh()), shift
