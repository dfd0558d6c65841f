"""What the metrics of samples compare: features, vectors in which likeness is a matter of distance."""

from collections.abc import Callable

import torch
from torch import Tensor

Features = Callable[[Tensor], Tensor]


@torch.no_grad()
def extract(x: Tensor, features: Features | None = None, batch_size: int = 500) -> Tensor:
    """The features of all rows, in float64: (N, *) -> (N, D).

    Args:
        x: data, (N, *); or their features, if `features` is None, (N, D).
        features: (B, *) -> (B, D), in evaluation mode, so that a row's features do not depend on its batch.
        batch_size: rows at once.

    Raises:
        ValueError: the features are not (N, D), or one of them is not a finite number.
    """
    found = x if features is None else torch.cat([features(part) for part in x.split(batch_size)])
    if found.ndim != 2 or len(found) != len(x):
        raise ValueError(
            f"features have shape {tuple(found.shape)} for {len(x)} rows; expected (N, D): pass features as "
            "vectors, or a function from data to vectors."
        )
    if not found.isfinite().all():
        row = (~found.isfinite()).any(1).nonzero()[0].item()
        raise ValueError(
            f"the features of row {row} are not finite: look for samples of a model that diverged."
        )
    return found.double()


def both(a: Tensor, b: Tensor, features: Features | None, least: int) -> tuple[Tensor, Tensor]:
    """Features of two sets of at least `least` rows each, (N, D) and (M, D)."""
    a, b = extract(a, features), extract(b, features)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"the features have {a.shape[1]} and {b.shape[1]} dimensions; expected the same.")
    if min(len(a), len(b)) < least:
        raise ValueError(f"got {len(a)} and {len(b)} rows; expected at least {least} of each.")
    return a, b
