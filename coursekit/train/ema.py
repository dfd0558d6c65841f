"""An exponential moving average of a model's weights."""

import copy
from typing import Literal

import torch
from torch import nn


class EMA:
    """Averaged copy of a model: avg <- d avg + (1 - d) theta after every training step.

    With `warmup` the decay at the t-th update is d = min(decay, (1 + t) / (10 + t)), so that a short run
    is not dominated by its starting point.

    Args:
        source: the model that is trained.
        decay: d, in [0, 1).
        warmup: whether early updates use a smaller decay.
        buffers: "copy" takes the source's buffers as they are; "average" averages the floating ones
            (running statistics) with the same decay. Buffers of integers are copied either way.

    Attributes:
        model: the averaged copy, in evaluation mode, without gradients; sample and evaluate with it.
        updates: t, the number of updates so far.
    """

    def __init__(
        self,
        source: nn.Module,
        decay: float = 0.999,
        warmup: bool = True,
        buffers: Literal["copy", "average"] = "copy",
    ):
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"decay must lie in [0, 1), got {decay}.")
        if buffers not in ("copy", "average"):
            raise ValueError(f"buffers must be 'copy' or 'average', got {buffers!r}.")
        self.source, self.decay, self.warmup, self.buffers = source, decay, warmup, buffers
        self.model = copy.deepcopy(source).requires_grad_(False).eval()
        self.updates = 0
        self._pair()

    def to(self, device: torch.device) -> "EMA":
        """Move the averaged copy to the device of the source."""
        self.model.to(device)
        self._pair()
        return self

    @torch.no_grad()
    def update(self) -> None:
        """Take the source's present weights into the average."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates)) if self.warmup else self.decay
        if self._averaged[0]:
            torch._foreach_lerp_(*self._averaged, 1.0 - decay)
        if self._copied[0]:
            torch._foreach_copy_(*self._copied)

    def _pair(self) -> None:
        """List the averaged tensors and the copied ones, each as (those of the copy, those of the source)."""
        averaged, copied = list(zip(self.model.parameters(), self.source.parameters(), strict=True)), []
        for pair in zip(self.model.buffers(), self.source.buffers(), strict=True):
            average = self.buffers == "average" and pair[0].is_floating_point()
            (averaged if average else copied).append(pair)
        self._averaged = [p for p, _ in averaged], [p for _, p in averaged]
        self._copied = [b for b, _ in copied], [b for _, b in copied]
