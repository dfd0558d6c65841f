"""The kernel distance of features, as in the KID, but with features of one's choice."""

import math

import torch
from torch import Tensor

from coursekit.metrics.features import Features, both
from coursekit.metrics.likelihood import Estimate

ROWS = 2048  # of the kernel's matrix at once


def kernel_distance(a: Tensor, b: Tensor, features: Features | None = None) -> Estimate:
    """Squared maximum mean discrepancy of two sets of features, unbiased.

    E k(x, x') + E k(y, y') - 2 E k(x, y),  k(x, y) = (x . y / D + 1)^3,  x from a, y from b

    With the features of an Inception network this is the KID (Binkowski et al. 2018, arXiv:1801.01401); with
    other features it is another number. It takes means, variances and skews into account. Unlike the Frechet
    distance it has no bias, so it may come out below zero where the two are alike.

    Args:
        a, b: features, (N, D) and (M, D); or data, (N, *) and (M, *), if `features` is given. At least 3
            rows each.
        features: (B, *) -> (B, D).

    Returns:
        The distance, over all pairs; its standard error leaves out one row at a time (jackknife), and is
        cautious where the distance is zero.

    Raises:
        ValueError: too few rows, or features that are not finite vectors of one length.
    """
    a, b = both(a, b, features, least=3)
    n, m = len(a), len(b)
    within_a, within_b = (_sums(x, x)[0] - (x.square().mean(1) + 1) ** 3 for x in (a, b))  # (N,), (M,)
    across_a, across_b = _sums(a, b)
    total_a, total_b, total = within_a.sum(), within_b.sum(), across_a.sum()
    mean_a, mean_b = total_a / (n * (n - 1)), total_b / (m * (m - 1))
    distance = mean_a + mean_b - 2 * total / (n * m)
    without_a = (total_a - 2 * within_a) / ((n - 1) * (n - 2)) - 2 * (total - across_a) / ((n - 1) * m)
    without_b = (total_b - 2 * within_b) / ((m - 1) * (m - 2)) - 2 * (total - across_b) / (n * (m - 1))
    variance = (n - 1) * without_a.var(correction=0) + (m - 1) * without_b.var(correction=0)
    return Estimate(distance.item(), math.sqrt(variance.item()), min(n, m), "squared kernel distance")


def _sums(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Sums of k(x_i, y_j) over j and over i: (N, D), (M, D) -> (N,), (M,)."""
    one, over_x, over_y = x.new_ones(()), [], y.new_zeros(len(y))
    for part in x.split(ROWS):
        kernel = torch.addmm(one, part, y.T, alpha=1 / x.shape[1]).pow_(3)  # (n, M)
        over_x.append(kernel.sum(1))
        over_y += kernel.sum(0)
    return torch.cat(over_x), over_y
