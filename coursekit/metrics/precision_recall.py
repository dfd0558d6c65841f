"""Precision and recall of samples: how many of them are like data, and how much of the data they reach."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from coursekit.metrics.features import Features, both
from coursekit.metrics.likelihood import Estimate

ROWS = 1024  # of the distances' matrix at once


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares in [0, 1], with their (binomial) standard errors.

    Attributes:
        precision: of the samples that lie within the data's manifold.
        recall: of the data that lie within the samples' manifold.
    """

    precision: Estimate
    recall: Estimate


@dataclass(frozen=True)
class DensityCoverage:
    """Counts of the data's balls around samples, with their standard errors.

    Attributes:
        density: mean number of the data's balls that a sample lies in, divided by k; 1 for samples that are
            distributed as the data, more where samples crowd in the data's centres.
        coverage: share of the data whose ball holds a sample, in [0, 1].
    """

    density: Estimate
    coverage: Estimate


def precision_recall(
    real: Tensor, fake: Tensor, features: Features | None = None, k: int = 3
) -> PrecisionRecall:
    """Improved precision and recall: a set's manifold is the union of balls that reach the k-th neighbour.

    precision = share of fake y with |y - x| <= r_k(x) for some real x;  recall the same with roles exchanged

    r_k(x) is the distance of x to its k-th nearest neighbour in its own set. One outlier has a large ball: a
    single strange image can let in many.

    Args:
        real, fake: features, (N, D) and (M, D), more than k rows each; or data, (N, *) and (M, *), if
            `features` is given. Take as many of the one as of the other.
        features: (B, *) -> (B, D).
        k: which neighbour.

    Raises:
        ValueError: too few rows, k < 1, or features that are not finite vectors of one length.

    Source: Kynkaanniemi et al. 2019 (arXiv:1904.06991), eqs. (1) and (2).
    """
    real, fake = both(real, fake, features, _least(k))
    return PrecisionRecall(_share(_balls_around(fake, real, k) > 0), _share(_balls_around(real, fake, k) > 0))


def density_coverage(
    real: Tensor, fake: Tensor, features: Features | None = None, k: int = 5
) -> DensityCoverage:
    """Density and coverage: only the data's balls count, so that an outlier of the model gains nothing.

    density = (1 / k M) sum_y #{x : |y - x| <= r_k(x)};  coverage = share of real x with a y in their ball

    Args:
        real, fake, features, k: as for `precision_recall`.

    Raises:
        ValueError: as `precision_recall`.

    Source: Naeem et al. 2020 (arXiv:2002.09797), eqs. (4) and (5).
    """
    real, fake = both(real, fake, features, _least(k))
    nearest = torch.cat([distances.min(1).values for distances in _distances(real, fake)])
    density = _balls_around(fake, real, k) / k
    return DensityCoverage(Estimate.of(density, "1"), _share(nearest <= _radii(real, k)))


def _least(k: int) -> int:
    if k < 1:
        raise ValueError(f"k is {k}; expected the number of a neighbour, at least 1.")
    return k + 1


def _radii(x: Tensor, k: int) -> Tensor:
    """Distance to the k-th nearest other row, (N, D) -> (N,); the nearest of all is the row itself."""
    return torch.cat([distances.kthvalue(k + 1, dim=1).values for distances in _distances(x, x)])


def _balls_around(y: Tensor, x: Tensor, k: int) -> Tensor:
    """In how many of x's balls each y lies: (M, D), (N, D) -> (M,)."""
    radii = _radii(x, k)
    return torch.cat([(distances <= radii).sum(1) for distances in _distances(y, x)])


def _distances(y: Tensor, x: Tensor) -> Iterator[Tensor]:
    """|y_j - x_i|, some rows at a time: (M, D), (N, D) -> (m, N); exactly 0 for equal rows."""
    exact = "donot_use_mm_for_euclid_dist"  # by matrix products equal rows are some rounding apart
    return (torch.cdist(part, x, compute_mode=exact) for part in y.split(ROWS))


def _share(inside: Tensor) -> Estimate:
    """The share of True, with its binomial standard error."""
    n, share = len(inside), inside.double().mean().item()
    return Estimate(share, (share * (1 - share) / n) ** 0.5, n, "1")
