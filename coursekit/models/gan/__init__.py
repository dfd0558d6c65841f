"""Generative adversarial networks: a generator that learns from a critic."""

from coursekit.models.gan.gan import GAN
from coursekit.models.gan.objectives import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    Wasserstein,
)
from coursekit.models.gan.penalties import R1, GradientPenalty, Penalty, spectral_norm

__all__ = [
    "GAN",
    "R1",
    "GradientPenalty",
    "Hinge",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "Objective",
    "Penalty",
    "Wasserstein",
    "spectral_norm",
]
