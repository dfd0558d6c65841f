"""A model judged by its samples alone, beside as many rows of data."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.metrics.classes import check_classes, judge_classes, labels_of
from coursekit.metrics.features import Features, extract
from coursekit.metrics.frechet import frechet_distance
from coursekit.metrics.kid import kernel_distance
from coursekit.metrics.likelihood import Estimate
from coursekit.metrics.precision_recall import density_coverage, precision_recall
from coursekit.metrics.rows import batches, judging, rows_of


def judge_samples(
    model: nn.Module,
    data: Any,
    features: Features | None = None,
    *,
    n: int | None = None,
    batch_size: int = 500,
    seed: int = 0,
    sampling: Mapping[str, Any] | None = None,
    classify: Features | None = None,
) -> dict[str, Estimate]:
    """All measures of samples, on the same n rows of data and n samples.

    Args:
        model: has `sample(n, c)`; it is put into evaluation mode meanwhile. Where the data come with
            conditions, one sample is drawn for each.
        data: as for `likelihood.evaluate`; rows that training has not seen.
        features: (B, *) -> (B, D), on the model's device; None compares the rows as they are, for points.
        n: number of rows; None takes all of a finite set. Only values from the same n are comparable.
        batch_size: rows at once.
        seed: of the samples, and of drawn data.
        sampling: further keywords of the model's `sample`.
        classify: (B, *) -> logits, (B, Y), on the model's device, for data whose conditions hold a label:
            what `classes.judge_classes` measures comes on top.

    Returns:
        "frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage"; and with
        `classify` "class_accuracy" and "frechet_distance_within_classes".

    Raises:
        ValueError: fewer than 20 rows of a class, where samples are classified; before any is drawn.
    """
    sampling = sampling or {}
    with judging(model, seed) as device:
        parts = list(batches(data, rows_of(data) if n is None else n, batch_size, seed))
        labels = None if classify is None else _labels(parts, classify, device)
        found = [_answered(model, x, _to(c, device), features, classify, sampling) for x, c in parts]
        real = torch.cat([extract(x.to(device), features).cpu() for x, _ in parts])
    drawn, read = zip(*found, strict=True)
    drawn = torch.cat(drawn)
    named = {} if labels is None else judge_classes(real, drawn, labels, torch.cat(read))
    return compare(real, drawn) | named


def _labels(parts: Sequence[tuple[Tensor, Tensor]], classify: Features, device: torch.device) -> Tensor:
    """The labels that will be asked for, (N,), enough of each."""
    classes = classify(parts[0][0][:1].to(device)).shape[1]
    labels = torch.cat([labels_of(c, classes).cpu() for _, c in parts])
    check_classes(labels)
    return labels


def _answered(
    model: nn.Module,
    x: Tensor,
    c: Tensor | None,
    features: Features | None,
    classify: Features | None,
    sampling: Mapping[str, Any],
) -> tuple[Tensor, Tensor | None]:
    """Features of as many draws as rows of data, under their conditions, and the classes that are read."""
    drawn = model.sample(len(x), c, **sampling)
    read = None if classify is None else classify(drawn).argmax(1).cpu()
    return extract(drawn, features).cpu(), read


def judge_rows(
    rows: Any,
    data: Any,
    features: Features | None = None,
    *,
    n: int,
    batch_size: int = 500,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> dict[str, Estimate]:
    """The same measures of other data in the place of samples: what a perfect model would score.

    Args:
        rows: such as the training set, at least n rows.
        data, features, n, batch_size, seed: as for `judge_samples`, which then takes the same rows of data.
        device: of `features`.
    """
    pairs = zip(batches(data, n, batch_size, seed), batches(rows, n, batch_size, seed + 1), strict=True)
    with torch.no_grad():
        return _over(((x, y) for (x, _), (y, _) in pairs), features, device)


def compare(real: Tensor, drawn: Tensor) -> dict[str, Estimate]:
    """The same from two sets of features, (N, D) and (M, D)."""
    manifold, balls = precision_recall(real, drawn), density_coverage(real, drawn)
    return {
        "frechet_distance": frechet_distance(real, drawn),
        "kernel_distance": kernel_distance(real, drawn),
        "precision": manifold.precision,
        "recall": manifold.recall,
        "density": balls.density,
        "coverage": balls.coverage,
    }


def _over(
    pairs: Iterable[tuple[Tensor, Tensor]], features: Features | None, device: torch.device | str
) -> dict[str, Estimate]:
    """`compare` of batches of (data, samples)."""
    found = [[extract(part.to(device), features).cpu() for part in pair] for pair in pairs]
    return compare(*(torch.cat(side) for side in zip(*found, strict=True)))


def _to(c: Tensor | None, device: torch.device) -> Tensor | None:
    return c if c is None else c.to(device)
