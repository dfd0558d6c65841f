"""A short chain of diffusion and a mixture on a line: what the checks of chapter 10 rest on."""

import pytest
import torch
from torch import Tensor

from coursekit.data import GaussianMixture

T = 12


@pytest.fixture(autouse=True)
def float64_and_seed():
    """Random numbers that do not depend on the order of the tests; precision that shows a wrong constant."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def tables() -> tuple[Tensor, Tensor, Tensor]:
    """beta, alpha, alpha-bar of a short chain, (T + 1,) with step t at index t; step 0 changes nothing."""
    beta = torch.cat([torch.zeros(1), torch.linspace(0.05, 0.5, T)])
    return beta, 1 - beta, (1 - beta).cumprod(0)


def chain_covariance() -> Tensor:
    """Covariance of x_1 ... x_T given x_0, in one coordinate, from the matrix that makes them of noises."""
    beta, alpha, _ = tables()
    of_noise = torch.zeros(T, T)
    for t in range(1, T + 1):
        if t > 1:
            of_noise[t - 1] = alpha[t].sqrt() * of_noise[t - 2]
        of_noise[t - 1, t - 1] = beta[t].sqrt()
    return of_noise @ of_noise.T


def two_hills() -> GaussianMixture:
    """A mixture on the line, of mean zero and variance one."""
    return in_float64(GaussianMixture([[-0.9], [0.9]], variance=0.19))


def in_float64(mixture: GaussianMixture) -> GaussianMixture:
    """The mixture itself, its numbers in the precision of these tests."""
    for name in ("means", "variance", "weights"):
        setattr(mixture, name, getattr(mixture, name).double())
    return mixture


def grid(reach: float = 6.0, n: int = 4001) -> tuple[Tensor, float]:
    """Points of the line, (n,), and their distance."""
    u = torch.linspace(-reach, reach, n)
    return u, (u[1] - u[0]).item()
