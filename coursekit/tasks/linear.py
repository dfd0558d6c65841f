"""What measurements share: shapes, noise, and for linear ones the adjoint and the singular values."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

SMALL = 1e-3
"""Coordinates weakened more than a thousandfold, beside the strongest, count as not measured."""


class Operator:
    """A, the part of a measurement y = A(x) + noise that is the same every time; calling it applies it.

    A subclass gives `forward`, (B, *shape) -> (B, *y_shape), and `picture`.

    Args:
        shape: of one x, (C, H, W).
        y_shape: of one y.
    """

    def __init__(self, shape: Sequence[int], y_shape: Sequence[int]):
        self.shape, self.y_shape = tuple(shape), tuple(y_shape)

    def __call__(self, x: Tensor) -> Tensor:
        """A(x): (B, *shape) -> (B, *y_shape).

        Raises:
            ValueError: x has another shape.
        """
        self.check(x, self.shape, "x")
        return self.forward(x)

    def forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def picture(self, y: Tensor) -> Tensor:
        """y as an image of the shape of x, for figures and for networks that read it: -> (B, *shape)."""
        raise NotImplementedError

    def measure(self, x: Tensor, noise: float, generator: torch.Generator | None = None) -> Tensor:
        """A(x) + noise * eps, eps ~ N(0, I): (B, *shape) -> (B, *y_shape)."""
        y = self(x)
        eps = torch.empty(y.shape, dtype=y.dtype, device=y.device).normal_(generator=generator)
        return y + noise * eps

    def check(self, a: Tensor, shape: Sequence[int], name: str) -> None:
        """Rows of that shape, or an error that names what was built for which shape."""
        if a.shape[1:] != tuple(shape):
            raise ValueError(
                f"{name} has shape {tuple(a.shape)}; this {type(self).__name__} maps"
                f" (B, {self._row(self.shape)}) to (B, {self._row(self.y_shape)})"
            )

    @staticmethod
    def _row(shape: Sequence[int]) -> str:
        return ", ".join(map(str, shape))


class LinearOperator(Operator):
    """y = A x with A = U diag(s) V^T: V^T turns x into coordinates that A only stretches, one by one.

    A subclass gives `forward`, `adjoint`, `values` and `project`, and `rotate` with `unrotate` where V is
    not I. All coordinates have the shape of x; where s is 0, A is blind.
    """

    def adjoint(self, y: Tensor) -> Tensor:
        """A^T y, for which <A x, y> = <x, A^T y>: (B, *y_shape) -> (B, *shape)."""
        raise NotImplementedError

    @property
    def values(self) -> Tensor:
        """s, at least 0, float64, (*shape)."""
        raise NotImplementedError

    def rotate(self, x: Tensor) -> Tensor:
        """V^T x: (B, *shape) -> (B, *shape)."""
        return x

    def unrotate(self, z: Tensor) -> Tensor:
        """V z: (B, *shape) -> (B, *shape)."""
        return z

    def project(self, y: Tensor) -> Tensor:
        """U^T y, 0 where s is 0: (B, *y_shape) -> (B, *shape)."""
        raise NotImplementedError

    @property
    def seen(self) -> Tensor:
        """Which coordinates count as measured, bool, (*shape)."""
        return self.values > SMALL * self.values.max()

    def coordinates(self, y: Tensor) -> Tensor:
        """U^T y / s, what y says of the coordinates of x; 0 where it says nothing: -> (B, *shape)."""
        self.check(y, self.y_shape, "y")
        values, seen = self.values, self.seen  # tables, which may lie on another device than y
        return self.project(y) * torch.where(seen, 1 / values.where(seen, 1), 0).to(y)

    def pseudo_inverse(self, y: Tensor) -> Tensor:
        """The shortest of the x whose A x is nearest to y: (B, *y_shape) -> (B, *shape)."""
        return self.unrotate(self.coordinates(y))

    def picture(self, y: Tensor) -> Tensor:
        return self.pseudo_inverse(y)

    def matrix(self) -> Tensor:
        """A, column by column, float64, on the CPU, for small shapes: (M, D)."""
        eye = torch.eye(math.prod(self.shape), dtype=torch.float64, device="cpu")
        return self(eye.unflatten(1, self.shape)).flatten(1).T


def reflection(u: Tensor) -> Tensor:
    """The orthogonal, symmetric matrix whose first row is the unit vector u (Householder): (N,) -> (N, N)."""
    v = -u
    v[0] += 1
    square = v.square().sum()
    eye = torch.eye(len(u), dtype=u.dtype, device=u.device)
    return eye - 2 * torch.outer(v, v) / square if square > 0 else eye
