"""Flows: chains of invertible maps from data to a known density (Rezende & Mohamed 2015, arXiv:1505.05770;
Dinh, Krueger & Bengio 2015, arXiv:1410.8516)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from coursekit.protocols import Losses


class Bijector(Protocol):
    """An invertible map z = f(x; c), from data towards the base, as an nn.Module.

    `forward` returns z and log |det df/dx|, `inverse` x and log |det df^-1/dz|: each the log-determinant of
    the map that was applied, (B,), in nats.
    """

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]: ...

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]: ...


class Chain(nn.Module):
    """f = f_K o ... o f_1: the first bijector is the nearest to the data; log-determinants add up.

    Args:
        bijectors: f_1, ..., f_K, at least one.
    """

    def __init__(self, bijectors: Sequence[nn.Module]):
        super().__init__()
        if not bijectors:
            raise ValueError("bijectors is empty; expected at least one")
        self.bijectors = nn.ModuleList(bijectors)

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return _in_turn(self.bijectors, x, c)

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The bijectors' inverses, from the last one to the first."""
        return _in_turn([bijector.inverse for bijector in reversed(self.bijectors)], z, c)


def _in_turn(maps: Iterable[Callable], x: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
    """One map after the other; their log-determinants add up."""
    first, *others = maps
    x, log_det = first(x, c)
    for one in others:
        x, change = one(x, c)
        log_det = log_det + change
    return x, log_det


class Inverse(nn.Module):
    """The same map, the other way round: `forward` is the bijector's inverse.

    Args:
        bijector: f.
    """

    def __init__(self, bijector: nn.Module):
        super().__init__()
        self.bijector = bijector

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.bijector.inverse(x, c)

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """f itself."""
        return self.bijector(z, c)


class Flow(Chain):
    """p(x | c) = p_base(f(x; c)) |det df/dx|, exact.

    Args:
        bijectors: f_1, ..., f_K with f = f_K o ... o f_1, from data to base.
        base: has log_prob(z) and sample(n, temperature), as `StandardNormal` does.
    """

    def __init__(self, bijectors: Sequence[nn.Module], base: nn.Module):
        super().__init__(bijectors)
        self.base = base

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """log p(x | c), exact: (B, *) -> (B,), nats."""
        z, log_det = self(x, c)
        return self.base.log_prob(z) + log_det

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; minus the exact log-likelihood, averaged over the batch."""
        yield "model", -self.log_prob(x, c).mean()

    @torch.no_grad()
    def sample(self, n: int, c: Tensor | None = None, temperature: float = 1.0) -> Tensor:
        """n draws, (n, *): z from the base, its standard deviation times `temperature`, then f^-1(z; c)."""
        return self.decode(self.base.sample(n, temperature), c)

    def encode(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """z = f(x; c): (B, *) -> (B, *)."""
        return self(x, c)[0]

    def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """x = f^-1(z; c): (B, *) -> (B, *)."""
        return self.inverse(z, c)[0]

    @torch.no_grad()
    def start(self, x: Tensor, c: Tensor | None = None) -> None:
        """Set what starts from data, such as `ActNorm`, from one batch: (B, *), B at least 2.

        Each layer sees the batch as the layers before it, which have started by then, hand it on. Call it
        before training, once; what was set are parameters, saved and trained as all others.
        """
        layers = [module for module in self.modules() if hasattr(module, "start_from")]
        hooks = [
            layer.register_forward_pre_hook(lambda layer, args: layer.start_from(args[0])) for layer in layers
        ]
        try:
            self(x, c)
        finally:
            for hook in hooks:
                hook.remove()

    @torch.no_grad()
    def inverse_error(self, x: Tensor, c: Tensor | None = None) -> float:
        """max |f^-1(f(x)) - x| over rows and dimensions: what rounding leaves of invertibility."""
        return (self.decode(self.encode(x, c), c) - x).abs().max().item()
