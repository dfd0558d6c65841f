"""The denoiser of a Gaussian mixture, exact: an oracle for samplers, and what a network should learn."""

from typing import Protocol

import torch
from torch import Tensor, nn

from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.predictions import Prediction
from coursekit.models.diffusion.variances import FixedSmall, Variance


class Mixture(Protocol):
    """sum_k w_k N(m_k, s_k^2 I): `coursekit.data.GaussianMixture` is one."""

    means: Tensor
    variance: Tensor
    weights: Tensor


class ExactMixture(nn.Module):
    """E[x_0 | x_t] = sum_k r_k [m_k + alpha s_k^2 / v_k (x_t - alpha m_k)] with component k's probability
    r_k, proportional to w_k N(x_t; alpha m_k, v_k I), and v_k = alpha^2 s_k^2 + sigma^2.

    Args:
        mixture: of p(x_0): `means` (K, *), `variance` and `weights` (K,); a variance may be 0.
        path: alpha(t) and sigma(t).
        variance: of a step of the reverse chain; None is `FixedSmall()`.
    """

    def __init__(self, mixture: Mixture, path: Path, variance: Variance | None = None):
        super().__init__()
        self.path, self.c_dim, self.variance = path, 0, variance or FixedSmall()
        self.register_buffer("means", mixture.means.clone())
        self.register_buffer("variances", mixture.variance.expand(len(mixture.means)).clone())
        self.register_buffer("log_weights", mixture.weights.log())

    def _components(self, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """alpha and v_k, (B, K); x_t - alpha m_k, (B, K, D); log w_k N(x_t; alpha m_k, v_k I), (B, K)."""
        scale, noise = self.path.scale(t)[:, None], self.path.noise(t)[:, None]
        means = self.means.to(x_t).flatten(1)
        variance = scale.square() * self.variances.to(x_t) + noise.square()
        offset = x_t.flatten(1)[:, None] - scale[..., None] * means
        squared = offset.square().sum(-1) / variance + means.shape[1] * (2 * torch.pi * variance).log()
        return scale, variance, offset, self.log_weights.to(x_t) - 0.5 * squared

    def predict(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Prediction:
        """The exact prediction at x_t, (B, *); there is no condition."""
        if c is not None:
            raise ValueError("got a condition c, but a mixture has none")
        scale, variance, offset, log_p = self._components(x_t, t)
        gain = scale * self.variances.to(x_t) / variance  # (B, K)
        share = log_p.softmax(1)
        x0 = share @ self.means.to(x_t).flatten(1) + ((share * gain)[..., None] * offset).sum(1)
        score = -((share / variance)[..., None] * offset).sum(1)  # (B, D)
        eps = -self.path.noise(t)[:, None] * score
        return Prediction(x_t, t, self.path, x0.view_as(x_t), eps.view_as(x_t), self.variance)

    def log_prob(self, x_t: Tensor, t: Tensor) -> Tensor:
        """log p_t(x_t), exact: (B, *), (B,) -> (B,), nats."""
        return self._components(x_t, t)[-1].logsumexp(1)
