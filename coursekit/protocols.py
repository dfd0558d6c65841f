"""What a model and a data set can promise, as structural types: no class has to inherit from these.

A missing method is information. A GAN has no `log_prob`, so `isinstance(gan, HasLogProb)` is False.
"""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from torch import Tensor
from torch.distributions import Distribution

Losses = Iterator[tuple[str, Tensor]]
"""Pairs of (player to step, scalar loss). A player is the name of an attribute; "model" is the whole."""


@runtime_checkable
class Trainable(Protocol):
    """Has `losses`, a generator: the trainer steps each yielded player before it asks for the next loss."""

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses: ...


@runtime_checkable
class HasLogProb(Protocol):
    """Has log p(x | c), exact or estimated, in nats, summed over event axes: (B, *) -> (B,)."""

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor: ...


@runtime_checkable
class HasELBO(Protocol):
    """Has a lower bound on log p(x | c), in nats, summed over event axes: (B, *) -> (B,)."""

    def elbo(self, x: Tensor, c: Tensor | None = None) -> Tensor: ...


@runtime_checkable
class HasSample(Protocol):
    """Draws n samples from p(x | c): -> (n, *)."""

    def sample(self, n: int, c: Tensor | None = None) -> Tensor: ...


@runtime_checkable
class HasEncode(Protocol):
    """Maps data to codes: a Distribution where the encoder is probabilistic, else a tensor (B, D)."""

    def encode(self, x: Tensor, c: Tensor | None = None) -> Distribution | Tensor: ...


@runtime_checkable
class HasDecode(Protocol):
    """Maps codes to data: a Distribution where the decoder is probabilistic, else a tensor (B, *)."""

    def decode(self, z: Tensor, c: Tensor | None = None) -> Distribution | Tensor: ...


@runtime_checkable
class Data(Protocol):
    """Training data; `batch` depends on its arguments alone, so a resumed run needs no state of the data."""

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor | None]: ...

    def to(self, device: object) -> "Data": ...
