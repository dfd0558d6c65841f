"""Samples of a conditional model, class by class."""

from torch import Tensor

from coursekit.metrics.frechet import frechet_distance
from coursekit.metrics.likelihood import Estimate


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
    """
    kinds = [labels == k for k in labels.unique()]
    within = [frechet_distance(real[kind], drawn[kind]) for kind in kinds]
    mean = sum(each.mean for each in within) / len(kinds)
    error = sum(each.stderr**2 for each in within) ** 0.5 / len(kinds)
    distance = Estimate(mean, error, min(each.n for each in within), within[0].unit)
    accuracy = Estimate.of((read == labels).double(), "1")
    return {"class_accuracy": accuracy, "frechet_distance_within_classes": distance}


def labels_of(c: Tensor, classes: int) -> Tensor:
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
