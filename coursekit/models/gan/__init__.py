"""Generative adversarial networks: a generator that learns from a critic."""

from coursekit.models.gan.cyclegan import CycleGAN, ImageBuffer
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
from coursekit.models.gan.pix2pix import Pix2Pix

__all__ = [
    "GAN",
    "R1",
    "CycleGAN",
    "GradientPenalty",
    "Hinge",
    "ImageBuffer",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "Objective",
    "Penalty",
    "Pix2Pix",
    "Wasserstein",
    "spectral_norm",
]
