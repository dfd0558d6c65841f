"""Training in continuous time: every path, and every reading of the network, is one regression."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.models.diffusion.denoiser import Denoiser
from coursekit.models.diffusion.diffusion import Diffusion
from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.predictions import Parametrization
from coursekit.models.diffusion.samplers import Sampler
from coursekit.models.diffusion.sdes import VP
from coursekit.models.diffusion.stochastic import PredictorCorrector
from coursekit.models.diffusion.times import Times, UniformTimes
from coursekit.ops import expand_like
from coursekit.protocols import Losses


class ContinuousDiffusion(Diffusion):
    """E_t E |net(x_t, t) - target|^2, a mean over dimensions, for the reading that the network predicts.

    With `Epsilon` it is denoising score matching weighted by sigma^2; with `likelihood` by g^2, which bounds
    the likelihood (Song et al. 2021, arXiv:2101.09258).

    Args:
        net: (x_t, t, c) -> (B, *).
        shape: of one x.
        path: alpha(t) and sigma(t).
        prediction: what the network says; None is `Epsilon()`.
        times: of training; None is uniform on [1e-3, 1].
        likelihood: weigh the squared error of eps by g^2 / (2 sigma^2).
        drop, clip: as in `Diffusion`.
    """

    def __init__(
        self,
        net: nn.Module,
        shape: Sequence[int],
        path: Path,
        prediction: Parametrization | None = None,
        times: Times | None = None,
        likelihood: bool = False,
        drop: float = 0.0,
        clip: float | None = None,
    ):
        super().__init__(Denoiser(net, path, prediction), shape, drop, clip)
        self.times, self.likelihood = times or UniformTimes(1e-3), likelihood

    def losses(self, x: Tensor | tuple[Tensor, Tensor], c: Tensor | None = None) -> Losses:
        """One player, "model"; x is data, (B, *), or a pair: data and the noise of each."""
        x0, eps = x if isinstance(x, tuple | list) else (x, torch.randn_like(x))
        t = self.times(len(x0), x0)
        x_t = self.path.perturb(x0, t, eps)
        out, _ = self.denoiser.outputs(x_t, t, self.dropped(c))
        if not self.likelihood:
            yield "model", (out - self.denoiser.prediction.target(self.path, t, x0, eps)).square().mean()
        else:
            error = self.denoiser.read(x_t, t, out).eps - eps
            weight = self.path.diffusion(t) / (2 * self.path.noise(t).square())
            yield "model", (expand_like(weight, error) * error.square()).mean()


class ScoreSDE(ContinuousDiffusion):
    """dx = f x dt + g dw backwards, with the score learnt by denoising score matching.

    Args:
        net: (x_t, t, c) -> (B, *).
        shape: of one x.
        path: alpha(t) and sigma(t); None is `VP()`.
        keywords: further ones of `ContinuousDiffusion`.

    Source: Song et al. 2021 (arXiv:2011.13456).
    """

    sampler: Sampler = PredictorCorrector()
    steps = 500

    def __init__(self, net: nn.Module, shape: Sequence[int], path: Path | None = None, **keywords):
        super().__init__(net, shape, path or VP(), **keywords)
