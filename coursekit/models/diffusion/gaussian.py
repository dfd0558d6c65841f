"""The denoiser of a Gaussian with any covariance, exact: an oracle for solvers of inverse problems."""

import torch
from torch import Tensor, nn

from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.predictions import Prediction
from coursekit.models.diffusion.variances import FixedSmall, Variance


class ExactGaussian(nn.Module):
    """E[x_0 | x_t] = m + a S (a^2 S + sigma^2 I)^-1 (x_t - a m) for x_0 ~ N(m, S), with a = alpha(t).

    Args:
        mean: m, (D,).
        covariance: S, (D, D), symmetric; it may be singular.
        path: alpha(t) and sigma(t).
        variance: of a step of the reverse chain; None is `FixedSmall()`.

    Raises:
        ValueError: shapes that do not fit, or a covariance with a negative eigenvalue.
    """

    def __init__(self, mean: Tensor, covariance: Tensor, path: Path, variance: Variance | None = None):
        super().__init__()
        if mean.ndim != 1 or covariance.shape != 2 * mean.shape:
            raise ValueError(
                f"mean is {tuple(mean.shape)}, covariance {tuple(covariance.shape)}; expected (D,) and (D, D)"
            )
        values, vectors = torch.linalg.eigh(covariance.double())
        if values.min() < -1e-9 * values.max().clamp(min=1):
            raise ValueError(
                f"covariance has the eigenvalue {values.min().item():.3g}; expected none below 0"
            )
        self.path, self.c_dim, self.variance = path, 0, variance or FixedSmall()
        tables = {"mean": mean.double(), "eigenvalues": values.clamp(min=0), "eigenvectors": vectors}
        for name, table in tables.items():
            self.register_buffer(name, table)

    def predict(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Prediction:
        """The exact prediction at x_t, (B, *); there is no condition."""
        if c is not None:
            raise ValueError("got a condition c, but a Gaussian has none")
        scale, noise = self.path.at(t, x_t.flatten(1))
        mean, values, vectors = (a.to(x_t) for a in (self.mean, self.eigenvalues, self.eigenvectors))
        total = scale.square() * values + noise.square()  # variances of x_t along the eigenvectors, (B, D)
        offset = (x_t.flatten(1) - scale * mean) @ vectors / total
        x0, eps = mean + scale * values * offset @ vectors.T, noise * offset @ vectors.T
        return Prediction(x_t, t, self.path, x0.view_as(x_t), eps.view_as(x_t), self.variance)

    def remaining(self, t: Tensor) -> Tensor:
        """Cov[x_0 | x_t], which is the same for every x_t: (B,) -> (B, D, D), float64."""
        scale, noise = (a.double()[:, None] for a in self.path.place(t))
        values = self.eigenvalues * noise.square() / (scale.square() * self.eigenvalues + noise.square())
        return (self.eigenvectors * values[:, None]) @ self.eigenvectors.T


def gaussian_posterior(
    mean: Tensor, covariance: Tensor, matrix: Tensor, y: Tensor, noise: float
) -> tuple[Tensor, Tensor]:
    """p(x | y) for x ~ N(m, S) and y = A x + noise * eps: again a Gaussian, with the gain
    K = S A^T (A S A^T + noise^2 I)^-1, the mean m + K (y - A m) and the covariance S - K A S.

    Args:
        mean: m, (D,).
        covariance: S, (D, D).
        matrix: A, (M, D).
        y: (B, M).
        noise: above 0, or A S A^T must be invertible.

    Returns:
        The means, (B, D), and the covariance, (D, D), in float64.

    Raises:
        ValueError: shapes that do not fit.
    """
    if (
        matrix.shape[1:] != mean.shape
        or covariance.shape != 2 * mean.shape
        or y.shape[1:] != matrix.shape[:1]
    ):
        raise ValueError(
            f"mean is {tuple(mean.shape)}, covariance {tuple(covariance.shape)},"
            f" matrix {tuple(matrix.shape)}, y {tuple(y.shape)}; expected (D,), (D, D), (M, D) and (B, M)"
        )
    mean, covariance, matrix, y = (a.double() for a in (mean, covariance, matrix, y))
    seen = matrix @ covariance @ matrix.T + noise**2 * torch.eye(len(matrix), dtype=y.dtype, device=y.device)
    gain = torch.linalg.solve(seen, matrix @ covariance).T  # (D, M)
    rest = covariance - gain @ matrix @ covariance
    return mean + (y - mean @ matrix.T) @ gain.T, (rest + rest.T) / 2
