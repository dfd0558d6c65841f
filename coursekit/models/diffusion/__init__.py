"""Diffusion models: networks that denoise, and ways to draw samples with them."""

from coursekit.models.diffusion.ddpm import DDPM, Bound, Hybrid, Simple, Weighting
from coursekit.models.diffusion.denoiser import Clipped, Denoiser, Denoises
from coursekit.models.diffusion.diffusion import Diffusion
from coursekit.models.diffusion.guidance import ClassifierFree, ClassifierGuided
from coursekit.models.diffusion.mixture import ExactMixture, Mixture
from coursekit.models.diffusion.path import Path, VariancePreserving
from coursekit.models.diffusion.predictions import (
    Data,
    Epsilon,
    Flow,
    Parametrization,
    Prediction,
    Score,
    Velocity,
)
from coursekit.models.diffusion.samplers import DDIM, Ancestral, Sampler, even_log_snr, even_times
from coursekit.models.diffusion.schedules import Cosine, Linear, Schedule, Sigmoid
from coursekit.models.diffusion.variances import (
    FixedLarge,
    FixedSmall,
    LearnedRange,
    Step,
    Variance,
    posterior,
)

__all__ = [
    "DDIM",
    "DDPM",
    "Ancestral",
    "Bound",
    "ClassifierFree",
    "ClassifierGuided",
    "Clipped",
    "Cosine",
    "Data",
    "Denoiser",
    "Denoises",
    "Diffusion",
    "Epsilon",
    "ExactMixture",
    "FixedLarge",
    "FixedSmall",
    "Flow",
    "Hybrid",
    "LearnedRange",
    "Linear",
    "Mixture",
    "Parametrization",
    "Path",
    "Prediction",
    "Sampler",
    "Schedule",
    "Score",
    "Sigmoid",
    "Simple",
    "Step",
    "Variance",
    "VariancePreserving",
    "Velocity",
    "Weighting",
    "even_log_snr",
    "even_times",
    "posterior",
]
