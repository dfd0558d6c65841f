"""Batches for the trainer: a data set's own, or cut from plain tensors."""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor


class Rows:
    """Plain tensors as a data set that walks a fresh permutation every epoch.

    Args:
        x: (N, *).
        c: (N, *) conditions, or None.
    """

    def __init__(self, x: Tensor, c: Tensor | None = None):
        if len(x) == 0 or (c is not None and len(c) != len(x)):
            raise ValueError(f"x and c must have the same, positive number of rows, got {len(x)} and {c}.")
        self.x, self.c = x, c
        self._permutation = lru_cache(maxsize=2)(self._draw)

    def __len__(self) -> int:
        return len(self.x)

    def to(self, device: torch.device) -> "Rows":
        """The same rows on a device."""
        return Rows(self.x.to(device), None if self.c is None else self.c.to(device))

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor | None]:
        """Rows step * size ... of the endless sequence of permutations: always `size` of them."""
        epoch, start = divmod(step * size, len(self))
        rows = self._permutation(seed, epoch)[start : start + size]
        while len(rows) < size:
            epoch += 1
            rows = torch.cat([rows, self._permutation(seed, epoch)[: size - len(rows)]])
        return self.x[rows], None if self.c is None else self.c[rows]

    def _draw(self, seed: int, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
        return torch.randperm(len(self), generator=generator).to(self.x.device)


def as_data(data: Any) -> Any:
    """A tensor or a pair (x, c) becomes `Rows`; what has a `batch` method stays what it is."""
    if isinstance(data, Tensor):
        return Rows(data)
    if isinstance(data, tuple) and len(data) == 2 and all(isinstance(t, Tensor) for t in data):
        return Rows(*data)
    if callable(getattr(data, "batch", None)):
        return data
    raise TypeError(
        f"data is a {type(data).__name__}; pass a tensor (N, *), a pair of tensors (x, c), "
        "or an object with batch(step, size, seed) -> (x, c)."
    )


def move(value: Any, device: torch.device) -> Any:
    """A batch on the device; tuples and lists item by item, None stays None."""
    if isinstance(value, (tuple, list)):
        return type(value)(move(item, device) for item in value)
    return value if value is None else value.to(device, non_blocking=True)
