"""Principal component analysis (Pearson 1901; Hotelling 1933)."""

import math

import torch
from torch import Tensor, nn


class PCA(nn.Module):
    """The K-dimensional plane closest to the data: z = E (x - mean), x' = mean + E^T z.

    The rows of E (`components`, (K, D)) are the directions of greatest variance, and lambda_k
    (`explained_variance`) is the variance along the k-th. Both come from the singular values of the centred
    data, X = U diag(s) E: lambda_k = s_k^2 / (N - 1).

    Args:
        n_components: K, at least 1 and at most min(N, D).
    """

    def __init__(self, n_components: int):
        super().__init__()
        if n_components < 1:
            raise ValueError(f"n_components is {n_components}; expected at least 1")
        self.n_components = n_components

    @torch.no_grad()
    def fit(self, x: Tensor) -> "PCA":
        """Find mean and components of x, (N, *), N >= 2; gives the model back."""
        flat = x.flatten(1)  # (N, *) -> (N, D)
        if len(flat) < 2 or self.n_components > min(flat.shape):
            raise ValueError(
                f"x has {len(flat)} rows of {flat.shape[1]} numbers; {self.n_components} components need"
                " at least 2 rows, and as many rows and numbers as components"
            )
        self.event_shape = x.shape[1:]
        self.register_buffer("mean", flat.mean(0))
        _, s, e = torch.linalg.svd(flat - self.mean, full_matrices=False)
        sign = e.gather(1, e.abs().argmax(1, keepdim=True)).sign()
        e = e * sign  # so that it does not depend on the SVD's
        variance = s.square() / (len(flat) - 1)
        self.register_buffer("components", e[: self.n_components])
        self.register_buffer("explained_variance", variance[: self.n_components])
        self.register_buffer("explained_variance_ratio", self.explained_variance / variance.sum())
        return self

    def encode(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Coordinates in the plane, (B, *) -> (B, K)."""
        if not hasattr(self, "components"):
            raise ValueError("this PCA has no components yet; call fit(x) first")
        if x.shape[1:] != self.event_shape:
            raise ValueError(
                f"x has shape {tuple(x.shape)}; expected (B, *) with * = {tuple(self.event_shape)}"
            )
        return (x.flatten(1) - self.mean) @ self.components.T

    def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """The point of the plane with coordinates z, (B, K) -> (B, *)."""
        if not hasattr(self, "components"):
            raise ValueError("this PCA has no components yet; call fit(x) first")
        return (self.mean + z @ self.components).unflatten(
            1, self.event_shape or (math.prod(self.event_shape),)
        )
