"""Samples of a conditional model, class by class."""

from torch import Tensor

from coursekit.metrics.frechet import frechet_distance
from coursekit.metrics.likelihood import Estimate

LEAST = 20
"""Rows of a class, at least, for its distance."""


def judge_classes(real: Tensor, drawn: Tensor, labels: Tensor, read: Tensor) -> dict[str, Estimate]:
    """Is a sample of the class that was asked for, and are those of a class like the data of that class?

    Args:
        real, drawn: features of data and of samples under the same conditions, (N, D).
        labels: the class of each row, (N,); at least 20 rows of each.
        read: the class that a classifier sees in each sample, (N,).

    Returns:
        "class_accuracy", the share of samples that are read as what was asked for; and
        "frechet_distance_within_classes", the mean over the classes of the distance between the samples and
        the data of one class. It is biased upwards, the more the fewer rows a class has.

    Raises:
        ValueError: fewer than 20 rows of a class.
    """
    check_classes(labels)
    kinds = [labels == k for k in labels.unique()]
    within = [frechet_distance(real[kind], drawn[kind]) for kind in kinds]
    mean = sum(each.mean for each in within) / len(kinds)
    error = sum(each.stderr**2 for each in within) ** 0.5 / len(kinds)
    distance = Estimate(mean, error, min(each.n for each in within), within[0].unit)
    accuracy = Estimate.of((read == labels).double(), "1")
    return {"class_accuracy": accuracy, "frechet_distance_within_classes": distance}


def check_classes(labels: Tensor) -> None:
    """Raises a ValueError unless each class has rows enough."""
    kinds, counts = labels.unique(return_counts=True)
    few = counts.argmin()
    if counts[few] < LEAST:
        raise ValueError(
            f"class {kinds[few].item()} has {counts[few].item()} of {len(labels)} rows; expected at least"
            f" {LEAST} of each class: judge more rows (n)"
        )


def labels_of(c: Tensor | None, classes: int) -> Tensor:
    """Labels (N,) as they are; of vectors, (N, K), the greatest of the first `classes` numbers.

    Raises:
        ValueError: c is neither.
    """
    if c is not None and c.ndim == 1 and not c.is_floating_point():
        return c
    if c is None or c.ndim != 2 or c.shape[1] < classes:
        shape = "None" if c is None else tuple(c.shape)
        raise ValueError(f"c is {shape}; expected labels (N,), or vectors that begin with a one-hot row")
    return c[:, :classes].argmax(1)
