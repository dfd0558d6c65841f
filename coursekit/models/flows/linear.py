"""An invertible matrix whose determinant costs nothing: the LU parametrization."""

import torch
from torch import Tensor, nn
from torch.amp import autocast


def full_precision(x: Tensor) -> autocast:
    """Inside, no product is rounded to bf16: z and the log-determinant shall belong to the same map.

    The nets of a flow may be rounded, since a rounded net is a net too.
    """
    return autocast(x.device.type, enabled=False)


class LULinear(nn.Module):
    """z = W x with W = P L U: a permutation, and triangular factors that are learned; (B, D) -> (B, D).

    L has ones on its diagonal, U has s_i exp(a_i), with fixed signs s: log |det W| = sum_i a_i. The inverse
    solves two triangular systems, O(D^2) a row, and needs no O(D^3).

    Args:
        dim: D, the number of dimensions.
        random: whether W starts as a random rotation (or reflection); else as the identity.

    Source: Kingma & Dhariwal 2018 (Glow, arXiv:1807.03039), section 3.2, eq. (10).
    """

    def __init__(self, dim: int, random: bool = True):
        super().__init__()
        if dim < 1:
            raise ValueError(f"dim is {dim}; expected at least 1")
        self.dim, self.random = dim, random
        start = torch.linalg.qr(torch.randn(dim, dim))[0] if random else torch.eye(dim)
        p, lower, upper = torch.linalg.lu(start)
        self.register_buffer("order", p.argmax(1))  # (P y)_i = y[order_i]
        self.register_buffer("sign", upper.diagonal().sign())
        self.log_diagonal = nn.Parameter(upper.diagonal().abs().log())
        self.factors = nn.Parameter(lower.tril(-1) + upper.triu(1))  # both, each in its own triangle

    def triangles(self) -> tuple[Tensor, Tensor]:
        """L and U, (D, D) each."""
        eye = torch.eye(self.dim, dtype=self.factors.dtype, device=self.factors.device)
        return self.factors.tril(-1) + eye, self.factors.triu(1) + (
            self.sign * self.log_diagonal.exp()
        ).diag()

    @property
    def weight(self) -> Tensor:
        """W, (D, D)."""
        lower, upper = self.triangles()
        return (lower @ upper).index_select(0, self.order)

    @property
    def log_abs_det(self) -> Tensor:
        """log |det W|, a scalar."""
        return self.log_diagonal.sum()

    def solve(self, z: Tensor) -> Tensor:
        """W^-1 applied to columns: (..., D, N) -> (..., D, N)."""
        lower, upper = self.triangles()
        y = z.index_select(-2, self.order.argsort())
        y = torch.linalg.solve_triangular(lower, y, upper=False, unitriangular=True)
        return torch.linalg.solve_triangular(upper, y, upper=True)

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self._check(x)
        with full_precision(x):
            return x @ self.weight.T, self.log_abs_det.expand(len(x))

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x = U^-1 L^-1 P^T z."""
        self._check(z)
        return self.solve(z.T).T, -self.log_abs_det.expand(len(z))

    def _check(self, x: Tensor) -> None:
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (B, {self.dim})")
