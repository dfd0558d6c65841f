"""Rational-quadratic splines (Durkan, Bekasov, Murray & Papamakarios 2019, arXiv:1906.04032)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


class Spline:
    """A monotonic rational-quadratic spline on [-bound, bound], the identity outside; P = 3 K - 1 numbers.

    They are K logits of the bins' widths, K of their heights, and K - 1 numbers for the slopes at the knots
    between bins; at the two ends the slope is 1. With xi the place in the bin, s its height over its width,
    d and e the slopes at its ends, eqs. (4) and (5):

        z = y_k + h [s xi^2 + d xi (1 - xi)] / q,    q = s + (d + e - 2 s) xi (1 - xi)
        dz/dx = s^2 [e xi^2 + 2 s xi (1 - xi) + d (1 - xi)^2] / q^2

    Args:
        bins: K, at least 2.
        bound: half the width of the spline's square, above 0.
        least: the smallest width and height of a bin, in parts of the square, and the smallest slope.
    """

    def __init__(self, bins: int = 8, bound: float = 4.0, least: float = 1e-3):
        if bins < 2 or not bound > 0:
            raise ValueError(f"bins is {bins}, bound is {bound}; expected at least 2, and above 0")
        if not 0 <= least < 1 / bins:
            raise ValueError(f"least is {least}; expected at least 0 and below 1 / bins = {1 / bins:.3g}")
        self.bins, self.bound, self.least = bins, bound, least
        self.features = 3 * bins - 1

    def forward(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        inside = x.clamp(-self.bound, self.bound)
        u = inside / (2 * self.bound) + 0.5  # the square becomes [0, 1]^2
        (left, bottom), (width, height), (d, e) = self._bin(u, theta, 0)
        xi, slope = ((u - left) / width).clamp(0, 1), height / width  # rounding may leave the bin
        y, log_slope = _within(xi, slope, d, e)
        y = torch.addcmul(bottom, height, y)
        return torch.add(x - inside - self.bound, y, alpha=2 * self.bound), log_slope.flatten(1).sum(1)

    def inverse(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The root xi of a quadratic in each bin, eqs. (6) to (8), in the form that does not cancel."""
        inside = z.clamp(-self.bound, self.bound)
        v = inside / (2 * self.bound) + 0.5
        (left, bottom), (width, height), (d, e) = self._bin(v, theta, 1)
        eta, slope = ((v - bottom) / height).clamp(0, 1), height / width
        bend = (d + e - 2 * slope) * eta
        a, b, minus_c = slope - d + bend, d - bend, slope * eta
        xi = (2 * minus_c / (b + (b.square() + 4 * a * minus_c).clamp(min=0).sqrt())).clamp(0, 1)
        u = torch.addcmul(left, width, xi)
        log_slope = _within(xi, slope, d, e)[1]
        return torch.add(z - inside - self.bound, u, alpha=2 * self.bound), -log_slope.flatten(1).sum(1)

    def _bin(self, u: Tensor, theta: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
        """Corner (left, bottom), size (width, height) and slopes (d, e) of the bin that u is in.

        Args:
            u: in [0, 1], (B, D, ...).
            theta: (B, P D, ...).
            axis: 0 if u is on the axis of x, 1 if on that of z.
        """
        theta = theta.unflatten(1, (self.features, -1))  # (B, P, D, ...)
        logits, slopes = theta.split([2 * self.bins, self.bins - 1], 1)
        sizes = logits.unflatten(1, (2, self.bins)).softmax(2)  # (B, 2, K, D, ...)
        sizes = sizes * (1 - self.bins * self.least) + self.least
        ends = sizes.cumsum(2)  # right and upper ends of the bins
        k = (u[:, None] >= ends[:, axis, :-1].detach()).sum(1)  # (B, D, ...)
        both = k[:, None, None].expand(-1, 2, 1, *k.shape[1:])
        size = sizes.gather(2, both).squeeze(2)  # (B, 2, D, ...)
        corner = ends.gather(2, both).squeeze(2) - size
        slopes = F.pad(slopes, [0, 0] * (theta.ndim - 2) + [1, 1])  # (B, K + 1, D, ...)
        slopes = slopes.gather(1, torch.stack([k, k + 1], 1))  # (B, 2, D, ...)
        # softplus with beta = log 2 is 1 at 0: the identity, and the slope at both ends
        slopes = F.softplus(slopes, beta=math.log(2)) * (1 - self.least) + self.least
        return corner.unbind(1), size.unbind(1), slopes.unbind(1)


def _within(xi: Tensor, s: Tensor, d: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
    """(z - y_k) / h and log dz/dx at the place xi of a bin."""
    rest = 1 - xi
    both, square = xi * rest, xi.square()
    q = torch.addcmul(s, d + e - 2 * s, both)
    y = torch.addcmul(d * both, s, square) / q
    bend = e * square + 2 * s * both + d * rest.square()
    return y, (bend * (s / q).square()).log()
