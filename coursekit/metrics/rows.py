"""What all measures of a model share: its mode, its noise, and the rows it is judged on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def judging(model: nn.Module, seed: int) -> Iterator[torch.device]:
    """The model in evaluation mode, without gradients, its noise seeded; gives the device it is on."""
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    mode = model.training
    model.eval()
    with torch.no_grad(), torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        try:
            yield device
        finally:
            model.train(mode)


def rows_of(data: Any) -> int:
    """Number of rows of a finite set."""
    if isinstance(data, tuple):
        return len(data[0])
    if not hasattr(data, "__len__"):
        raise ValueError(f"{type(data).__name__} is endless: say how many rows to draw, such as n=10_000.")
    return len(data)


def batches(data: Any, n: int, size: int, seed: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """The first n rows, at most `size` at a time; the last batch is cut."""
    for step, start in enumerate(range(0, n, size)):
        rows = slice(start, min(n, start + size))
        if isinstance(data, Tensor):
            yield data[rows], None
        elif isinstance(data, tuple):
            yield data[0][rows], data[1][rows]
        else:
            x, c = data.batch(step, size, seed)
            yield x[: n - start], c if c is None else c[: n - start]
