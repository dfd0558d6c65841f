"""Inversion: the code z whose decoding is a given image, by optimization, by an encoder, or by both."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from coursekit.protocols import Losses

Features = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Inversion:
    """The codes found, the best of all starts.

    Attributes:
        z: (B, D).
        x: their decodings, (B, *).
        loss: what was made small, at z, (B,).
        losses: the same where each start ended, (S, B).
    """

    z: Tensor
    x: Tensor
    loss: Tensor
    losses: Tensor


@dataclass(frozen=True)
class Likeness:
    """How unlike an image and a decoding are: pixel |x' - x|^2 / N + feature |f(x') - f(x)|^2 / D.

    Args:
        pixel: weight of the mean squared difference of pixels.
        feature: weight of that of features; it needs `features`.
        features: f, (B, *) -> (B, D), differentiable, such as a classifier's, in evaluation mode.
    """

    pixel: float = 1.0
    feature: float = 0.0
    features: Features | None = None

    def __post_init__(self) -> None:
        if min(self.pixel, self.feature) < 0 or not self.pixel + self.feature > 0:
            raise ValueError(
                f"pixel={self.pixel}, feature={self.feature}: expected weights >= 0, one above 0."
            )
        if (self.features is None) != (self.feature == 0):
            raise ValueError("features and a weight `feature` above 0 belong together: give both or neither.")

    def __call__(self, decoded: Tensor, x: Tensor) -> Tensor:
        """(B, *), (B, *) -> (B,)."""
        return self.to(x)(decoded)

    def to(self, x: Tensor) -> Callable[[Tensor], Tensor]:
        """The same as a function of the decoding alone, which computes the images' features once."""
        with torch.no_grad():
            wanted = None if self.features is None else self.features(x)

        def loss(decoded: Tensor) -> Tensor:
            pixels = self.pixel * (decoded - x).square().flatten(1).mean(1)
            if wanted is None:
                return pixels
            return pixels + self.feature * (self.features(decoded) - wanted).square().mean(1)

        return loss


def invert(
    model: nn.Module,
    x: Tensor,
    starts: Tensor,
    c: Tensor | None = None,
    *,
    likeness: Likeness = Likeness(),
    prior: float = 0.0,
    steps: int = 300,
    lr: float = 0.1,
) -> Inversion:
    """Looks for z with decode(z) = x by gradient descent, from several starts, and keeps the best of them.

    minimize  likeness(decode(z), x) + prior |z|^2 / D  over z

    The landscape has many valleys, so that one start rarely suffices; an encoder's guess is a good one to
    have among them. Adam, with a learning rate that falls to zero along half a cosine.

    Args:
        model: has `decode`, differentiable; it is put into evaluation mode meanwhile, and not changed.
        x: images, (B, *).
        starts: codes to start from, (S, B, D), such as torch.randn(S, len(x), D).
        c: condition of the decodings, (B,) or (B, *), or None.
        likeness: what is made small.
        prior: weight of the code's mean square, which keeps it where codes are drawn.
        steps: of the descent, >= 0; none compares the starts.
        lr: learning rate, in units of z.

    Raises:
        ValueError: starts are not (S, B, D), or a number is out of its range.

    Source: Zhu et al. 2016 (arXiv:1609.03552), for optimization, encoder, and both.
    """
    if starts.ndim != 3 or starts.shape[1] != len(x):
        raise ValueError(
            f"starts have shape {tuple(starts.shape)}; expected (S, {len(x)}, D): S for each row"
        )
    if prior < 0 or steps < 0 or not lr > 0:
        raise ValueError(f"prior={prior}, steps={steps}, lr={lr}: expected prior, steps >= 0 and lr > 0.")
    n, rows, _ = starts.shape
    unlike = likeness.to(x.repeat(n, *[1] * (x.ndim - 1)))  # of (S * B, *)
    given = c if c is None else c.repeat(n, *[1] * (c.ndim - 1))

    def loss(z: Tensor) -> Tensor:
        return unlike(_decode(model, z, given)) + prior * z.square().mean(1)

    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        z = _descend(loss, starts.flatten(0, 1), steps, lr)  # (S * B, D)
        with torch.no_grad():
            losses = loss(z).reshape(n, rows)
            best = losses.argmin(0)
            z = z.reshape(n, rows, -1)[best, torch.arange(rows, device=z.device)]  # (B, D)
            return Inversion(z, _decode(model, z, c), losses.min(0).values, losses)
    finally:
        for part, training in modes:
            part.training = training


def _descend(loss: Callable[[Tensor], Tensor], z: Tensor, steps: int, lr: float) -> Tensor:
    """Minimizes each row's loss; the sum has the same gradient, since no row's loss depends on another."""
    z = z.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([z], lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
    for _ in range(steps):
        (z.grad,) = torch.autograd.grad(loss(z).sum(), [z])
        optimizer.step()
        schedule.step()
    return z.detach()


def _decode(model: nn.Module, z: Tensor, c: Tensor | None) -> Tensor:
    """The decoding, or its mean where the decoder is a distribution."""
    decoded = model.decode(z, c)
    return decoded.mean if isinstance(decoded, Distribution) else decoded


class Inverter(nn.Module):
    """z = E(x), an encoder trained to invert a decoder that stays as it is.

    |E(decode(z)) - z|^2 / D, z ~ N(0, I), on the decoder's own images, whose codes are known, plus
    weight * likeness(decode(E(x)), x) on data

    Args:
        model: has `decode` and `latent_dim`, D.
        encoder: E, (B, *) -> (B, D).
        weight: of the second term.
        likeness: of images.
    """

    def __init__(
        self, model: nn.Module, encoder: nn.Module, weight: float = 1.0, likeness: Likeness = Likeness()
    ):
        super().__init__()
        self.model, self.encoder, self.weight, self.likeness = model, encoder, weight, likeness
        self.train()

    def train(self, mode: bool = True) -> "Inverter":
        """The mode of the encoder; the decoder is always in evaluation mode."""
        super().train(mode)
        self.model.eval()
        return self

    def encode(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """E(x): (B, *) -> (B, D); a start for `invert` is encode(x)[None]."""
        return self.encoder(x)

    def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """The decoder's image, its mean where it is a distribution: (B, D) -> (B, *)."""
        return _decode(self.model, z, c)

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "encoder"."""
        z = torch.randn(len(x), self.model.latent_dim, dtype=x.dtype, device=x.device)
        with torch.no_grad():
            fake = self.decode(z, c)
        codes = (self.encode(fake, c) - z).square().mean()
        yield "encoder", codes + self.weight * self.likeness(self.decode(self.encode(x, c), c), x).mean()
