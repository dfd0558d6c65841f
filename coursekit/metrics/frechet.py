"""The Frechet distance of features, as in the FID, but with features of one's choice."""

import math

import torch
from torch import Tensor

from coursekit.metrics.features import Features, both
from coursekit.metrics.likelihood import Estimate

PARTS = 10


def frechet_distance(a: Tensor, b: Tensor, features: Features | None = None) -> Estimate:
    """Squared Frechet distance of the Gaussians with the means and covariances of two sets of features.

    With the features of an Inception network this is the FID (Heusel et al. 2017, arXiv:1706.08500, eq. 6);
    with other features it is another number, and the two must not be compared. It is biased upwards, the more
    the fewer the rows: compare only values from equal numbers of rows.

    Args:
        a, b: features, (N, D) and (M, D); or data, (N, *) and (M, *), if `features` is given. At least 20
            rows each, in random order; more than D each, if the covariances are to be known at all.
        features: (B, *) -> (B, D).

    Returns:
        The distance in squared units of the features, 0 for equal moments; its standard error leaves out a
        tenth of both sets at a time (jackknife), and says nothing of the bias.

    Raises:
        ValueError: too few rows, or features that are not finite vectors of one length.
    """
    a, b = both(a, b, features, least=2 * PARTS)
    parts = [torch.arange(len(rows), device=rows.device) % PARTS for rows in (a, b)]
    without = torch.tensor([_distance(a[parts[0] != i], b[parts[1] != i]) for i in range(PARTS)])
    stderr = math.sqrt((PARTS - 1) * without.double().var(correction=0).item())
    return Estimate(_distance(a, b), stderr, min(len(a), len(b)), "squared feature distance")


def gaussian_frechet(mean_a: Tensor, cov_a: Tensor, mean_b: Tensor, cov_b: Tensor) -> Tensor:
    """Squared Frechet (2-Wasserstein) distance of two Gaussians, a scalar >= 0.

    |m - n|^2 + tr(A + B - 2 (A^(1/2) B A^(1/2))^(1/2))

    The last trace is the sum of the singular values of A^(1/2) B^(1/2), which needs no root of a matrix that
    rounding made asymmetric.

    Args:
        mean_a, mean_b: m and n, (D,).
        cov_a, cov_b: A and B, symmetric, no eigenvalue below 0, (D, D).

    Source: Dowson & Landau 1982, The Frechet distance between multivariate normal distributions.
    """
    overlap = torch.linalg.svdvals(_root(cov_a) @ _root(cov_b)).sum()
    return (mean_a - mean_b).square().sum() + (cov_a.trace() + cov_b.trace() - 2 * overlap).clamp(min=0)


def _root(cov: Tensor) -> Tensor:
    """The symmetric square root; eigenvalues that rounding made negative count as zero."""
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def _distance(a: Tensor, b: Tensor) -> float:
    moments = [moment for x in (a, b) for moment in (x.mean(0), x.T.cov().reshape(x.shape[1], x.shape[1]))]
    return gaussian_frechet(*moments).item()
