"""Diffusion models: networks that denoise, and ways to draw samples with them."""

from coursekit.models.diffusion.continuous import ContinuousDiffusion, ScoreSDE
from coursekit.models.diffusion.ddpm import DDPM, Bound, Hybrid, Simple, Weighting
from coursekit.models.diffusion.denoiser import Clipped, Denoiser, Denoises, Reread
from coursekit.models.diffusion.diffusion import Diffusion
from coursekit.models.diffusion.edm import EDM, Preconditioned, ScaledInput
from coursekit.models.diffusion.flow_matching import FlowMatching
from coursekit.models.diffusion.gaussian import ExactGaussian, gaussian_posterior
from coursekit.models.diffusion.guidance import ClassifierFree, ClassifierGuided
from coursekit.models.diffusion.learned import LearnedLogSNR
from coursekit.models.diffusion.likelihood import ode_log_prob
from coursekit.models.diffusion.mixture import Atoms, ExactMixture, Mixture, guidance_target
from coursekit.models.diffusion.ncsn import NCSN
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
from coursekit.models.diffusion.samplers import (
    DDIM,
    Ancestral,
    Sampler,
    ancestral_step,
    even_log_snr,
    even_times,
)
from coursekit.models.diffusion.schedules import Cosine, Linear, Schedule, Sigmoid
from coursekit.models.diffusion.score import Denoising, Explicit, ScoreModel, Sliced
from coursekit.models.diffusion.sdes import VE, VP, Karras, Straight, SubVP, VarianceExploding
from coursekit.models.diffusion.sequence import SequenceDenoiser
from coursekit.models.diffusion.solvers import DPMSolver2M, Euler, Heun
from coursekit.models.diffusion.stochastic import Langevin, PredictorCorrector, ReverseSDE, langevin_step
from coursekit.models.diffusion.times import GridTimes, LogitNormalTimes, Times, UniformTimes
from coursekit.models.diffusion.variances import (
    FixedLarge,
    FixedSmall,
    LearnedRange,
    Step,
    Variance,
    posterior,
)
from coursekit.models.diffusion.vdm import VDM

__all__ = [
    "DDIM",
    "DDPM",
    "EDM",
    "NCSN",
    "VDM",
    "VE",
    "VP",
    "Ancestral",
    "Atoms",
    "Bound",
    "ClassifierFree",
    "ClassifierGuided",
    "Clipped",
    "ContinuousDiffusion",
    "Cosine",
    "DPMSolver2M",
    "Data",
    "Denoiser",
    "Denoises",
    "Denoising",
    "Diffusion",
    "Epsilon",
    "Euler",
    "ExactGaussian",
    "ExactMixture",
    "Explicit",
    "FixedLarge",
    "FixedSmall",
    "Flow",
    "FlowMatching",
    "GridTimes",
    "Heun",
    "Hybrid",
    "Karras",
    "Langevin",
    "LearnedLogSNR",
    "LearnedRange",
    "Linear",
    "LogitNormalTimes",
    "Mixture",
    "Parametrization",
    "Path",
    "Preconditioned",
    "Prediction",
    "PredictorCorrector",
    "Reread",
    "ReverseSDE",
    "Sampler",
    "ScaledInput",
    "Schedule",
    "Score",
    "ScoreModel",
    "ScoreSDE",
    "SequenceDenoiser",
    "Sigmoid",
    "Simple",
    "Sliced",
    "Step",
    "Straight",
    "SubVP",
    "Times",
    "UniformTimes",
    "Variance",
    "VarianceExploding",
    "VariancePreserving",
    "Velocity",
    "Weighting",
    "ancestral_step",
    "even_log_snr",
    "even_times",
    "gaussian_posterior",
    "guidance_target",
    "langevin_step",
    "ode_log_prob",
    "posterior",
]
