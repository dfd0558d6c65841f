"""The paths of SDEs, of flow matching and of EDM, in closed form."""

import math

import torch
from torch import Tensor

from coursekit.models.diffusion.path import Path, Place, VariancePreserving


class VP(VariancePreserving):
    """beta(t) = beta_min + t (beta_max - beta_min): DDPM's linear schedule for T without end.

    Args:
        beta_min, beta_max: T times beta_1 and beta_T.

    Source: Song et al. 2021 (arXiv:2011.13456), eq. (32) and (33).
    """

    def __init__(self, beta_min: float = 0.1, beta_max: float = 20.0):
        super().__init__()
        if not 0 < beta_min <= beta_max:
            raise ValueError(
                f"beta_min is {beta_min}, beta_max is {beta_max}; expected 0 < beta_min <= beta_max"
            )
        self.beta_min, self.beta_max = beta_min, beta_max

    def log_alpha_bar(self, t: Tensor) -> Tensor:
        return -t * (self.beta_min + 0.5 * t * (self.beta_max - self.beta_min))

    def beta(self, t: Tensor) -> Tensor:
        return self.beta_min + t * (self.beta_max - self.beta_min)


class SubVP(VP):
    """alpha^2 = alpha-bar as in `VP`, but sigma = 1 - alpha-bar: the variance of data of variance 1
    falls on the way, and comes back.

    Source: Song et al. 2021 (arXiv:2011.13456), appendix B.
    """

    def noise(self, t: Tensor) -> Tensor:
        """1 - alpha-bar."""
        return -torch.expm1(self.log_alpha_bar(t))

    def place(self, t: Tensor) -> Place:
        """sqrt(alpha-bar) and 1 - alpha-bar."""
        return Place(self.scale(t), self.noise(t))

    def noise_rate(self, t: Tensor) -> Tensor:
        """beta alpha-bar."""
        return self.beta(t) * self.log_alpha_bar(t).exp()

    def log_snr(self, t: Tensor) -> Tensor:
        """log alpha-bar - 2 log(1 - alpha-bar)."""
        return Path.log_snr(self, t)

    def diffusion(self, t: Tensor) -> Tensor:
        """beta (1 - alpha-bar^2)."""
        return -self.beta(t) * torch.expm1(2 * self.log_alpha_bar(t))


class VarianceExploding(Path):
    """alpha = 1; the data stay, and noise is added: dx = g dw."""

    def scale(self, t: Tensor) -> Tensor:
        """1."""
        return torch.ones_like(t)

    def scale_rate(self, t: Tensor) -> Tensor:
        """0."""
        return torch.zeros_like(t)


class VE(VarianceExploding):
    """sigma(t) = sigma_min (sigma_max / sigma_min)^t: the noise levels of NCSN in a geometric row.

    Args:
        sigma_min: at t = 0, above 0.
        sigma_max: at t = 1; about the largest distance between two data.

    Source: Song et al. 2021 (arXiv:2011.13456), appendix C.
    """

    def __init__(self, sigma_min: float = 0.01, sigma_max: float = 50.0):
        super().__init__()
        _check(sigma_min, sigma_max)
        self.sigma_min, self.sigma_max = sigma_min, sigma_max

    def noise(self, t: Tensor) -> Tensor:
        return self.sigma_min * (self.sigma_max / self.sigma_min) ** t

    def noise_rate(self, t: Tensor) -> Tensor:
        """sigma log(sigma_max / sigma_min)."""
        return self.noise(t) * math.log(self.sigma_max / self.sigma_min)


class Karras(VarianceExploding):
    """sigma(t)^(1/rho) rises evenly from sigma_min^(1/rho) to sigma_max^(1/rho): steps are finer near data.

    Args:
        sigma_min: at t = 0, above 0.
        sigma_max: at t = 1.
        rho: at least 1; more makes steps near data finer.

    Source: Karras et al. 2022 (arXiv:2206.00364), eq. (5).
    """

    def __init__(self, sigma_min: float = 0.002, sigma_max: float = 80.0, rho: float = 7.0):
        super().__init__()
        _check(sigma_min, sigma_max)
        self.sigma_min, self.sigma_max, self.rho = sigma_min, sigma_max, rho

    def noise(self, t: Tensor) -> Tensor:
        return self._root(t) ** self.rho

    def noise_rate(self, t: Tensor) -> Tensor:
        """rho sigma^(1 - 1/rho) (sigma_max^(1/rho) - sigma_min^(1/rho))."""
        rise = self.sigma_max ** (1 / self.rho) - self.sigma_min ** (1 / self.rho)
        return self.rho * rise * self._root(t) ** (self.rho - 1)

    def time(self, log_snr: Tensor) -> Tensor:
        """The t at which log-SNR is -2 log sigma, in closed form; 0 or 1 beyond the ends."""
        low, high = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        return (((-0.5 * log_snr / self.rho).exp() - low) / (high - low)).clamp(0, 1)

    def _root(self, t: Tensor) -> Tensor:
        low, high = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        return low + t * (high - low)


class Straight(Path):
    """x_t = (1 - t) x_0 + t eps: each datum goes to its noise in a straight line at constant speed.

    alpha ends at 0, so the SDE's coefficients are infinite at t = 1; the ODE's are finite everywhere.

    Source: Liu, Gong & Liu 2023 (arXiv:2209.03003); Lipman et al. 2023 (arXiv:2210.02747), eq. (20) with
    sigma_min = 0, both with time running the other way.
    """

    def scale(self, t: Tensor) -> Tensor:
        """1 - t."""
        return 1 - t

    def noise(self, t: Tensor) -> Tensor:
        """t."""
        return t

    def scale_rate(self, t: Tensor) -> Tensor:
        """-1."""
        return -torch.ones_like(t)

    def noise_rate(self, t: Tensor) -> Tensor:
        """1."""
        return torch.ones_like(t)


def _check(sigma_min: float, sigma_max: float) -> None:
    if not 0 < sigma_min < sigma_max:
        raise ValueError(
            f"sigma_min is {sigma_min}, sigma_max is {sigma_max}; expected 0 < sigma_min < sigma_max"
        )
