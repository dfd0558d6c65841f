"""Importance weighted autoencoder (Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519)."""

from torch import Tensor, nn

from coursekit.models.vae.vae import VAE
from coursekit.ops import logmeanexp


class IWAE(VAE):
    """A VAE trained on the k-sample bound L_k = E log (1/k) sum_i p(x, z_i) / q(z_i | x), eq. (8).

    L_1 is the ELBO, and L_k rises to log p(x) with k.

    Args:
        encoder, decoder, latent_dim: as for `VAE`.
        k: importance samples for each x, at least 1.
        prior_net: as for `VAE`.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent_dim: int,
        k: int = 5,
        prior_net: nn.Module | None = None,
    ):
        if k < 1:
            raise ValueError(f"k is {k}; expected at least one importance sample")
        super().__init__(encoder, decoder, latent_dim, prior_net=prior_net)
        self.k = k

    def elbo(self, x: Tensor, c: Tensor | None = None, beta: float = 1.0) -> Tensor:
        """One estimate of L_k, from k draws of z: (B, *) -> (B,), nats; beta must be 1."""
        if beta != 1.0:
            raise ValueError(f"beta is {beta}; the importance weighted bound is defined for beta = 1 alone")
        return logmeanexp(self.log_weights(x, c, self.k), 0)
