"""A Gaussian prior on images of eight pixels, measurements of one, and the posterior, which is known."""

import pytest
import torch
from torch import Tensor

from coursekit.models.diffusion import VP, ExactGaussian, gaussian_posterior
from coursekit.tasks import Blur, Crop, Downsample, LinearOperator, Mask

SHAPE, D = (1, 2, 4), 8
PLACE = torch.arange(D, dtype=torch.float64)
MEAN = torch.linspace(-0.5, 0.5, D, dtype=torch.float64)
SMOOTH = 0.5 * (-(PLACE[:, None] - PLACE).square() / 8).exp() + 0.02 * torch.eye(D, dtype=torch.float64)
HALF = torch.tensor([1.0, 1, 0, 0, 0, 1, 1, 0]).view(SHAPE)
OPERATORS: dict[str, LinearOperator] = {
    "mask": Mask(HALF),
    "crop": Crop(SHAPE, (0, 1, 1, 3)),
    "downsample": Downsample(SHAPE, 2),
    "blur": Blur(SHAPE, 0.6),
}
MASK = OPERATORS["mask"]
each = pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
NOISE = 0.2


def problem(operator: LinearOperator, covariance: Tensor = SMOOTH, noise: float = NOISE, n: int = 1):
    """A prior, n measurements of one image, and the posterior's mean (D,) and covariance."""
    prior = ExactGaussian(MEAN, covariance, VP())
    root = torch.linalg.cholesky(covariance)
    x = (MEAN + root @ torch.randn(D, dtype=torch.float64)).view(1, *SHAPE)
    y = operator.measure(x, noise)
    means, rest = gaussian_posterior(MEAN, covariance, operator.matrix(), y.flatten(1), noise)
    return prior, y.expand(n, -1, -1, -1), means[0], rest
