"""What all diffusion models share: a network, a path, and samples by any sampler."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.models.diffusion.denoiser import Clipped, Denoiser, Denoises
from coursekit.models.diffusion.guidance import ClassifierFree
from coursekit.models.diffusion.likelihood import ode_log_prob
from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.samplers import DDIM, Sampler, first_and_last
from coursekit.nets import drop_condition


class Diffusion(nn.Module):
    """A denoiser of data of one shape; a subclass says how it is trained.

    Args:
        denoiser: network, path, and what the network predicts.
        shape: of one x.
        drop: share of the training rows that lose their condition, for classifier-free guidance.
        clip: bound on the values of the estimated x_0 in sampling and in bounds; None for none.
    """

    sampler: Sampler = DDIM()
    steps = 50
    ode_steps = 100

    def __init__(
        self, denoiser: Denoiser, shape: Sequence[int], drop: float = 0.0, clip: float | None = None
    ):
        super().__init__()
        if not 0 <= drop < 1 or (clip is not None and not clip > 0):
            raise ValueError(f"drop is {drop}, clip is {clip}; expected drop in [0, 1), clip None or above 0")
        self.denoiser, self.shape, self.drop, self.clip = denoiser, tuple(shape), drop, clip

    @property
    def path(self) -> Path:
        """alpha(t) and sigma(t)."""
        return self.denoiser.path

    def guided(self, weight: float = 1.0) -> Denoises:
        """The denoiser with classifier-free guidance of this weight, clipped if the model is."""
        denoiser = self.denoiser if weight == 1 else ClassifierFree(self.denoiser, weight)
        return denoiser if self.clip is None else Clipped(denoiser, self.clip)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        c: Tensor | None = None,
        *,
        sampler: Sampler | None = None,
        steps: int | None = None,
        weight: float = 1.0,
        progress: bool = True,
        **keywords,
    ) -> Tensor:
        """n draws, (n, *shape).

        Args:
            n: how many.
            c: condition, as for the network.
            sampler: None takes the model's own.
            steps: number of steps; None takes the model's own.
            weight: of classifier-free guidance: 0 unconditional, 1 conditional, more is stronger.
            progress: show a bar if it takes more than a second.
            keywords: further ones of the sampler: start, end, times.
        """
        start, _ = first_and_last(**keywords)
        x = self.path.prior_sample(n, self.shape, next(self.denoiser.parameters()), start)
        sampler, steps = sampler or self.sampler, steps or self.steps
        return sampler(self.guided(weight), x, c, steps, progress=progress, **keywords)

    def log_prob(
        self, x: Tensor, c: Tensor | None = None, steps: int | None = None, *, weight: float = 1.0, **keywords
    ) -> Tensor:
        """log p(x | c) by the probability-flow ODE, as far as its steps and probes are exact:
        (B, *) -> (B,), nats.

        Args:
            x: data, (B, *); a density, so that discrete data need noise of the width of their cells.
            c: condition, as for the network.
            steps: number of Runge-Kutta steps; None is `ode_steps`.
            weight: of classifier-free guidance.
            keywords: further ones of `ode_log_prob`: start, end, probes, progress.
        """
        denoiser = self.denoiser if weight == 1 else ClassifierFree(self.denoiser, weight)
        return ode_log_prob(denoiser, x, c, steps or self.ode_steps, **keywords)

    def dropped(self, c: Tensor | None) -> Tensor | None:
        """c as training sees it: a share `drop` of the rows without a condition."""
        if c is None or not self.drop:
            return c
        return drop_condition(c, torch.rand(len(c), device=c.device) < self.drop, self.denoiser.c_dim)
