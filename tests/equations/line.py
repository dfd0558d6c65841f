"""A Gaussian mixture on a line, and the paths of chapter 11: for checks by sums, by autograd and by steps."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, Normal

LINE = torch.linspace(-14, 14, 8001, dtype=torch.float64)
STEP = (LINE[1] - LINE[0]).item()
MEANS, STDS, WEIGHTS = (
    torch.tensor(v).double() for v in ([-1.5, 0.4, 2.0], [0.5, 0.8, 0.3], [0.3, 0.5, 0.2])
)

PATHS = {  # a(t), sigma(t), f(t), g(t)^2, as the table of the chapter has them, for beta(t) = 0.5 + 3 t
    "VP": (
        lambda t: (-big(t) / 2).exp(),
        lambda t: (1 - (-big(t)).exp()).sqrt(),
        lambda t: -(0.5 + 3 * t) / 2,
        lambda t: 0.5 + 3 * t,
    ),
    "sub-VP": (
        lambda t: (-big(t) / 2).exp(),
        lambda t: 1 - (-big(t)).exp(),
        lambda t: -(0.5 + 3 * t) / 2,
        lambda t: (0.5 + 3 * t) * (1 - (-2 * big(t)).exp()),
    ),
    "VE": (
        lambda t: 1 + 0 * t,
        lambda t: 0.1 * 50**t,
        lambda t: 0 * t,
        lambda t: 2 * math.log(50) * (0.1 * 50**t) ** 2,
    ),
    "straight": (lambda t: 1 - t, lambda t: t, lambda t: -1 / (1 - t), lambda t: 2 * t / (1 - t)),
}
every_path = pytest.mark.parametrize("name", PATHS)
"""For each path of the chapter's table."""


def big(t: Tensor) -> Tensor:
    """B(t), the integral of beta."""
    return 0.5 * t + 1.5 * t**2


def time(t: float) -> Tensor:
    return torch.tensor(t, dtype=torch.float64)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mixture(a: Tensor | float = 1.0, sigma: Tensor | float = 0.0) -> MixtureSameFamily:
    """The density of a x_0 + sigma eps on the line."""
    return MixtureSameFamily(Categorical(WEIGHTS), Normal(a * MEANS, (a**2 * STDS**2 + sigma**2).sqrt()))


def slope(f, x: Tensor) -> Tensor:
    """The derivative of f at each x, by autograd."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]


def score(x: Tensor, a: Tensor | float = 1.0, sigma: Tensor | float = 0.0) -> Tensor:
    return slope(mixture(a, sigma).log_prob, x)


def posterior_mean(value: Tensor, x: Tensor, a: Tensor, sigma: Tensor) -> Tensor:
    """E[value(x_0) | x_t = x] for values on LINE, by Bayes' rule and a sum: (N,)."""
    weight = mixture().log_prob(LINE).exp() * Normal(a * LINE, sigma).log_prob(x[:, None]).exp()  # (N, grid)
    return (weight * value).sum(1) / weight.sum(1)
