"""Batches without state: which items make batch number `step` is a pure function of (step, size, seed)."""

import numpy as np
import torch
from torch import Tensor


def generator(*key: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator seeded by whole numbers >= 0; keys that differ in any place give unrelated streams."""
    state = np.random.SeedSequence(key).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state))


def check_batch(step: int, size: int, seed: int) -> None:
    """Raises ValueError unless step >= 0, size >= 1 and seed >= 0."""
    if step < 0 or size < 1 or seed < 0:
        raise ValueError(
            f"batch(step={step}, size={size}, seed={seed}): expected step >= 0, size >= 1 and seed >= 0."
        )


class Walk:
    """Indices of n items, epoch after epoch, each epoch in a fresh order.

    Batch number `step` is positions step * size to (step + 1) * size - 1 of the endless sequence
    permutation(seed, 0), permutation(seed, 1), ...; so every batch is full, a batch may straddle two epochs,
    and the n items of an epoch come once each. The last permutations are kept, and drawn on the CPU, so that
    the order is the same on every device.

    Args:
        n: number of items, at least 1.
        device: where the indices are used.
    """

    def __init__(self, n: int, device: torch.device | str = "cpu"):
        if n < 1:
            raise ValueError("The set is empty: there is nothing to draw batches from.")
        self.n, self.device = n, device
        self._orders: dict[tuple[int, int], Tensor] = {}

    def _order(self, seed: int, epoch: int) -> Tensor:
        if (seed, epoch) not in self._orders:
            while len(self._orders) > 1:
                self._orders.pop(next(iter(self._orders)))
            order = torch.randperm(self.n, generator=generator(seed, epoch))
            self._orders[seed, epoch] = order.to(self.device)
        return self._orders[seed, epoch]

    def indices(self, step: int, size: int, seed: int = 0) -> Tensor:
        """Indices of batch number `step`: (size,), long."""
        check_batch(step, size, seed)
        epoch, start = divmod(step * size, self.n)
        if start + size <= self.n:
            return self._order(seed, epoch)[start : start + size]
        parts = [self._order(seed, epoch)[start:]]
        missing = size - len(parts[0])
        while missing > 0:
            epoch += 1
            parts.append(self._order(seed, epoch)[:missing])
            missing -= len(parts[-1])
        return torch.cat(parts)
