"""The last step of a diffusion model, p(x_0 | x_1): a Gaussian, or its mass on grey levels."""

import math

import torch
from torch import Tensor
from torch.special import log_ndtr


def log_decoder(x: Tensor, mean: Tensor, log_variance: Tensor, levels: int | None = None) -> Tensor:
    """log of the density of N(mean, variance) at x; with levels, of its mass on the level's bin of width
    2 / (levels - 1) around x, where the outermost bins of [-1, 1] have no outer border.

    Args:
        x: data, any shape.
        mean, log_variance: of the Gaussian, which broadcast against x.
        levels: number of equally spaced levels from -1 to 1; None for a density.

    Returns:
        Shape of x, nats.

    Source: Ho, Jain & Abbeel 2020 (arXiv:2006.11239), eq. (13).
    """
    if levels is None:
        return -0.5 * ((x - mean).square() * (-log_variance).exp() + log_variance + math.log(2 * math.pi))
    if levels < 2:
        raise ValueError(f"levels is {levels}; expected at least 2, or None for a density")
    half, per_deviation = 1 / (levels - 1), (-0.5 * log_variance).exp()
    above = ((x + half - mean) * per_deviation).masked_fill(x > 1 - half, 1e4)  # far enough for all mass
    below = ((x - half - mean) * per_deviation).masked_fill(x < half - 1, -1e4)
    right = above + below > 0  # the tail is taken on the left, where log_ndtr is exact
    above, below = torch.where(right, -below, above), torch.where(right, -above, below)
    log_above, log_below = log_ndtr(above), log_ndtr(below)
    return log_above + torch.log1p(-(log_below - log_above).clamp(max=-1e-6).exp())
