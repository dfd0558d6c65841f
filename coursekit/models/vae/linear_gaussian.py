"""The linear-Gaussian latent variable model, where everything a VAE estimates is exact
(Tipping & Bishop 1999, doi:10.1111/1467-9868.00196)."""

import math

import torch
from torch import Tensor, nn
from torch.distributions import (
    Distribution,
    Independent,
    LowRankMultivariateNormal,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from coursekit.models.vae.pca import PCA
from coursekit.protocols import Losses


class LinearGaussian(nn.Module):
    """z ~ N(0, I), x | z ~ N(W z + mean, variance I); hence x ~ N(mean, W W^T + variance I).

    Args:
        weight: W, (D, K).
        mean: (D,).
        variance: of x around W z + mean in each dimension, above 0.
    """

    def __init__(self, weight: Tensor, mean: Tensor, variance: float | Tensor):
        super().__init__()
        variance = torch.as_tensor(variance, dtype=weight.dtype)
        if weight.ndim != 2 or mean.shape != weight.shape[:1]:
            raise ValueError(
                f"weight {tuple(weight.shape)}, mean {tuple(mean.shape)}; expected (D, K) and (D,)"
            )
        if not variance > 0:
            raise ValueError(f"variance is {variance.item()}; expected a number above 0")
        self.weight, self.mean = nn.Parameter(weight.clone()), nn.Parameter(mean.clone())
        self.log_variance = nn.Parameter(variance.log())

    @classmethod
    def fit(cls, x: Tensor, n_components: int) -> "LinearGaussian":
        """The maximum likelihood model of x, (N, D), in closed form.

        W = E (L - s2 I)^(1/2), eq. (7), where L holds the K greatest eigenvalues of the covariance, E their
        eigenvectors, and s2, the mean of the other eigenvalues, is the variance, eq. (8).
        """
        n, dims = x.shape
        if not 0 < n_components < min(n, dims):
            raise ValueError(
                f"n_components is {n_components}; expected 1 to {min(n, dims) - 1} for x {(n, dims)}"
            )
        pca = PCA(min(n, dims)).fit(x)
        spectrum = pca.explained_variance * (n - 1) / n  # maximum likelihood divides by N
        variance = spectrum[n_components:].sum() / (dims - n_components)
        weight = pca.components[:n_components].T * (spectrum[:n_components] - variance).sqrt()
        return cls(weight, pca.mean, variance)

    @property
    def variance(self) -> Tensor:
        """Variance of p(x | z) in each dimension, a scalar tensor."""
        return self.log_variance.exp()

    @property
    def prior(self) -> MultivariateNormal:
        """N(0, I) over z."""
        eye = torch.eye(self.weight.shape[1], dtype=self.weight.dtype, device=self.weight.device)
        return MultivariateNormal(eye.new_zeros(len(eye)), eye)

    def encode(self, x: Tensor, c: Tensor | None = None) -> MultivariateNormal:
        """The exact posterior p(z | x) = N(M^-1 W^T (x - mean), variance M^-1), M = W^T W + variance I:
        (B, D) -> batch (B,), event (K,)."""
        precision = (
            self.weight.T @ self.weight / self.variance + self.prior.covariance_matrix
        )  # M / variance, (K, K)
        mean = torch.linalg.solve(precision, self.weight.T @ (x - self.mean).T / self.variance).T  # (B, K)
        return MultivariateNormal(mean, precision_matrix=precision)

    def decode(self, z: Tensor, c: Tensor | None = None) -> Distribution:
        """p(x | z): (B, K) -> batch (B,), event (D,)."""
        mean = z @ self.weight.T + self.mean
        return Independent(Normal(mean, self.variance.sqrt().expand_as(mean)), 1)

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """log p(x), exact: (B, D) -> (B,), nats."""
        return LowRankMultivariateNormal(self.mean, self.weight, self.variance.expand_as(self.mean)).log_prob(
            x
        )

    def elbo(self, x: Tensor, c: Tensor | None = None, q: MultivariateNormal | None = None) -> Tensor:
        """E_q log p(x | z) - KL(q || p(z)) in closed form, for any Gaussian q: (B, D) -> (B,), nats.

        E_q log p(x | z) = -D/2 log(2 pi variance) - [|x - W m - mean|^2 + tr(W S W^T)] / (2 variance)
        with q = N(m, S).
        By default q is the exact posterior, and the bound is log p(x).
        """
        q = self.encode(x) if q is None else q
        error = (x - q.mean @ self.weight.T - self.mean).square().sum(-1)  # (B,)
        spread = torch.einsum("dk,...kl,dl->...", self.weight, q.covariance_matrix, self.weight)  # (B,)
        log_norm = x.shape[-1] / 2 * (math.log(2 * math.pi) + self.log_variance)
        return -log_norm - (error + spread) / (2 * self.variance) - kl_divergence(q, self.prior)

    @torch.no_grad()
    def sample(self, n: int, c: Tensor | None = None) -> Tensor:
        """n draws of x, (n, D): z from the prior, then x from p(x | z)."""
        return self.decode(self.prior.sample((n,))).sample()

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; minus the exact log-likelihood, averaged over the batch."""
        yield "model", -self.log_prob(x).mean()
