"""Denoisers: what samplers and guidance know of a diffusion model."""

from typing import Protocol

import torch
from torch import Tensor, nn

from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.predictions import Epsilon, Parametrization, Prediction
from coursekit.models.diffusion.variances import FixedSmall, Variance


class Denoises(Protocol):
    """Estimates x_0, and with it the noise, the score and the flow, from x_t: (B, *), (B,) -> (B, *)."""

    path: Path

    def predict(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Prediction: ...


class Denoiser(nn.Module):
    """A network read as a denoiser.

    Args:
        net: (x_t, t, c) -> one of the readings, (B, *), with t in [0, 1], (B,); twice as many
            channels, (B, 2 C, *), where the variance is learnt.
        path: alpha(t) and sigma(t).
        prediction: which reading; None is `Epsilon()`.
        variance: of a step of the reverse chain; None is `FixedSmall()`.
    """

    def __init__(
        self,
        net: nn.Module,
        path: Path,
        prediction: Parametrization | None = None,
        variance: Variance | None = None,
    ):
        super().__init__()
        self.net, self.path = net, path
        self.prediction, self.variance = prediction or Epsilon(), variance or FixedSmall()

    @property
    def c_dim(self) -> int:
        """Length of the condition that the network takes; 0 for none."""
        return getattr(self.net, "c_dim", 0)

    def outputs(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """What the network says, and what it says of the variance, both (B, *); the latter may be None."""
        out = self.net(x_t, t, c).to(x_t.dtype)
        expected = (len(x_t), x_t.shape[1] * (2 if self.variance.learnt else 1), *x_t.shape[2:])
        if out.shape != expected:
            raise ValueError(
                f"the network gave {tuple(out.shape)} for x_t {tuple(x_t.shape)}; expected {expected}"
            )
        return out.chunk(2, dim=1) if self.variance.learnt else (out, None)

    def read(self, x_t: Tensor, t: Tensor, out: Tensor, spread: Tensor | None = None) -> Prediction:
        """The network's output as a prediction."""
        x0, eps = self.prediction.solve(self.path, t, x_t, out)
        return Prediction(x_t, t, self.path, x0, eps, self.variance, spread)

    def predict(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Prediction:
        """All readings from one pass: (B, *), (B,) -> each (B, *)."""
        return self.read(x_t, t, *self.outputs(x_t, t, c))


class Clipped(nn.Module):
    """A denoiser whose x_0 is held within [-limit, limit], as DDPM's sampler does for images.

    Args:
        denoiser: any.
        limit: above 0.
    """

    def __init__(self, denoiser: Denoises, limit: float = 1.0):
        super().__init__()
        self.denoiser, self.limit = denoiser, limit

    @property
    def path(self) -> Path:
        """The denoiser's own."""
        return self.denoiser.path

    @property
    def c_dim(self) -> int:
        """The denoiser's own."""
        return self.denoiser.c_dim

    def predict(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Prediction:
        """The denoiser's prediction; eps is what goes with the clipped x_0."""
        prediction = self.denoiser.predict(x_t, t, c)
        return prediction.with_x0(prediction.x0.clamp(-self.limit, self.limit))


class Reread(nn.Module):
    """The same denoiser on another path: all Gaussian paths are one, in other clocks and scales.

    x_t of `path` with a signal-to-noise ratio is the denoiser's own x at the time of the same ratio, scaled.
    It is exact at ratios that the denoiser's path reaches; beyond them the nearest one is taken.

    Args:
        denoiser: trained on its own path.
        path: to be sampled on.
    """

    def __init__(self, denoiser: Denoises, path: Path):
        super().__init__()
        self.denoiser, self.path = denoiser, path

    @property
    def c_dim(self) -> int:
        """The denoiser's own."""
        return self.denoiser.c_dim

    def predict(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Prediction:
        """The denoiser's x_0 and eps, read on `path`."""
        own = self.denoiser.path
        t_own = own.time(self.path.log_snr(t))
        # by the noise, since a path's scale may be 0 where it is pure noise
        x_own = x_t * own.at(t_own, x_t).noise / self.path.at(t, x_t).noise
        p = self.denoiser.predict(x_own, t_own, c)
        return Prediction(x_t, t, self.path, p.x0, p.eps, p.variance, p.spread)


def same_time(t: Tensor | float, x: Tensor) -> Tensor:
    """One time for all rows: () -> (B,), in the precision of x."""
    return torch.as_tensor(t, dtype=x.dtype, device=x.device).expand(len(x))
