"""Optimizers as factories, (parameters, learning rate) -> optimizer, and learning-rate schedules."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import Tensor
from torch.optim import Adam, AdamW, Optimizer

OptimizerFactory = Callable[[Iterable[Tensor], float], Optimizer]
Schedule = Callable[[int, int], float]


def adam(parameters: Iterable[Tensor], lr: float) -> Optimizer:
    """Fused Adam with the usual betas (Kingma & Ba 2015, arXiv:1412.6980)."""
    return Adam(parameters, lr=lr, fused=True)


def adamw(parameters: Iterable[Tensor], lr: float) -> Optimizer:
    """Fused Adam with decoupled weight decay 0.01 (Loshchilov & Hutter 2019, arXiv:1711.05101)."""
    return AdamW(parameters, lr=lr, fused=True)


def constant(step: int, steps: int) -> float:
    """The learning rate stays as it is."""
    return 1.0


@dataclass(frozen=True)
class Cosine:
    """Linear warm-up, then half a cosine from 1 down to `floor`: step, steps -> factor of the learning rate.

    A schedule is a function of the step alone, so a resumed run needs no state of it.

    Args:
        warmup: number of steps in which the factor rises from near 0 to 1.
        floor: the factor at the last step, in [0, 1].
    """

    warmup: int = 0
    floor: float = 0.0

    def __call__(self, step: int, steps: int) -> float:
        if step < self.warmup:
            return (step + 1) / (self.warmup + 1)
        t = (step - self.warmup) / max(1, steps - 1 - self.warmup)
        return self.floor + (1.0 - self.floor) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, t)))
