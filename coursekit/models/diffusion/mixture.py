"""The denoiser of a Gaussian mixture, exact: an oracle for samplers, and what a network should learn."""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.predictions import Prediction
from coursekit.models.diffusion.variances import FixedSmall, Variance
from coursekit.nets import condition_vector


class Mixture(Protocol):
    """sum_k w_k N(m_k, s_k^2 I): `coursekit.data.GaussianMixture` is one."""

    means: Tensor
    variance: Tensor
    weights: Tensor


class ExactMixture(nn.Module):
    """E[x_0 | x_t] = sum_k r_k [m_k + alpha s_k^2 / v_k (x_t - alpha m_k)] with component k's probability
    r_k, proportional to w_k N(x_t; alpha m_k, v_k I), and v_k = alpha^2 s_k^2 + sigma^2.

    Given c the sum runs over the components of that class alone.

    Args:
        mixture: of p(x_0): `means` (K, *), `variance` and `weights` (K,); a variance may be 0.
        path: alpha(t) and sigma(t).
        variance: of a step of the reverse chain; None is `FixedSmall()`.
        classes: the class of each component, long (K,), for conditions: labels (B,), or rows (B, c_dim) of
            which those of zeros mean all classes. None: there is no condition.

    Raises:
        ValueError: not one class for each component, or a class without any.
    """

    def __init__(
        self, mixture: Mixture, path: Path, variance: Variance | None = None, classes: Tensor | None = None
    ):
        super().__init__()
        self.path, self.variance = path, variance or FixedSmall()
        self.c_dim = 0 if classes is None else int(classes.max()) + 1
        if classes is not None and (
            len(classes) != len(mixture.means) or len(classes.unique()) != self.c_dim
        ):
            raise ValueError(
                f"classes are {classes.tolist()} for {len(mixture.means)} components; expected one for each,"
                f" and every class from 0 to {self.c_dim - 1}"
            )
        self.register_buffer("classes", classes)
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
        """The exact prediction at x_t, (B, *)."""
        scale, variance, offset, log_p = self._components(x_t, t)
        log_p = log_p + self._log_share(c, x_t)
        gain = scale * self.variances.to(x_t) / variance  # (B, K)
        share = log_p.softmax(1)
        x0 = share @ self.means.to(x_t).flatten(1) + ((share * gain)[..., None] * offset).sum(1)
        score = -((share / variance)[..., None] * offset).sum(1)  # (B, D)
        eps = -self.path.noise(t)[:, None] * score
        return Prediction(x_t, t, self.path, x0.view_as(x_t), eps.view_as(x_t), self.variance)

    def _log_share(self, c: Tensor | None, x_t: Tensor) -> Tensor:
        """0 for the components of the class c, minus infinity for the others: (B, K), or a zero."""
        if c is None:
            return x_t.new_zeros(())
        c = condition_vector(c, self.c_dim, x_t)
        chosen = c[:, self.classes] > 0
        return torch.where(chosen | ~c.any(1, keepdim=True), 0.0, -torch.inf).to(x_t)

    def log_prob(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        """log p_t(x_t | c), exact: (B, *), (B,) -> (B,), nats."""
        log_p, chosen = self._components(x_t, t)[-1], self._log_share(c, x_t)
        log_prior = self.log_weights.to(x_t) + chosen
        return (log_p + chosen).logsumexp(1) - log_prior.logsumexp(-1)


def guidance_target(mixture: Mixture, classes: Tensor, label: int, weight: float, points: Tensor) -> Mixture:
    """What guidance is said to draw from, p(x | c)^w p(x)^(1 - w) / Z, as a mixture of atoms at `points`.

    The atoms' weights are the density's values there, normalized. Where the points lie evenly, `ExactMixture`
    of the atoms is the target's exact denoiser, at noise levels that are not small beside their distance.

    Args:
        mixture: p(x).
        classes: the class of each component, long (K,).
        label: c.
        weight: w; 0 gives p(x), 1 gives p(x | c).
        points: even, on all of the space that matters, (N, D).

    Raises:
        ValueError: no component has the class.
    """
    of_class = classes == label
    if not of_class.any():
        raise ValueError(f"label is {label}; expected one of {classes.unique().tolist()}")
    # not by cdist, which takes |a|^2 + |b|^2 - 2 ab, and a root that is squared again
    squared = (points[:, None] - mixture.means.to(points)).square().sum(-1)  # (N, K)
    variance = mixture.variance.to(points).expand(len(mixture.means))
    log_p = mixture.weights.to(points).log() - 0.5 * (squared / variance + points.shape[1] * variance.log())
    log_q = weight * log_p[:, of_class].logsumexp(1) + (1 - weight) * log_p.logsumexp(1)
    return Atoms(points, log_q.softmax(0))


class Atoms(NamedTuple):
    """sum_k w_k delta(x - m_k)."""

    means: Tensor
    weights: Tensor

    @property
    def variance(self) -> Tensor:
        """0 for all."""
        return self.means.new_zeros(())
