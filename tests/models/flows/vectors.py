"""What the tests of flows of vectors share."""

import torch
from torch import Tensor, nn


def shaken(module: nn.Module, by: float, seed: int = 0) -> nn.Module:
    """In double precision, with noise on all its parameters: away from the identity it may start at."""
    noise = torch.Generator().manual_seed(seed)
    module = module.double()
    with torch.no_grad():
        for p in module.parameters():
            p.add_(by * torch.randn(p.shape, generator=noise, dtype=p.dtype))
    return module


def log_slopes(bijector: nn.Module, x: Tensor, c: Tensor | None = None) -> Tensor:
    """log |det df/dx| at each row, from the whole Jacobian: (B, D) -> (B,)."""
    rows = [
        torch.autograd.functional.jacobian(lambda v, i=i: bijector(v, part(c, i))[0][0], x[i : i + 1])[:, 0]
        for i in range(len(x))
    ]
    return torch.stack([torch.linalg.slogdet(jacobian)[1] for jacobian in rows])


def part(c: Tensor | None, i: int) -> Tensor | None:
    """The condition of row i, (1, *)."""
    return c if c is None else c[i : i + 1]


def grid(half: float, n: int) -> Tensor:
    """Centres of n x n fields over [-half, half]^2, float64, (n n, 2)."""
    ticks = (torch.arange(n, dtype=torch.float64) + 0.5) * 2 * half / n - half
    return torch.cartesian_prod(ticks, ticks)
