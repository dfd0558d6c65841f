"""Denoising diffusion probabilistic models (Ho, Jain & Abbeel 2020, arXiv:2006.11239)."""

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.models.diffusion.decoder import log_decoder
from coursekit.models.diffusion.denoiser import Denoiser
from coursekit.models.diffusion.diffusion import Diffusion
from coursekit.models.diffusion.predictions import Parametrization, Prediction
from coursekit.models.diffusion.samplers import Ancestral
from coursekit.models.diffusion.schedules import Linear, Schedule
from coursekit.models.diffusion.variances import Variance, posterior
from coursekit.ops import expand_like
from coursekit.protocols import Losses


class DDPM(Diffusion):
    """A chain x_T -> ... -> x_0 of Gaussian steps, each undoing one step of q(x_t | x_{t-1}).

    p(x_T) = N(0, I); p(x_{t-1} | x_t) has the mean of q(x_{t-1} | x_t, x_0) at the x_0 that the network sees
    in x_t. The network's time is t / T. Term 1 has the variance of term 2 where the posterior's own is 0.

    Args:
        net: (x_t, t, c) -> (B, *), or (B, 2 C, *) if the variance is learnt.
        shape: of one x.
        schedule: beta_1 ... beta_T; None is `Linear()`.
        prediction: what the network says; None is `Epsilon()`.
        variance: of the model's steps; None is `FixedSmall()`.
        weighting: the training loss; None is `Simple()`, or `Hybrid()` if the variance is learnt.
        levels: number of grey values of x in [-1, 1], to which the last step gives a probability; None for
            a density.
        drop, clip: as in `Diffusion`.

    Raises:
        ValueError: the variance is learnt, but the loss does not see it.
    """

    sampler = Ancestral()

    def __init__(
        self,
        net: nn.Module,
        shape: Sequence[int],
        schedule: Schedule | None = None,
        prediction: Parametrization | None = None,
        variance: Variance | None = None,
        weighting: "Weighting | None" = None,
        levels: int | None = None,
        drop: float = 0.0,
        clip: float | None = None,
    ):
        super().__init__(Denoiser(net, schedule or Linear(), prediction, variance), shape, drop, clip)
        learnt = self.denoiser.variance.learnt
        self.weighting, self.levels = weighting or (Hybrid() if learnt else Simple()), levels
        if learnt and isinstance(self.weighting, Simple):
            raise ValueError(
                "weighting is Simple(), which can't train a learnt variance; take Hybrid() or Bound()"
            )
        self.steps = self.path.steps

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; the weighted loss at one random step a row."""
        i = torch.randint(1, self.path.steps + 1, (len(x),), device=x.device)
        eps = torch.randn_like(x)
        yield "model", self.weighting(self, x, i, eps, self.dropped(c))

    def term(self, x: Tensor, x_t: Tensor, i: Tensor, prediction: Prediction) -> Tensor:
        """Term i of minus the bound: KL(q(x_{i-1} | x_i, x_0) || p(x_{i-1} | x_i)), and -log p(x_0 | x_1)
        for i = 1: (B, *), (B,) -> (B,), nats."""
        s, t = self._time(i - 1, x), self._time(i, x)
        step = posterior(self.path, s, t)
        log_variance = expand_like(prediction.variance(self.path, s, t, prediction.spread), x)
        small = expand_like(step.small.clamp(min=1e-20), x)
        error = expand_like(step.of_x0, x) * (x - prediction.x0)  # of the mean
        kl = 0.5 * (log_variance - small.log() - 1 + (small + error.square()) * (-log_variance).exp())
        decoded = -log_decoder(x, prediction.x0, log_variance, self.levels)
        return torch.where(expand_like(i == 1, x), decoded, kl).flatten(1).sum(1)

    def terms(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """All terms of minus the bound: i = 1 ... T by `term`, each at a draw of x_i, then the last:
        (B, *) -> (B, T + 1), nats."""
        steps = torch.arange(1, self.path.steps + 1, device=x.device)
        columns = [self._draw_term(x, i.expand(len(x)), c) for i in steps]
        return torch.stack([*columns, self.path.prior_kl(x)], 1)

    def elbo(self, x: Tensor, c: Tensor | None = None, draws: int | None = 1) -> Tensor:
        """Unbiased estimate of the bound on log p(x | c), eq. (5): (B, *) -> (B,), nats.

        Args:
            x: data, (B, *).
            c: condition, as for the network.
            draws: how many steps a row, one at random from each of as many equal parts of 1 ... T; None for
                all T.
        """
        if draws is None:
            return -self.terms(x, c).sum(1)
        if not 1 <= draws <= self.path.steps:
            raise ValueError(f"draws is {draws}; expected 1 to {self.path.steps}, or None for all")
        total = self.path.prior_kl(x)
        for k in range(draws):
            u = (k + torch.rand(len(x), device=x.device)) / draws
            i = (u * self.path.steps).long().clamp(max=self.path.steps - 1) + 1
            total = total + self.path.steps / draws * self._draw_term(x, i, c)
        return -total

    def _draw_term(self, x: Tensor, i: Tensor, c: Tensor | None) -> Tensor:
        t = self._time(i, x)
        x_t = self.path.perturb(x, t, torch.randn_like(x))
        return self.term(x, x_t, i, self.guided().predict(x_t, t, c))

    def _time(self, i: Tensor, x: Tensor) -> Tensor:
        return i.to(x.dtype) / self.path.steps


class Weighting(Protocol):
    """The training loss at steps i (B,) and noise eps (B, *): a scalar."""

    def __call__(self, model: DDPM, x: Tensor, i: Tensor, eps: Tensor, c: Tensor | None) -> Tensor: ...


class Simple:
    """Mean squared error of what the network predicts; for eps it is L_simple, eq. (14)."""

    def __call__(self, model: DDPM, x: Tensor, i: Tensor, eps: Tensor, c: Tensor | None) -> Tensor:
        return _outputs_and_loss(model, x, i, eps, c)[-1]


class Bound:
    """Minus the bound, estimated at one step a row, in nats a dimension; eq. (5) without L_T."""

    def __call__(self, model: DDPM, x: Tensor, i: Tensor, eps: Tensor, c: Tensor | None) -> Tensor:
        x_t, t, out, spread, _ = _outputs_and_loss(model, x, i, eps, c)
        return _bound(model, x, x_t, i, model.denoiser.read(x_t, t, out, spread))


class Hybrid:
    """L_simple + weight * bound, where the bound, in nats a dimension, trains the variance alone.

    Args:
        weight: lambda.

    Source: Nichol & Dhariwal 2021 (arXiv:2102.09672), eq. (16).
    """

    def __init__(self, weight: float = 1e-3):
        self.weight = weight

    def __call__(self, model: DDPM, x: Tensor, i: Tensor, eps: Tensor, c: Tensor | None) -> Tensor:
        x_t, t, out, spread, simple = _outputs_and_loss(model, x, i, eps, c)
        return simple + self.weight * _bound(
            model, x, x_t, i, model.denoiser.read(x_t, t, out.detach(), spread)
        )


def _outputs_and_loss(model: DDPM, x: Tensor, i: Tensor, eps: Tensor, c: Tensor | None) -> tuple:
    """x_t, t, what the network says of it and of the variance, and L_simple."""
    t = i.to(x.dtype) / model.path.steps
    x_t = model.path.perturb(x, t, eps)
    out, spread = model.denoiser.outputs(x_t, t, c)
    return x_t, t, out, spread, F.mse_loss(out, model.denoiser.prediction.target(model.path, t, x, eps))


def _bound(model: DDPM, x: Tensor, x_t: Tensor, i: Tensor, prediction: Prediction) -> Tensor:
    return model.path.steps * model.term(x, x_t, i, prediction).mean() / x[0].numel()
