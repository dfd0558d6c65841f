"""What the tests of diffusion models share: paths, small mixtures, a network that is a given function."""

import torch
from torch import nn

from coursekit.data import GaussianMixture
from coursekit.models.diffusion import (
    VE,
    VP,
    Cosine,
    Karras,
    LearnedLogSNR,
    Linear,
    Path,
    Sigmoid,
    Straight,
    SubVP,
)

PATHS: dict[str, Path] = {
    "linear": Linear(100),
    "cosine": Cosine(100),
    "sigmoid": Sigmoid(100),
    "vp": VP(),
    "sub-vp": SubVP(),
    "ve": VE(0.05, 20.0),
    "karras": Karras(0.05, 20.0),
    "straight": Straight(),
    "learned": LearnedLogSNR(9.0, -6.0).requires_grad_(False),
}


def two_peaks() -> GaussianMixture:
    return GaussianMixture([[1.5, 0.0], [-1.0, 1.0]], [0.3, 0.1], [1.0, 2.0])


def one_gaussian(mean: float = 0.0, variance: float = 0.3, dims: int = 2) -> GaussianMixture:
    return GaussianMixture([[mean] * dims], variance)


def moments(mixture: GaussianMixture) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean (D,) and covariance (D, D) of a mixture, in the default precision."""
    w, m, v = (a.to(torch.get_default_dtype()) for a in (mixture.weights, mixture.means, mixture.variance))
    mean = w @ m
    spread = m - mean
    return mean, (w * v).sum() * torch.eye(m.shape[1]) + spread.T @ (w[:, None] * spread)


class Given(nn.Module):
    """A network that answers with a function of (x, t), whatever it is."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, x, t, c=None):
        return self.function(x, t) + 0 * self.unused
