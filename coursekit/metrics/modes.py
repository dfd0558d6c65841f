"""Modes covered: how many kinds of data a model makes, where the kinds are known."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from coursekit.metrics.likelihood import Estimate


@dataclass(frozen=True)
class Modes:
    """Where samples lie among known modes.

    Attributes:
        counts: high-quality samples at each mode, (K,).
        covered: number of modes with enough of them.
        high_quality: share of samples that belong to a mode, in [0, 1].
        kl: KL(samples' shares of the modes || the data's shares), nats, over high-quality samples: 0 where
            they are shared out alike, log K where one of K even modes has all; infinite without samples.
    """

    counts: Tensor
    covered: int
    high_quality: Estimate
    kl: float


def modes(assigned: Tensor, total: int, shares: Tensor | None = None, least: int = 1) -> Modes:
    """Counts the modes that samples cover.

    Args:
        assigned: the mode of each sample, 0 .. total - 1, or -1 where it belongs to none, (N,): from
            `nearest_mode` or `recognized`.
        total: K, the number of modes.
        shares: of the modes in the data, positive, summing to 1, (K,); None means even.
        least: how many samples cover a mode.

    Raises:
        ValueError: a mode that does not exist, or no sample at all.

    Source: Srivastava et al. 2017 (VEEGAN, arXiv:1705.07761), section 5.1, for `covered` with least=1 and
    `high_quality`.
    """
    if not len(assigned) or not -1 <= int(assigned.min()) <= int(assigned.max()) < total:
        raise ValueError(
            f"assigned must hold at least one mode, each in -1 .. {total - 1}, got {assigned.unique()}."
        )
    good = assigned >= 0
    counts = assigned[good].bincount(minlength=total)
    share = good.double().mean().item()
    q = torch.full((total,), 1 / total) if shares is None else shares
    p = counts.double() / counts.sum()
    kl = torch.special.xlogy(p, p / q.to(p)).sum().item() if good.any() else math.inf
    quality = Estimate(share, math.sqrt(share * (1 - share) / len(good)), len(good), "1")
    return Modes(counts, int((counts >= least).sum()), quality, kl)


def nearest_mode(x: Tensor, centres: Tensor, radius: float) -> Tensor:
    """The nearest centre of each point, -1 where even that is farther than `radius`: (N, D) -> (N,).

    Args:
        x: points, (N, D).
        centres: (K, D).
        radius: in units of x; for Gaussians three standard deviations are usual.
    """
    if not radius > 0:
        raise ValueError(f"radius must be positive, got {radius}.")
    distance, mode = torch.cdist(x, centres.to(x)).min(1)
    return mode.where(distance <= radius, -1)


@torch.no_grad()
def recognized(x: Tensor, classify: Callable[[Tensor], Tensor], threshold: float = 0.9) -> Tensor:
    """The likeliest class of each sample, -1 where a classifier is not sure enough: (N, *) -> (N,).

    Args:
        x: samples, (N, *).
        classify: (N, *) -> probabilities, (N, Y), as for `latent.completeness`.
        threshold: least probability of the likeliest class, in (0, 1]; `latent.confidence_floor` finds the
            one that real data reach.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1], got {threshold}.")
    confidence, label = classify(x).max(1)
    return label.where(confidence >= threshold, -1)
