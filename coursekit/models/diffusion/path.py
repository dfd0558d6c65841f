"""Gaussian paths: how data turn into noise (Song et al. 2021, arXiv:2011.13456; Kingma et al. 2021,
arXiv:2107.00630)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from coursekit.ops import expand_like


class Place(NamedTuple):
    """alpha and sigma."""

    scale: Tensor
    noise: Tensor


class Path(nn.Module):
    """x_t = alpha(t) x_0 + sigma(t) eps with eps ~ N(0, I), t in [0, 1]: data at t = 0, noise at t = 1.

    A subclass gives `scale`, `noise` and their rates. The same marginals belong to the SDE
    dx = f(t) x dt + g(t) dw, and to the ODE dx/dt = alpha'(t) x_0 + sigma'(t) eps, averaged given x_t.
    All methods map t, (B,), to (B,).
    """

    def scale(self, t: Tensor) -> Tensor:
        """alpha(t), what is left of the data; it falls."""
        raise NotImplementedError

    def noise(self, t: Tensor) -> Tensor:
        """sigma(t), the standard deviation of the noise; sigma / alpha rises."""
        raise NotImplementedError

    def scale_rate(self, t: Tensor) -> Tensor:
        """alpha'(t)."""
        raise NotImplementedError

    def noise_rate(self, t: Tensor) -> Tensor:
        """sigma'(t); infinite where sigma starts as a root of t."""
        raise NotImplementedError

    def log_snr(self, t: Tensor) -> Tensor:
        """log alpha(t)^2 / sigma(t)^2."""
        return 2 * (self.scale(t).log() - self.noise(t).log())

    def drift(self, t: Tensor) -> Tensor:
        """f(t) = alpha'(t) / alpha(t) of the SDE."""
        return self.scale_rate(t) / self.scale(t)

    def diffusion(self, t: Tensor) -> Tensor:
        """g(t)^2 = d sigma^2 / dt - 2 f sigma^2 of the SDE, variance a unit of time."""
        noise = self.noise(t)
        return 2 * noise * (self.noise_rate(t) - self.drift(t) * noise)

    def time(self, log_snr: Tensor) -> Tensor:
        """The t in [0, 1] at which `log_snr` is reached, by bisection, to float precision."""
        low, high = torch.zeros_like(log_snr), torch.ones_like(log_snr)
        for _ in range(60):
            middle = (low + high) / 2
            noisy = self.log_snr(middle) < log_snr
            low, high = torch.where(noisy, low, middle), torch.where(noisy, middle, high)
        return (low + high) / 2

    def place(self, t: Tensor) -> Place:
        """alpha(t) and sigma(t)."""
        return Place(self.scale(t), self.noise(t))

    def at(self, t: Tensor, x: Tensor) -> Place:
        """alpha(t) and sigma(t), (B, 1, ...), to be multiplied with x, (B, *)."""
        scale, noise = self.place(t)
        return Place(expand_like(scale, x), expand_like(noise, x))

    def perturb(self, x0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        """x_t = alpha(t) x_0 + sigma(t) eps, a draw of q(x_t | x_0): (B, *) -> (B, *)."""
        scale, noise = self.at(t, x0)
        return scale * x0 + noise * eps

    def prior_deviation(self, t: Tensor) -> Tensor:
        """Standard deviation of p(x_t) = N(0, I times its square), where sampling starts: sigma(t)."""
        return self.noise(t)

    def prior_sample(self, n: int, shape: Sequence[int], like: Tensor, t: float = 1.0) -> Tensor:
        """n draws of p(x_t), (n, *shape), where sampling starts; made as `like`."""
        start = torch.full((n,), t, dtype=like.dtype, device=like.device)
        x = torch.empty(n, *shape, dtype=like.dtype, device=like.device).normal_()
        return expand_like(self.prior_deviation(start), x) * x

    def prior_kl(self, x0: Tensor) -> Tensor:
        """KL(q(x_1 | x_0) || p(x_1)), which no training changes: (B, *) -> (B,), nats."""
        t = torch.ones(len(x0), dtype=x0.dtype, device=x0.device)
        scale, noise = self.at(t, x0)
        deviation = expand_like(self.prior_deviation(t), x0)
        share = (noise / deviation).square()
        kl = 0.5 * (share - 1 - share.log() + (scale * x0 / deviation).square())
        return kl.flatten(1).sum(1)


class VariancePreserving(Path):
    """alpha^2 = alpha-bar, sigma^2 = 1 - alpha-bar; a subclass gives log alpha-bar(t) and beta(t), minus its
    rate.

    Its SDE is dx = -beta/2 x dt + sqrt(beta) dw.
    """

    def log_alpha_bar(self, t: Tensor) -> Tensor:
        """log alpha-bar(t), at most 0."""
        raise NotImplementedError

    def beta(self, t: Tensor) -> Tensor:
        """beta(t) = -d log alpha-bar / dt; about T beta_i at t = i / T."""
        raise NotImplementedError

    def scale(self, t: Tensor) -> Tensor:
        """sqrt(alpha-bar(t))."""
        return (0.5 * self.log_alpha_bar(t)).exp()

    def noise(self, t: Tensor) -> Tensor:
        """sqrt(1 - alpha-bar(t)), without cancellation where alpha-bar is near 1."""
        return (-torch.expm1(self.log_alpha_bar(t))).sqrt()

    def place(self, t: Tensor) -> Place:
        """Both from one log alpha-bar."""
        log_alpha_bar = self.log_alpha_bar(t)
        return Place((0.5 * log_alpha_bar).exp(), (-torch.expm1(log_alpha_bar)).sqrt())

    def prior_deviation(self, t: Tensor) -> Tensor:
        """1, as x_t has for data of variance 1, at every t."""
        return torch.ones_like(t)

    def scale_rate(self, t: Tensor) -> Tensor:
        """-beta/2 alpha."""
        return -0.5 * self.beta(t) * self.scale(t)

    def noise_rate(self, t: Tensor) -> Tensor:
        """beta/2 alpha^2 / sigma."""
        return 0.5 * self.beta(t) * self.log_alpha_bar(t).exp() / self.noise(t)

    def log_snr(self, t: Tensor) -> Tensor:
        """log alpha-bar - log(1 - alpha-bar)."""
        log_alpha_bar = self.log_alpha_bar(t)
        return log_alpha_bar - (-torch.expm1(log_alpha_bar)).log()

    def drift(self, t: Tensor) -> Tensor:
        """-beta/2."""
        return -0.5 * self.beta(t)

    def diffusion(self, t: Tensor) -> Tensor:
        """beta."""
        return self.beta(t)
