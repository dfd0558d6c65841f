"""Variational diffusion models: the bound in continuous time, where the schedule's shape does not matter."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.models.diffusion.decoder import log_decoder
from coursekit.models.diffusion.denoiser import Denoiser, same_time
from coursekit.models.diffusion.diffusion import Diffusion
from coursekit.models.diffusion.learned import LearnedLogSNR
from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.predictions import Parametrization
from coursekit.models.diffusion.samplers import Ancestral, first_and_last
from coursekit.models.diffusion.times import UniformTimes
from coursekit.protocols import Losses


class VDM(Diffusion):
    """DDPM for T without end: log p(x) is at least
    E log p(x | x_0) - E_t g^2 / (2 sigma^2) |eps - eps(x_t)|^2 - KL(q(x_1 | x) || p(x_1)), with x for data
    and x_0 for x at the least noise, t = 0; p(x | x_0) = N(x_0 / alpha(0), sigma(0)^2 / alpha(0)^2 I).

    The middle term depends on the log-SNR at both ends alone; between them a learnt schedule only lowers the
    estimate's variance.

    Args:
        net: (x_t, t, c) -> (B, *).
        shape: of one x.
        path: with sigma(0) above 0; None is `LearnedLogSNR()`.
        prediction: what the network says; None is `Epsilon()`.
        levels: number of grey values of x in [-1, 1]; None for a density.
        drop, clip: as in `Diffusion`.

    Source: Kingma et al. 2021 (arXiv:2107.00630), eq. (11) to (15), with a decoder as in DDPM.
    """

    sampler = Ancestral()
    steps = 250

    def __init__(
        self,
        net: nn.Module,
        shape: Sequence[int],
        path: Path | None = None,
        prediction: Parametrization | None = None,
        levels: int | None = None,
        drop: float = 0.0,
        clip: float | None = None,
    ):
        path = path or LearnedLogSNR()
        super().__init__(Denoiser(net, path, prediction), shape, drop, clip)
        device = next(self.parameters(), torch.zeros(())).device
        if not path.noise(torch.zeros((), device=device)) > 0:
            raise ValueError(f"{type(path).__name__} has sigma(0) = 0; the bound needs noise at t = 0")
        self.levels, self.times = levels, UniformTimes()

    def elbo(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Estimate of the bound on log p(x | c) at one time a row: (B, *) -> (B,), nats."""
        eps, t = torch.randn_like(x), self.times(len(x), x)
        error = self.denoiser.predict(self.path.perturb(x, t, eps), t, c).eps - eps
        weight = self.path.diffusion(t) / (2 * self.path.noise(t).square())
        middle = weight * error.square().flatten(1).sum(1)
        scale, noise = self.path.at(torch.zeros_like(t), x)
        least = x + noise / scale * torch.randn_like(x)  # x_0 / alpha(0)
        decoded = log_decoder(x, least, 2 * (noise / scale).log(), self.levels)
        return decoded.flatten(1).sum(1) - middle - self.path.prior_kl(x)

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; minus the bound, averaged over the batch, in nats a dimension."""
        yield "model", -self.elbo(x, self.dropped(c)).mean() / x[0].numel()

    @torch.no_grad()
    def sample(self, n: int, c: Tensor | None = None, **keywords) -> Tensor:
        """As `Diffusion.sample`, then the mean of p(x | x_t) for little noise, x_t / alpha."""
        x = super().sample(n, c, **keywords)
        walk = {name: keywords[name] for name in ("start", "end", "times") if name in keywords}
        return x / self.path.at(same_time(first_and_last(**walk)[1], x), x).scale
