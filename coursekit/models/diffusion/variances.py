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

    Source: Kingma et al. 2021 (arXiv:2107.00630), appendix A.
    """
    (scale_s, noise_s), (scale_t, noise_t) = path.place(s), path.place(t)
    ratio, var_s, var_t = scale_t / scale_s, noise_s.square(), noise_t.square()
    large = var_t - ratio.square() * var_s
    return Step(ratio * var_s / var_t, scale_s * large / var_t, large * var_s / var_t, large)


class Variance(Protocol):
    """Log-variance of the model's step from t to s, (B,) or (B, *); `learnt` if the network says it."""

    learnt: bool

    def __call__(self, path: Path, s: Tensor, t: Tensor, spread: Tensor | None) -> Tensor: ...


class FixedSmall:
    """beta-tilde, the variance of the posterior q(x_s | x_t, x_0): optimal for data at a single point."""

    learnt = False

    def __call__(self, path: Path, s: Tensor, t: Tensor, spread: Tensor | None = None) -> Tensor:
        return _range(path, s, t)[0].log()


class FixedLarge:
    """beta, the variance of q(x_t | x_s): optimal for data from N(0, I)."""

    learnt = False

    def __call__(self, path: Path, s: Tensor, t: Tensor, spread: Tensor | None = None) -> Tensor:
        small, large = _range(path, s, t)
        return torch.where(path.noise(s) > 0, large, small).log()


class LearnedRange:
    """log variance = u log beta + (1 - u) log beta-tilde, u = (spread + 1) / 2 given by the network.

    Source: Nichol & Dhariwal 2021 (arXiv:2102.09672), eq. (15).
    """

    learnt = True

    def __call__(self, path: Path, s: Tensor, t: Tensor, spread: Tensor | None) -> Tensor:
        if spread is None:
            raise ValueError("spread is None; a learnt variance needs a network with twice the channels")
        small, large = (expand_like(a.log(), spread) for a in _range(path, s, t))
        return torch.lerp(small, large, (spread + 1) / 2)


def _range(path: Path, s: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """beta-tilde and beta; for a step that ends at data beta-tilde is 0, and that of the step before, from
    2 t - s to t, stands for it."""
    step, before = posterior(path, s, t), posterior(path, t, (2 * t - s).clamp(max=1))
    last = before.small.clamp(min=1e-20)  # a single step has none before it
    return torch.where(path.noise(s) > 0, step.small, last), step.large
