"""Guidance: denoisers made of denoisers, whose samples hold more to a condition."""

import torch
from torch import Tensor, nn

from coursekit.models.diffusion.denoiser import Denoises
from coursekit.models.diffusion.path import Path
from coursekit.models.diffusion.predictions import Prediction, mix
from coursekit.nets import drop_condition
from coursekit.ops import expand_like


class ClassifierFree(nn.Module):
    """eps = eps(x_t) + weight (eps(x_t, c) - eps(x_t)), both from one network that was trained with and
    without the condition; "without" is a row of zeros. One pass with twice the rows.

    Args:
        denoiser: conditional, trained with `drop` above 0; `c_dim` is its number of classes.
        weight: 0 unconditional, 1 conditional, more is stronger.

    Source: Ho & Salimans 2022 (arXiv:2207.12598), eq. (6), where w = weight - 1.
    """

    def __init__(self, denoiser: Denoises, weight: float):
        super().__init__()
        self.denoiser, self.weight = denoiser, weight

    @property
    def path(self) -> Path:
        """The denoiser's own."""
        return self.denoiser.path

    @property
    def c_dim(self) -> int:
        """The denoiser's own."""
        return self.denoiser.c_dim

    def predict(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Prediction:
        """The guided prediction: (B, *), (B,) -> each (B, *)."""
        if c is None:
            raise ValueError("c is None; guidance needs a condition to be guided to")
        if self.weight == 1:
            return self.denoiser.predict(x_t, t, c)
        mask = torch.ones(len(x_t), dtype=torch.bool, device=x_t.device)
        nothing = self._without(c, mask, x_t)
        if self.weight == 0:
            return self.denoiser.predict(x_t, t, nothing)
        both = torch.cat([nothing, self._without(c, ~mask, x_t)])
        together = self.denoiser.predict(torch.cat([x_t, x_t]), torch.cat([t, t]), both)
        return mix(self.weight, *together.halves())

    def _without(self, c: Tensor, mask: Tensor, x_t: Tensor) -> Tensor:
        """c without the rows of the mask; vectors and images in the precision of x_t, symbols as they are."""
        kept = drop_condition(c, mask, self.c_dim)
        return kept.to(x_t.dtype) if kept.is_floating_point() else kept


class ClassifierGuided(nn.Module):
    """score = score(x_t) + weight grad log p(c | x_t), the latter from a classifier of noisy data.

    Args:
        denoiser: unconditional.
        classifier: (x_t, t) -> logits, (B, *), (B,) -> (B, Y).
        weight: 0 unconditional, 1 conditional by Bayes' rule, more is stronger.

    Source: Dhariwal & Nichol 2021 (arXiv:2105.05233), algorithm 2.
    """

    def __init__(self, denoiser: Denoises, classifier: nn.Module, weight: float):
        super().__init__()
        self.denoiser, self.classifier, self.weight = denoiser, classifier, weight

    @property
    def path(self) -> Path:
        """The denoiser's own."""
        return self.denoiser.path

    def predict(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Prediction:
        """The guided prediction; c are labels, (B,)."""
        prediction = self.denoiser.predict(x_t, t)
        if self.weight == 0:
            return prediction
        if c is None:
            raise ValueError("c is None; guidance needs labels to be guided to")
        noise = expand_like(self.path.noise(t), x_t)
        return prediction.with_eps(prediction.eps - self.weight * noise * self._slope(x_t, t, c))

    @torch.enable_grad()
    def _slope(self, x_t: Tensor, t: Tensor, c: Tensor) -> Tensor:
        """grad log p(c | x_t), (B, *)."""
        x_t = x_t.detach().requires_grad_()
        log_p = self.classifier(x_t, t).log_softmax(1).gather(1, c[:, None]).sum()
        return torch.autograd.grad(log_p, x_t)[0]
