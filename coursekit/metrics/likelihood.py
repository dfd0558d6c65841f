"""Mean log-likelihood of a data set, with its standard error."""

import itertools
import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from tqdm import tqdm

from coursekit import ops
from coursekit.metrics.rows import batches, judging, rows_of


@dataclass(frozen=True)
class Estimate:
    """A mean over independent rows.

    Attributes:
        mean: the mean.
        stderr: its standard error, standard deviation / sqrt(n): over the choice of rows, not over trainings.
        n: number of rows.
        unit: such as "nats".
    """

    mean: float
    stderr: float
    n: int
    unit: str = "nats"

    @classmethod
    def of(cls, values: Tensor, unit: str = "nats") -> "Estimate":
        """The mean of values (n,), n >= 1; the standard error of a single value is NaN."""
        values = values.double()
        stderr = values.std().item() / math.sqrt(len(values)) if len(values) > 1 else math.nan
        return cls(values.mean().item(), stderr, len(values), unit)

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.stderr:.2f} {self.unit} ({self.n} rows)"


def evaluate(
    model: nn.Module,
    data: Any,
    *,
    method: Literal["log_prob", "elbo"] = "log_prob",
    n: int | None = None,
    batch_size: int = 64,
    seed: int = 0,
    progress: bool = True,
    **keywords: Any,
) -> Estimate:
    """Mean of log p(x | c), or of its lower bound, over a data set; every row counts once.

    Args:
        model: has the method; it is put into evaluation mode meanwhile.
        data: a tensor (N, *), a pair of tensors (x, c), or an object with batch(step, size, seed) -> (x, c);
            on the way to the model a batch moves to its device.
        method: "log_prob" or "elbo".
        n: number of rows; None takes all of a finite set.
        batch_size: rows at once; a model that draws k samples a row is fastest and leanest with few.
        seed: of the noise and of drawn data; the caller's random state stays as it was.
        progress: show a progress bar.
        keywords: passed on to the method, such as k=5000.

    Returns:
        The mean in nats.

    Raises:
        TypeError: the model lacks the method.
        ValueError: data is endless and n is None, or a value is not finite.
    """
    if not callable(getattr(model, method, None)):
        raise TypeError(f"{type(model).__name__} has no {method}: a family without it can't be compared so.")
    n, values = rows_of(data) if n is None else n, []
    with judging(model, seed) as device, tqdm(total=n, unit="row", disable=not progress) as bar:
        for x, c in batches(data, n, batch_size, seed):
            values.append(getattr(model, method)(x.to(device), c if c is None else c.to(device), **keywords))
            bar.update(len(x))
    return Estimate.of(_finite(torch.cat(values).cpu(), method))


def per_symbol(
    model: nn.Module,
    text: Any,
    *,
    n: int | None = None,
    batch_size: int = 64,
    seed: int = 0,
    progress: bool = True,
) -> Estimate:
    """Mean log-likelihood of a symbol, over a text from end to end: each symbol is scored once.

    The text is cut into windows of its `length`. Each shares with the one before as many symbols as the model
    takes for given (its attribute `given`), so that only the first ones of the text stay unscored. A symbol
    is predicted from those before it in its window alone: few, for one near the window's beginning.

    Args:
        model: has `log_prob` of symbols; it is put into evaluation mode meanwhile.
        text: has windows(size, overlap), which yields batches of windows, as `data.text.TextSet` does.
        n: number of windows, the first ones; None takes all.
        batch_size: windows at once.
        seed: of the noise, if the model has any.
        progress: show a progress bar.

    Returns:
        The mean in nats a symbol, over n symbols; its standard error is over windows.
    """
    given = getattr(model, "given", 0)
    windows = itertools.islice(text.windows(batch_size, given), n and math.ceil(n / batch_size))
    totals, counts = [], []
    with judging(model, seed) as device:
        for x in tqdm(windows, unit="batch", disable=not progress):
            totals.append(model.log_prob(x.to(device)).cpu().double())
            counts.append(torch.full((len(x),), x.shape[1] - given))
    total, count = _finite(torch.cat(totals), "log_prob")[:n], torch.cat(counts)[:n]
    stderr = Estimate.of(total / count).stderr
    return Estimate((total.sum() / count.sum()).item(), stderr, int(count.sum()), "nats per symbol")


def bits_per_dim(estimate: Estimate, dims: int, levels: int | None = None) -> Estimate:
    """The same result in bits per dimension, lower is better; arguments as for `ops.bits_per_dim`.

    Raises:
        ValueError: the estimate is not in nats.
    """
    if estimate.unit != "nats":
        raise ValueError(f"The estimate is in {estimate.unit}; bits per dimension are computed from nats.")
    mean = ops.bits_per_dim(torch.tensor(estimate.mean, dtype=torch.float64), dims, levels).item()
    return Estimate(mean, estimate.stderr / (dims * math.log(2)), estimate.n, "bits per dimension")


def _finite(values: Tensor, method: str) -> Tensor:
    """The values, refused if one of them is not a finite number."""
    bad = (~values.isfinite()).nonzero()
    if len(bad):
        raise ValueError(
            f"{method} is {values[bad[0, 0]].item()} at row {bad[0, 0].item()} ({len(bad)} of {len(values)} "
            "rows are not finite): look for data outside the model's range, or a model that diverged."
        )
    return values
