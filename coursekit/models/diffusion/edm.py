"""EDM: preconditioning, loss and sampler apart (Karras et al. 2022, arXiv:2206.00364)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.models.diffusion.denoiser import Denoiser, same_time
from coursekit.models.diffusion.diffusion import Diffusion
from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.samplers import Sampler, first_and_last
from coursekit.models.diffusion.sdes import Karras
from coursekit.models.diffusion.solvers import Heun
from coursekit.protocols import Losses


class Preconditioned:
    """x_0 = c_skip y + c_out net(c_in y, t), where y = x_t / alpha has the noise r = sigma / alpha, and
    c_skip = s^2 / (r^2 + s^2), c_out = r s / sqrt(r^2 + s^2), c_in = 1 / sqrt(r^2 + s^2).

    For data of standard deviation s the network's input and its target have variance 1 at any t. The network
    is wrapped by `ScaledInput`, which multiplies by c_in.

    Args:
        sigma_data: s, above 0.

    Source: Karras et al. 2022, table 1 and appendix B.6.
    """

    def __init__(self, sigma_data: float = 0.5):
        if not sigma_data > 0:
            raise ValueError(f"sigma_data is {sigma_data}; expected a standard deviation above 0")
        self.sigma_data = sigma_data

    def coefficients(self, path: Path, t: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """c_skip / alpha, c_out and c_in / alpha, which multiply x_t or the network's output."""
        scale, noise = path.at(t, x)
        ratio, s = noise / scale, self.sigma_data
        root = (ratio.square() + s**2).sqrt()
        return s**2 / root.square() / scale, ratio * s / root, 1 / (root * scale)

    def target(self, path: Path, t: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
        """(x_0 - c_skip y) / c_out."""
        skip, out, _ = self.coefficients(path, t, x0)
        return (x0 - skip * path.perturb(x0, t, eps)) / out

    def solve(self, path: Path, t: Tensor, x_t: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
        skip, gain, _ = self.coefficients(path, t, x_t)
        scale, noise = path.at(t, x_t)
        x0 = skip * x_t + gain * out
        return x0, (x_t - scale * x0) / noise


class ScaledInput(nn.Module):
    """net(c_in y, t, c): the network's input has variance 1 at every t.

    Args:
        net: (x, t, c) -> (B, *).
        path: alpha(t) and sigma(t).
        prediction: gives c_in.
    """

    def __init__(self, net: nn.Module, path: Path, prediction: Preconditioned):
        super().__init__()
        self.net, self.path, self.prediction = net, path, prediction

    @property
    def c_dim(self) -> int:
        """Length of the condition that the network takes; 0 for none."""
        return getattr(self.net, "c_dim", 0)

    def forward(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Tensor:
        return self.net(self.prediction.coefficients(self.path, t, x_t)[2] * x_t, t, c)


class EDM(Diffusion):
    """x_t = x_0 + sigma eps, a preconditioned network, and a loss in which every sigma weighs the same.

    Args:
        net: (x, t, c) -> (B, *); t is the path's, in [0, 1], not log sigma / 4 as in the paper.
        shape: of one x.
        path: alpha(t) above 0, and sigma(t); None is `Karras()`.
        sigma_data: standard deviation of the data; 0.5 for images in [-1, 1].
        mean, std: of log sigma in training.
        drop, clip: as in `Diffusion`.
    """

    sampler: Sampler = Heun("noise")
    steps = 18

    def __init__(
        self,
        net: nn.Module,
        shape: Sequence[int],
        path: Path | None = None,
        sigma_data: float = 0.5,
        mean: float = -1.2,
        std: float = 1.2,
        drop: float = 0.0,
        clip: float | None = None,
    ):
        path, prediction = path or Karras(), Preconditioned(sigma_data)
        super().__init__(Denoiser(ScaledInput(net, path, prediction), path, prediction), shape, drop, clip)
        self.mean, self.std = mean, std

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; lambda(sigma) |x_0's error|^2 of eq. (8), which is the network's own error."""
        log_sigma = self.mean + self.std * torch.randn(len(x), dtype=x.dtype, device=x.device)
        t, eps = self.path.time(-2 * log_sigma), torch.randn_like(x)
        out, _ = self.denoiser.outputs(self.path.perturb(x, t, eps), t, self.dropped(c))
        yield "model", (out - self.denoiser.prediction.target(self.path, t, x, eps)).square().mean()

    @torch.no_grad()
    def sample(self, n: int, c: Tensor | None = None, *, weight: float = 1.0, **keywords) -> Tensor:
        """As `Diffusion.sample`; from sigma_min the last step is to the estimate of x_0, as in the paper."""
        x = super().sample(n, c, weight=weight, **keywords)
        walk = {name: keywords[name] for name in ("start", "end", "times") if name in keywords}
        return self.guided(weight).predict(x, same_time(first_and_last(**walk)[1], x), c).x0
