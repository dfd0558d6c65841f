"""Bounds on a critic's slope: terms that are added to its loss, and spectral normalization of its layers.

A penalty takes the gradient of each score by its own input, so the critic must treat rows independently: no
batch norm in it.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from coursekit.ops import expand_like

Scores = Callable[[Tensor, Tensor | None], Tensor]
"""(x, c) -> raw scores, (B, *) -> (B,)."""


class Penalty(Protocol):
    """What is added to the critic's loss, from data and fakes, both (B, *), fakes without a graph."""

    def __call__(self, scores: Scores, real: Tensor, fake: Tensor, c: Tensor | None = None) -> Tensor: ...


class GradientPenalty:
    """weight * E (|grad a(u)| - 1)^2, at points u drawn evenly between a datum and a fake.

    Args:
        weight: lambda, at least 0.

    Source: Gulrajani et al. 2017 (arXiv:1704.00028), eq. (3).
    """

    def __init__(self, weight: float = 10.0):
        self.weight = _weight(weight)

    def __call__(self, scores: Scores, real: Tensor, fake: Tensor, c: Tensor | None = None) -> Tensor:
        share = torch.rand(len(real), dtype=real.dtype, device=real.device)
        between = torch.lerp(real, fake, expand_like(share, real))
        slope = gradient(scores, between, c).flatten(1).norm(dim=1)  # (B,)
        return self.weight * (slope - 1).square().mean()


class R1:
    """weight / 2 * E |grad a(x)|^2, at the data alone.

    Args:
        weight: gamma, at least 0.

    Source: Mescheder, Geiger & Nowozin 2018 (arXiv:1801.04406), eq. (9).
    """

    def __init__(self, weight: float = 10.0):
        self.weight = _weight(weight)

    def __call__(self, scores: Scores, real: Tensor, fake: Tensor, c: Tensor | None = None) -> Tensor:
        return 0.5 * self.weight * gradient(scores, real, c).square().flatten(1).sum(1).mean()


def gradient(scores: Scores, x: Tensor, c: Tensor | None = None) -> Tensor:
    """grad_x a(x), itself differentiable by the critic's parameters: (B, *) -> (B, *)."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(scores(x, c).sum(), x, create_graph=True)[0]


def spectral_norm(critic: nn.Module) -> nn.Module:
    """Divide the weight of every Linear and Conv2d by its largest singular value, in place.

    The value is estimated by one step of power iteration at each pass in training mode. A convolution's is
    that of its weight as a matrix (out, in * height * width), as in the paper; the map may stretch more.

    Returns:
        The critic.

    Source: Miyato et al. 2018 (arXiv:1802.05957).
    """
    for layer in list(critic.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.utils.parametrizations.spectral_norm(layer)
    return critic


def _weight(weight: float) -> float:
    if not weight >= 0:
        raise ValueError(f"weight is {weight}; expected a number of at least 0")
    return weight
