"""The few formulas that several families share."""

import math

from torch import Tensor
from torch.distributions import Distribution, Independent, Normal


def expand_like(a: Tensor, x: Tensor) -> Tensor:
    """Append axes of length one to `a` until it broadcasts against `x`: (B,) -> (B, 1, 1, 1) for images."""
    if a.ndim > x.ndim:
        raise ValueError(f"a has {a.ndim} axes and x only {x.ndim}; a must not have more axes than x")
    return a.reshape(a.shape + (1,) * (x.ndim - a.ndim))


def logmeanexp(x: Tensor, dim: int = 0) -> Tensor:
    """log of the mean of exp(x) along `dim`, without overflow: log (1/K) sum_k exp(x_k)."""
    return x.logsumexp(dim) - math.log(x.shape[dim])


def gaussian_kl(q: Independent, p: Independent) -> Tensor:
    """KL(q || p) of diagonal Gaussians in closed form, in nats.

    sum_d [ log(s_d / r_d) + (r_d^2 + (m_d - n_d)^2) / (2 s_d^2) - 1/2 ],  q = N(m, r^2), p = N(n, s^2).

    Args:
        q: Independent(Normal(m, r), 1), batch shape (B,), event shape (D,).
        p: the same with n and s; its batch shape broadcasts against q's.

    Returns:
        (B,), at least 0.

    Raises:
        TypeError: q or p is not a diagonal Gaussian.

    Source: Kingma & Welling 2014 (arXiv:1312.6114), appendix B, for p = N(0, I).
    """
    for name, distribution in (("q", q), ("p", p)):
        if not (isinstance(distribution, Independent) and isinstance(distribution.base_dist, Normal)):
            raise TypeError(
                f"{name} is {distribution}; expected Independent(Normal(...), 1), a diagonal Gaussian"
            )
    m, r, n, s = q.base_dist.loc, q.base_dist.scale, p.base_dist.loc, p.base_dist.scale
    ratio = r / s
    return (0.5 * (ratio.square() + ((m - n) / s).square() - 1) - ratio.log()).sum(-1)  # (B, D) -> (B,)


def monte_carlo_kl(q: Distribution, p: Distribution, z: Tensor) -> Tensor:
    """log q(z) - log p(z): one-sample, unbiased estimate of KL(q || p) where z was drawn from q.

    Args:
        q, p: distributions with equal event shape.
        z: draws from q, sample shape + batch shape + event shape.

    Returns:
        Sample shape + batch shape, nats; a single value may be negative.
    """
    return q.log_prob(z) - p.log_prob(z)


def bits_per_dim(log_prob: Tensor, dims: int, levels: int | None = None) -> Tensor:
    """Negative log-likelihood in bits per dimension.

    -log P / (D log 2) for a probability of discrete data. For a density of x = 2 k / (L - 1) - 1 in [-1, 1],
    k = 0 .. L - 1, a level's probability is the density times its bin's width, 2 / (L - 1), per dimension.

    Args:
        log_prob: nats, summed over the event axes, any shape.
        dims: D, the number of dimensions of one x (C * H * W for an image).
        levels: None if `log_prob` is a log-probability of discrete data; L if it is a log-density on [-1, 1]
            (256 for most image sets, 17 for the 8x8 digits).

    Raises:
        ValueError: dims < 1 or levels < 2.
    """
    if dims < 1:
        raise ValueError(f"dims is {dims}; expected the number of dimensions of one x, at least 1")
    if levels is not None and levels < 2:
        raise ValueError(f"levels is {levels}; expected at least 2 grey levels, or None for discrete data")
    log_width = 0.0 if levels is None else math.log(2 / (levels - 1))
    return -(log_prob / dims + log_width) / math.log(2)
