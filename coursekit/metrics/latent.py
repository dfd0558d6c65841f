"""Can a latent space be sampled? Two measures that need a decoder, codes and a classifier, and no model."""

from collections.abc import Callable

import torch
from torch import Tensor

from coursekit.metrics.likelihood import Estimate

Decode = Callable[[Tensor], Tensor]
Classify = Callable[[Tensor], Tensor]
PARTS = 10


@torch.no_grad()
def continuity(decode: Decode, codes: Tensor, step: float = 0.05, seed: int = 0) -> Estimate:
    """How far the decodings of near codes lie apart, as a fraction of the distance of unrelated ones.

    jump = rms |decode(z + d) - decode(z)| / rms |decode(z) - decode(z')|,  d ~ N(0, 2 step^2 C)

    z and z' are independent codes and C is their covariance, so d spreads as z - z' does, only `step` times
    as far. The jump therefore stays the same when the latent space is stretched, sheared or turned, when
    latent dimensions without spread are added, and when the pixels are rescaled. Every affine decoder has a
    jump of `step`; 1 means that a near code decodes to something as different as an unrelated one.

    Args:
        decode: (N, D) -> (N, *), deterministic.
        codes: where the data lie in the latent space, in random order, (N, D), N >= 20.
        step: distance of near codes as a fraction of the distance of unrelated codes, > 0.
        seed: of the displacements.

    Returns:
        The jump, without unit, in [0, inf), small where the decoder is continuous; its standard error is that
        of ten disjoint parts of the codes.

    Raises:
        ValueError: if codes are not (N, D) with N >= 20, step is not positive, or all codes decode alike.
    """
    if codes.ndim != 2 or len(codes) < 2 * PARTS:
        raise ValueError(f"codes must be (N, D) with N >= {2 * PARTS}, got shape {tuple(codes.shape)}.")
    if not step > 0:
        raise ValueError(f"step must be positive, got {step}.")
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(codes.shape, generator=generator, dtype=torch.float64).to(codes)
    parts = zip(codes.tensor_split(PARTS), noise.tensor_split(PARTS), strict=True)
    spread = torch.tensor([_jump(decode, z, step * e) for z, e in parts]).std().item()
    return Estimate(_jump(decode, codes, step * noise), spread / PARTS**0.5, len(codes), "1")


def _jump(decode: Decode, codes: Tensor, noise: Tensor) -> float:
    """The ratio of `continuity`, with displacements noise @ (2 C)^(1/2)."""
    variances, axes = torch.linalg.eigh(2 * torch.cov(codes.T).reshape(codes.shape[1], codes.shape[1]))
    here = decode(codes).flatten(1)
    near = decode(codes + noise * variances.clamp(min=0).sqrt() @ axes.T).flatten(1) - here
    far = 2 * here.var(0).sum()
    if not far > 0:
        raise ValueError("all codes decode to the same output, so there is no distance to compare with.")
    return (near.square().sum(1).mean() / far).sqrt().item()


@torch.no_grad()
def completeness(decode: Decode, classify: Classify, codes: Tensor, threshold: float = 0.9) -> Estimate:
    """How often a drawn code decodes to something that a classifier recognizes.

    share of codes z with max_y p(y | decode(z)) >= threshold

    The codes are drawn from wherever one would sample: the box around the data's codes (`box`), a
    prior, a fitted density. Two models are comparable under one classifier and one threshold; with
    `confidence_floor` the threshold is such that real data score a chosen share. The measure asks for
    something recognizable and not for variety: a decoder that always answers with one good image scores 1.

    Args:
        decode: (N, D) -> (N, *), deterministic.
        classify: (N, *) -> probabilities of the Y classes that count, (N, Y). Rows sum to one, or to less
            where the classifier may answer "none of them".
        codes: the draws, (N, D), N >= 1.
        threshold: least probability of the likeliest class that counts, in (0, 1].

    Returns:
        A fraction in [0, 1], large where there are no holes; with its (binomial) standard error.

    Raises:
        ValueError: if codes are not (N, D), threshold is not in (0, 1], or classify gives no probabilities.
    """
    if codes.ndim != 2 or len(codes) < 1:
        raise ValueError(f"codes must be (N, D) with N >= 1, got shape {tuple(codes.shape)}.")
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1], got {threshold}.")
    share = (_confidence(classify, decode(codes)) >= threshold).double().mean().item()
    return Estimate(share, (share * (1 - share) / len(codes)) ** 0.5, len(codes), "1")


@torch.no_grad()
def confidence_floor(classify: Classify, x: Tensor, share: float = 0.95) -> float:
    """The confidence that a given share of real data reaches: the threshold for `completeness`.

    Args:
        classify: as for `completeness`, (N, *) -> (N, Y).
        x: real data, not those the classifier was trained on, (N, *).
        share: part of the data to be accepted, in (0, 1).

    Raises:
        ValueError: if share is not in (0, 1), or classify gives no probabilities.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie in (0, 1), got {share}.")
    ranked = _confidence(classify, x).sort(descending=True).values
    return ranked[max(1, round(share * len(ranked))) - 1].item()


def box(codes: Tensor, n: int, coverage: float = 0.98, seed: int = 0) -> Tensor:
    """n uniform draws from the box that holds the central part of the codes on every axis, (n, D).

    Args:
        codes: where the data lie, (N, D).
        n: number of draws.
        coverage: part of the codes between the two walls of each axis, in (0, 1]; below 1 it keeps
            single outliers from blowing up the box.
        seed: of the draws.

    Raises:
        ValueError: if coverage is not in (0, 1].
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage must lie in (0, 1], got {coverage}.")
    tail = (1 - coverage) / 2
    low, high = codes.quantile(tail, dim=0), codes.quantile(1 - tail, dim=0)
    uniform = torch.rand(n, codes.shape[1], generator=torch.Generator().manual_seed(seed))
    return low + (high - low) * uniform.to(codes)


def _confidence(classify: Classify, x: Tensor) -> Tensor:
    """Probability of the likeliest class, (N,); refuses what is not a table of probabilities."""
    p = classify(x)
    if p.ndim != 2 or p.min() < 0 or p.sum(1).max() > 1 + 1e-3:
        raise ValueError(
            f"classify must return probabilities (N, Y) with rows of at most one, got shape {tuple(p.shape)} "
            f"with values from {p.min():.3g} to {p.max():.3g}: apply a softmax to logits."
        )
    return p.max(1).values
