"""How often a classifier is right."""

from typing import Any

import torch
from torch import nn

from coursekit.metrics.likelihood import Estimate
from coursekit.metrics.rows import batches, judging, rows_of


def accuracy(
    model: nn.Module, data: Any, *, n: int | None = None, batch_size: int = 500, seed: int = 0
) -> Estimate:
    """Share of rows whose likeliest class is their label.

    Args:
        model: logits or probabilities, (B, *) -> (B, Y); in evaluation mode meanwhile.
        data: a pair of tensors (x, labels), or an object with batch(step, size, seed) -> (x, labels).
        n: number of rows; None takes all of a finite set.
        batch_size: rows at once.
        seed: which rows come first, if n is less than all.

    Raises:
        ValueError: data has no labels, or is endless and n is None.
    """
    hits = []
    with judging(model, seed) as device:
        for x, c in batches(data, rows_of(data) if n is None else n, batch_size, seed):
            if c is None:
                raise ValueError("data comes without labels: pass (x, labels), or a set's conditioned()")
            hits.append(model(x.to(device)).argmax(1).cpu() == c.cpu())
    return Estimate.of(torch.cat(hits), "1")
