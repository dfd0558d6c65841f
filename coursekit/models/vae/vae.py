"""Variational autoencoder (Kingma & Welling 2014, arXiv:1312.6114; Rezende et al. 2014, arXiv:1401.4082)."""

import math

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from coursekit.ops import gaussian_kl, monte_carlo_kl
from coursekit.protocols import Losses

ROWS = 2048  # decoded at once by `log_prob`: a few MB of 28x28 images, which stay in the processor's cache


class VAE(nn.Module):
    """p(x) = E_{z ~ N(0, I)} p(x | z), trained on a lower bound of log p(x).

    With a condition c all parts may depend on it: p(x | c) = E_{z ~ p(z | c)} p(x | z, c) and q(z | x, c).
    The prior is the fixed N(0, I), or learnt, N(m(c), diag s(c)^2) (Sohn, Lee & Yan 2015).

    Args:
        encoder: (x, c) -> mean and log-variance of q(z | x), side by side, (B, 2D).
        decoder: (z, c) -> the distribution p(x | z), batch shape that of z, event shape that of x.
        latent_dim: D, the length of z.
        beta: weight of the KL term in the training loss (beta-VAE); `elbo` always has weight 1.
        analytic_kl: whether the KL term is computed in closed form, or estimated at the sampled z.
        prior_net: (empty (B, 0), c) -> mean and log-variance of p(z | c), (B, 2D), such as
            `MLP(0, 2 * D, c_dim=...)`; None for N(0, I).
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent_dim: int,
        beta: float = 1.0,
        analytic_kl: bool = True,
        prior_net: nn.Module | None = None,
    ):
        super().__init__()
        self.encoder, self.decoder, self.prior_net = encoder, decoder, prior_net
        self.latent_dim, self.beta, self.analytic_kl = latent_dim, beta, analytic_kl
        self.register_buffer("zero", torch.zeros(latent_dim))
        self.register_buffer("one", torch.ones(latent_dim))

    @property
    def prior(self) -> Distribution:
        """N(0, I) over z, on the model's device and in its precision.

        Raises:
            ValueError: the prior is learnt.
        """
        if self.prior_net is not None:
            raise ValueError("the prior is learnt and depends on c: take prior_given(c)")
        return Independent(Normal(self.zero, self.one, validate_args=False), 1)

    def prior_given(self, c: Tensor | None = None) -> Distribution:
        """p(z | c): batch (B,), event (D,) if it is learnt, else N(0, I), batch ()."""
        if self.prior_net is None:
            return self.prior
        if c is None:
            raise ValueError("the prior is learnt and needs a condition c; got None")
        return _gaussian(self.prior_net(self.zero.new_empty(len(c), 0), c))

    def encode(self, x: Tensor, c: Tensor | None = None) -> Distribution:
        """q(z | x), a diagonal Gaussian: (B, *) -> batch (B,), event (D,)."""
        return _gaussian(self.encoder(x, c))

    def decode(self, z: Tensor, c: Tensor | None = None) -> Distribution:
        """p(x | z): (..., B, D) -> batch (..., B)."""
        return self.decoder(z, c)

    def elbo(self, x: Tensor, c: Tensor | None = None, beta: float = 1.0) -> Tensor:
        """One-sample estimate of the bound on log p(x), eq. (10): (B, *) -> (B,), nats."""
        q, prior = self.encode(x, c), self.prior_given(c)
        z = q.rsample()  # reparameterized, (B, D)
        kl = gaussian_kl(q, prior) if self.analytic_kl else monte_carlo_kl(q, prior, z)
        return self.decode(z, c).log_prob(x) - beta * kl

    def log_weights(self, x: Tensor, c: Tensor | None = None, k: int = 1) -> Tensor:
        """log [p(x | z) p(z) / q(z | x)] at k draws of z from q(z | x): (B, *) -> (k, B), nats."""
        q = self.encode(x, c)
        z = q.rsample((k,))  # (k, B, D)
        return self.decode(z, c).log_prob(x) - monte_carlo_kl(q, self.prior_given(c), z)

    @torch.no_grad()
    def log_prob(self, x: Tensor, c: Tensor | None = None, k: int = 100) -> Tensor:
        """log of k averaged importance weights, a lower bound in expectation that tightens
        with k (arXiv:1509.00519, eq. 8): (B, *) -> (B,), nats."""
        if k < 1:
            raise ValueError(f"k is {k}; expected at least one importance sample")
        at_once = max(1, ROWS // max(1, len(x)))
        sizes = [min(at_once, k - done) for done in range(0, k, at_once)]
        return torch.stack([self.log_weights(x, c, n).logsumexp(0) for n in sizes]).logsumexp(0) - math.log(k)

    @torch.no_grad()
    def sample(self, n: int, c: Tensor | None = None) -> Tensor:
        """n draws from the model, (n, *): z from the prior, then x from p(x | z)."""
        if c is not None and len(c) != n:
            raise ValueError(f"n is {n} and c has {len(c)} rows; expected one condition for each draw")
        return self.decode(self.prior_given(c).expand((n,)).sample(), c).sample()

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; minus the (beta-weighted) bound, averaged over the batch."""
        yield "model", -self.elbo(x, c, self.beta).mean()


def _gaussian(parameters: Tensor) -> Independent:
    """Mean and log-variance side by side, (B, 2D), as a diagonal Gaussian."""
    mean, log_var = parameters.chunk(2, dim=-1)
    return Independent(Normal(mean, (0.5 * log_var).exp(), validate_args=False), 1)
