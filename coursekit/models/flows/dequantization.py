"""Discrete images under a continuous density: noise fills the cells between the levels."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.models.flows.flow import Flow
from coursekit.nets import condition_vector
from coursekit.ops import expand_like
from coursekit.protocols import Losses

ROWS = 64  # images that `Dequantized.log_prob` gives to the flow at once


class Logit(nn.Module):
    """z = logit(alpha + (1 - 2 alpha) x): from [0, 1] to the real line, elementwise, any shape.

    alpha keeps 0 and 1 at a finite distance. So a density on the real line reaches beyond them, by at most
    alpha / (1 - 2 alpha), and has a mass below one on [0, 1].

    Args:
        alpha: above 0 and below 1/2.

    Source: Dinh, Sohl-Dickstein & Bengio 2017 (arXiv:1605.08803), section 4.1, made symmetric.
    """

    def __init__(self, alpha: float = 1e-5):
        super().__init__()
        if not 0 < alpha < 0.5:
            raise ValueError(f"alpha is {alpha}; expected a number above 0 and below 1/2")
        self.alpha = alpha

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        z = torch.logit(self.alpha + (1 - 2 * self.alpha) * x)
        return z, self._log_det(z)

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x = (sigmoid(z) - alpha) / (1 - 2 alpha)."""
        return (z.sigmoid() - self.alpha) / (1 - 2 * self.alpha), -self._log_det(z)

    def _log_det(self, z: Tensor) -> Tensor:
        return z[0].numel() * math.log(1 - 2 * self.alpha) - log_slope(z)


def log_slope(y: Tensor) -> Tensor:
    """Log-derivative of the sigmoid, which is the log-density of a logistic y, summed: (B, *) -> (B,)."""
    return (F.logsigmoid(y) + F.logsigmoid(-y)).flatten(1).sum(1)


class UniformNoise(nn.Module):
    """q(u | x) = 1 on [0, 1)^D."""

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """A draw of u, and log q(u | x): (B, C, H, W) -> (B, C, H, W) and (B,)."""
        return torch.rand_like(x), x.new_zeros(len(x))


class VariationalNoise(nn.Module):
    """q(u | x, c): u = sigmoid(y), y = f^-1(e; x, c), e logistic: a flow learns where in its cell x lies.

    Where f is the identity q is uniform: it starts there, if the nets of f start at zero.

    Args:
        bijector: f, of images (B, C, H, W); its condition is the image 2 x / (levels - 1) - 1 and under it
            the condition c as constant channels, (B, C + c_dim, H, W), which the net `Beside` reads.
        levels: number of grey values of x.
        c_dim: length of the condition; 0 for none.

    Source: Ho et al. 2019 (arXiv:1902.00275), section 3.1.
    """

    def __init__(self, bijector: nn.Module, levels: int = 256, c_dim: int = 0):
        super().__init__()
        self.bijector, self.levels, self.c_dim = bijector, levels, c_dim

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """A draw of u, and log q(u | x, c): (B, C, H, W) -> (B, C, H, W) and (B,)."""
        context, c = 2 * x / (self.levels - 1) - 1, condition_vector(c, self.c_dim, x)
        if c is not None:
            context = torch.cat([context, expand_like(c, x).expand(-1, -1, *x.shape[2:])], 1)
        e = torch.logit(torch.rand_like(x), eps=1e-6)
        y, log_det = self.bijector.inverse(e, context)
        return y.sigmoid(), log_slope(e) - log_slope(y) - log_det


class Dequantized(nn.Module):
    """P(x | c) = int_[0,1)^D p((x + u) / L | c) du / L^D: the mass that a density has in the cell of x.

    x holds levels, whole numbers 0 .. L - 1 as floats. The integral is not known; noise q(u | x, c) gives
    a bound (`elbo`), and k draws of it an estimate (`log_prob`). Summed over all x, P gives the mass on
    [0, 1]^D; `sample` puts what lies beyond into the outermost cells.

    Args:
        flow: density p of (x + u) / L in [0, 1], as a flow of images (B, C, H, W).
        levels: L, at least 2.
        noise: (x, c) -> u and log q(u | x, c); None is `UniformNoise`.

    Source: Theis, van den Oord & Bethge 2016 (arXiv:1511.01844), section 3.1; Ho et al. 2019
    (arXiv:1902.00275), section 3.1.
    """

    def __init__(self, flow: Flow, levels: int = 256, noise: nn.Module | None = None):
        super().__init__()
        if levels < 2:
            raise ValueError(f"levels is {levels}; expected at least 2")
        self.flow, self.levels = flow, levels
        self.noise = UniformNoise() if noise is None else noise

    def log_weights(self, x: Tensor, c: Tensor | None = None, k: int = 1) -> Tensor:
        """log [p((x + u) / L | c) / (L^D q(u | x, c))] at k draws of u: (B, C, H, W) -> (k, B), nats."""
        self._check(x)
        rows = x.repeat(k, 1, 1, 1)  # (k B, C, H, W)
        c = c if c is None else c.repeat(k, *[1] * (c.ndim - 1))
        u, log_q = self.noise(rows, c)
        log_p = self.flow.log_prob((rows + u) / self.levels, c) - x[0].numel() * math.log(self.levels)
        return (log_p - log_q).unflatten(0, (k, len(x)))

    def elbo(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """One-sample estimate of the bound E_q log w on log P(x | c): (B, C, H, W) -> (B,), nats."""
        return self.log_weights(x, c)[0]

    @torch.no_grad()
    def log_prob(self, x: Tensor, c: Tensor | None = None, k: int = 8) -> Tensor:
        """log of k averaged importance weights, a lower bound in expectation that tightens with k
        (arXiv:1509.00519, eq. 8): (B, C, H, W) -> (B,), nats."""
        if k < 1:
            raise ValueError(f"k is {k}; expected at least one importance sample")
        at_once = max(1, ROWS // max(1, len(x)))
        sizes = [min(at_once, k - done) for done in range(0, k, at_once)]
        return torch.stack([self.log_weights(x, c, n).logsumexp(0) for n in sizes]).logsumexp(0) - math.log(k)

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; minus the bound, averaged over the batch."""
        yield "model", -self.elbo(x, c).mean()

    @torch.no_grad()
    def sample(self, n: int, c: Tensor | None = None, temperature: float = 1.0) -> Tensor:
        """n images of levels, (n, C, H, W); the base's standard deviation is multiplied by `temperature`."""
        return self._levels(self.flow.sample(n, c, temperature))

    def encode(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The latent of the middle of the cell of x: (B, C, H, W) -> (B, *)."""
        self._check(x)
        return self.flow.encode((x + 0.5) / self.levels, c)

    def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """The image in whose cell f^-1(z; c) lies: (B, *) -> levels, (B, C, H, W)."""
        return self._levels(self.flow.decode(z, c))

    @torch.no_grad()
    def start(self, x: Tensor, c: Tensor | None = None) -> None:
        """Set what starts from data from one batch of levels, (B, C, H, W); before training, once."""
        self._check(x)
        self.flow.start((x + torch.rand_like(x)) / self.levels, c)

    def _levels(self, y: Tensor) -> Tensor:
        return (y * self.levels).floor().clamp(0, self.levels - 1)

    def _check(self, x: Tensor) -> None:
        odd = (x != x.floor()) | (x < 0) | (x >= self.levels)
        if odd.any():
            raise ValueError(
                f"x holds {x[odd][0].item():.4g}; expected levels, whole numbers 0 .. {self.levels - 1}: use"
                " ImageSet.discrete()"
            )
