"""Optimizers as factories, (parameters, learning rate) -> optimizer, and learning-rate schedules."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam, AdamW, Optimizer

OptimizerFactory = Callable[[Iterable[Tensor], float], Optimizer]
Schedule = Callable[[int, int], float]


def adam(parameters: Iterable[Tensor], lr: float) -> Optimizer:
    """Fused Adam with the usual betas (Kingma & Ba 2015, arXiv:1412.6980)."""
    return ListedAdam(parameters, lr=lr, fused=True)


def adamw(parameters: Iterable[Tensor], lr: float) -> Optimizer:
    """Fused Adam with decoupled weight decay 0.01 (Loshchilov & Hutter 2019, arXiv:1711.05101)."""
    return AdamW(parameters, lr=lr, fused=True)


def constant(step: int, steps: int) -> float:
    """The learning rate stays as it is."""
    return 1.0


class ListedAdam(Adam):
    """Fused Adam, number for number, that lists its tensors once instead of at every step.

    The listing takes torch's Adam longer than the arithmetic of a small model. Where it may change, on other
    devices or when a parameter has no gradient, the step is torch's own. The arguments are those of `Adam`.
    """

    _lists: tuple[Tensor, list[Tensor], list[Tensor], list[Tensor]] | None = None

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        group = self.param_groups[0]
        parameters = group["params"]
        grads = [p.grad for p in parameters]
        if closure is not None or self._lists is None or any(g is None for g in grads):
            result = super().step(closure)
            self._lists = self._listed()
            return result
        counts, each, means, squares = self._lists
        counts += 1
        beta1, beta2 = group["betas"]
        numbers = {"lr": group["lr"], "beta1": beta1, "beta2": beta2, "eps": group["eps"]}
        numbers |= {"weight_decay": group["weight_decay"], "maximize": group["maximize"]}
        torch._fused_adam_(parameters, grads, means, squares, [], each, amsgrad=False, **numbers)
        return None

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As torch's; the tensors are listed anew."""
        super().load_state_dict(state_dict)
        self._lists = None

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As torch's; with more than one group the steps are torch's, too."""
        super().add_param_group(param_group)
        self._lists = None

    def _listed(self) -> tuple[Tensor, list[Tensor], list[Tensor], list[Tensor]] | None:
        """Steps done, as one vector and as views of it, and the two memories; None where torch shall list."""
        group = self.param_groups[0]
        states = [self.state[p] for p in group["params"] if p.device.type == "cpu" and p in self.state]
        plain = group["fused"] and not (group["amsgrad"] or group["decoupled_weight_decay"])
        kinds = {p.dtype for p in group["params"]}
        if len(self.param_groups) > 1 or len(states) < len(group["params"]) or not plain or len(kinds) > 1:
            return None
        counts = torch.stack([state["step"] for state in states])
        for state, count in zip(states, counts.unbind(), strict=True):
            state["step"] = count
        return counts, *([state[name] for state in states] for name in ("step", "exp_avg", "exp_avg_sq"))


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
