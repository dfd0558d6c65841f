"""Edit directions: where a code must go for its image to become bolder, or more slanted, or another class."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Direction:
    """A hyperplane in latent space: its unit normal n is the way along which a label grows.

    Attributes:
        normal: n, (D,), of length 1.
        slope: growth of the fitted label along n, for a unit step: of its logit where it is yes or no.
        offset: fitted label at z = 0.
    """

    normal: Tensor
    slope: float
    offset: float

    def fitted(self, z: Tensor) -> Tensor:
        """The label that the linear model gives a code, a logit where it is yes or no: (N, D) -> (N,)."""
        return self.slope * z @ self.normal + self.offset

    def move(self, z: Tensor, amount: float) -> Tensor:
        """z + amount n: (N, D) -> (N, D). Codes from N(0, I) have a standard deviation of 1 along n."""
        return z + amount * self.normal

    def without(self, *others: "Direction") -> "Direction":
        """The part of n that leaves other labels as they are: its projection off their span, to length 1.

        Raises:
            ValueError: the others' span holds n.
        """
        span, _ = torch.linalg.qr(torch.stack([other.normal for other in others], 1))  # (D, others)
        rest = self.normal - span @ (span.T @ self.normal)
        length = rest.norm()
        if not length > 1e-6:
            raise ValueError("nothing is left of the direction: the others' span holds it.")
        return Direction(rest / length, self.slope * length.item(), self.offset)


def find_direction(z: Tensor, labels: Tensor, l2: float = 1.0) -> Direction:
    """Fits a linear model of labels to codes, by logistic regression or least squares.

    minimize  -sum_i log p(y_i | z_i) + l2 / 2 |w|^2,  w . z + b the logit of y, or its mean

    Args:
        z: codes, (N, D): drawn ones, labelled by what they decode to, or those found for labelled images.
        labels: bool, or integers 0 and 1, for logistic regression; floats, for least squares, (N,).
        l2: weight of the penalty, above 0.

    Raises:
        ValueError: shapes that do not fit, labels that are all the same, or l2 <= 0.

    Source: Shen et al. 2020 (arXiv:1907.10786), where a support vector machine is fitted.
    """
    if z.ndim != 2 or labels.shape != z.shape[:1]:
        raise ValueError(
            f"z has shape {tuple(z.shape)}, labels {tuple(labels.shape)}; expected (N, D) and (N,)."
        )
    if not l2 > 0:
        raise ValueError(f"l2 must be positive, got {l2}.")
    if not len(labels) or labels.min() == labels.max():
        raise ValueError("labels are all the same: there is no direction along which they grow.")
    logistic = not labels.is_floating_point()
    if logistic and not ((labels == 0) | (labels == 1)).all():
        raise ValueError(
            f"labels hold {labels.unique().tolist()[:5]}; expected 0 and 1: write labels == 3, say."
        )
    weights = _fit(z.detach().double(), labels.double(), l2, logistic)
    w, b = weights[:-1], weights[-1].item()
    length = w.norm()
    if not length > 0:
        raise ValueError(
            "the labels do not depend on the codes: there is no direction along which they grow."
        )
    return Direction((w / length).to(z), length.item(), b)


def _fit(z: Tensor, y: Tensor, l2: float, logistic: bool) -> Tensor:
    """The penalized fit by Newton's method, (w, b): (D + 1,); b is free of penalty."""
    rows = torch.cat([z, torch.ones_like(z[:, :1])], 1)  # (N, D + 1)
    penalty = torch.full_like(rows[0], l2)
    penalty[-1] = 1e-9  # only keeps the system solvable
    weights = torch.zeros_like(penalty)
    for _ in range(30 if logistic else 1):
        fitted = rows @ weights
        mean = fitted.sigmoid() if logistic else fitted
        curvature = mean * (1 - mean) if logistic else torch.ones_like(mean)
        gradient = rows.T @ (mean - y) + penalty * weights
        hessian = rows.T @ (curvature[:, None] * rows) + penalty.diag()
        weights = weights - torch.linalg.solve(hessian, gradient)
    return weights
