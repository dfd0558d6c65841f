"""Chapter 9: every labelled equation against numbers that were computed another way."""

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.testing import assert_close

from coursekit.metrics.frechet import gaussian_frechet
from tests.equations.registry import checks


def covariance(dims: int, seed: int) -> Tensor:
    root = torch.randn(dims, dims, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return root @ root.T


def root(cov: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.sqrt() @ vectors.T


@checks("gan-frechet")
def test_the_frechet_distance_is_what_the_cheapest_joint_gaussian_costs():
    """E |x - y|^2 over jointly Gaussian x, y: many random ones cost more, and one costs exactly that."""
    A, B, m, n = covariance(4, 0), covariance(4, 1), torch.arange(4.0).double(), torch.ones(4).double()
    formula = (m - n).square().sum() + (A + B - 2 * root(root(A) @ B @ root(A))).trace()
    assert_close(gaussian_frechet(m, A, n, B), formula)

    def cost(contraction: Tensor) -> Tensor:
        """With the cross-covariance A^(1/2) K B^(1/2), which is one for every K of norm at most 1."""
        return (m - n).square().sum() + (A + B - 2 * root(A) @ contraction @ root(B)).trace()

    turns = torch.linalg.qr(
        torch.randn(500, 4, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    ).Q
    assert min(cost(turn) for turn in turns) > formula
    u, _, v = torch.linalg.svd(root(B) @ root(A))
    assert_close(cost((u @ v).T), formula)


@checks("gan-frechet-diagonal")
def test_with_independent_features_each_adds_its_own_distance():
    """Along one axis the cheapest transport pairs the sorted samples; found here by an assignment."""
    quantiles = torch.distributions.Normal(0.0, 1.0).icdf((torch.arange(400) + 0.5) / 400).double()
    m, n, a, b = torch.tensor([[0.3, -1.0], [1.1, 0.4], [2.0, 0.25], [0.49, 1.0]]).double()
    moved = 0.0
    for i in range(2):
        x, y = m[i] + a[i].sqrt() * quantiles, n[i] + b[i].sqrt() * quantiles
        cost = (x[:, None] - y).square()
        rows, columns = linear_sum_assignment(cost)
        moved += cost[rows, columns].mean()
    formula = (m - n).square().sum() + (a.sqrt() - b.sqrt()).square().sum()
    assert_close(moved, formula, rtol=0.01, atol=0)
    assert_close(gaussian_frechet(m, a.diag(), n, b.diag()), formula)
