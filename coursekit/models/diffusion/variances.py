"""Steps between two times of a path: q(x_t | x_s), q(x_s | x_t, x_0), and the variance of a model's step."""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from coursekit.models.diffusion.path import Path
from coursekit.ops import expand_like


class Step(NamedTuple):
    """q(x_s | x_t, x_0) = N(of_x_t x_t + of_x0 x_0, small); `large` is the variance of q(x_t | x_s); (B,)."""

    of_x_t: Tensor
    of_x0: Tensor
    small: Tensor
    large: Tensor


def posterior(path: Path, s: Tensor, t: Tensor) -> Step:
    """The reverse posterior from t to an earlier s, (B,): with a = alpha_t / alpha_s and
    b = sigma_t^2 - a^2 sigma_s^2 the mean is a sigma_s^2 / sigma_t^2 x_t + alpha_s b / sigma_t^2 x_0 and the
    variance b sigma_s^2 / sigma_t^2.

    From i / T to (i - 1) / T of a DDPM schedule it is eq. (6) and (7) of arXiv:2006.11239, b is beta_i.

    Source: Kingma et al. 2021 (arXiv:2107.00630), eq. (24) to (26) of appendix A.
    """
    ratio, var_s, var_t = path.scale(t) / path.scale(s), path.noise(s).square(), path.noise(t).square()
    large = var_t - ratio.square() * var_s
    return Step(ratio * var_s / var_t, path.scale(s) * large / var_t, large * var_s / var_t, large)


class Variance(Protocol):
    """Log-variance of the model's step from t to s, (B,) or (B, *); `learnt` if the network says it."""

    learnt: bool

    def __call__(self, path: Path, s: Tensor, t: Tensor, spread: Tensor | None) -> Tensor: ...


class FixedSmall:
    """beta-tilde, the variance of the posterior q(x_s | x_t, x_0): optimal for data at a single point."""

    learnt = False

    def __call__(self, path: Path, s: Tensor, t: Tensor, spread: Tensor | None = None) -> Tensor:
        return _small(path, s, t).log()


class FixedLarge:
    """beta, the variance of q(x_t | x_s): optimal for data from N(0, I)."""

    learnt = False

    def __call__(self, path: Path, s: Tensor, t: Tensor, spread: Tensor | None = None) -> Tensor:
        small, large = _small(path, s, t), posterior(path, s, t).large
        return torch.where(path.noise(s) > 0, large, small).log()


class LearnedRange:
    """log variance = u log beta + (1 - u) log beta-tilde, u = (spread + 1) / 2 given by the network.

    Source: Nichol & Dhariwal 2021 (arXiv:2102.09672), eq. (15).
    """

    learnt = True

    def __call__(self, path: Path, s: Tensor, t: Tensor, spread: Tensor | None) -> Tensor:
        if spread is None:
            raise ValueError("spread is None; a learnt variance needs a network with twice the channels")
        small, large = _small(path, s, t).log(), posterior(path, s, t).large.log()
        return torch.lerp(expand_like(small, spread), expand_like(large, spread), (spread + 1) / 2)


def _small(path: Path, s: Tensor, t: Tensor) -> Tensor:
    """beta-tilde; for a step that ends at data, where it is 0, that of the step before, from 2 t - s to t."""
    before = (2 * t - s).clamp(max=1)
    last = posterior(path, t, before).small.clamp(min=1e-20)  # a single step has none before it
    return torch.where(path.noise(s) > 0, posterior(path, s, t).small, last)
