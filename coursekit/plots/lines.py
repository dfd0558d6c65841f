"""Curves with their names beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Annotation

from coursekit.plots.pictures import to_array
from coursekit.plots.style import GREY, color_of


def label_line(line: Line2D, text: str | None = None, x: float | None = None, dy: float = 0) -> Annotation:
    """Write a curve's name beside it, in its colour, instead of a legend.

    Args:
        line: what `ax.plot` returned; its own label is taken if `text` is None.
        text: the name.
        x: where, in data units; None writes it right of the curve's end.
        dy: shift upwards, in points; above the curve if `x` is given and `dy` is 0.
    """
    xs, ys = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
    at_end = x is None
    where = (xs[-1], ys[-1]) if at_end else (x, float(np.interp(x, xs, ys)))
    return line.axes.annotate(
        line.get_label() if text is None else text,
        where,
        xytext=(5, dy) if at_end else (0, dy or 4),
        textcoords="offset points",
        color=line.get_color(),
        fontweight="bold",
        ha="left" if at_end else "center",
        va="center" if at_end else "bottom",
        annotation_clip=False,
    )


def smooth(y: np.ndarray, width: int) -> np.ndarray:
    """The mean over a window of `width` values around each, narrower at the ends: (N,) -> (N,)."""
    half = max(0, min(width // 2, (len(y) - 1) // 2))
    total = np.concatenate([[0.0], np.cumsum(y)])
    k = np.arange(len(y))
    low, high = np.maximum(k - half, 0), np.minimum(k + half + 1, len(y))
    return (total[high] - total[low]) / (high - low)


def series_of(history: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """name -> (steps, values) of a training history.

    Args:
        history: an object whose `.records` lists mappings with "step" and one number a series; such a list;
            or a mapping name -> values.

    Raises:
        TypeError: for anything else.
    """
    records = getattr(history, "records", history)
    if isinstance(records, Mapping):
        return {name: (np.arange(1, len(y) + 1), to_array(y).astype(float)) for name, y in records.items()}
    if not isinstance(records, Sequence) or not all(isinstance(r, Mapping) and "step" in r for r in records):
        raise TypeError(
            f"history is {type(history).__name__}; expected .records with a 'step' in each, or a mapping."
        )
    found: dict[str, list[tuple[float, float]]] = {}
    for record in records:
        for name, value in record.items():
            if name != "step" and isinstance(value, int | float):
                found.setdefault(name, []).append((record["step"], value))
    return {name: tuple(np.array(pairs, float).T) for name, pairs in found.items()}


def curves(
    history: Any,
    ax: Axes | None = None,
    names: Sequence[str] | None = None,
    color: str | None = None,
    ylabel: str = "loss (nats)",
    title: str | None = None,
) -> Axes:
    """Losses against training steps: every value pale, a running mean on top, named at its end.

    Args:
        history: what `train.fit` returned (see `series_of`).
        ax: where to draw; None makes a figure.
        names: the series to draw; None draws all.
        color: a family's name or any colour; None takes the cycle's.
        ylabel: name and unit of the values.
        title: above the plot.

    Raises:
        ValueError: if a name is not in the history.
    """
    series = series_of(history)
    for name in names or ():
        if name not in series:
            raise ValueError(f"the history has no series {name!r}; it has {', '.join(map(repr, series))}.")
    ax = ax or plt.subplots()[1]
    for name in names or series:
        steps, values = series[name]
        (line,) = ax.plot(
            steps, smooth(values, len(values) // 25), label=name, color=color and color_of(color)
        )
        ax.plot(steps, values, color=line.get_color(), alpha=0.25, linewidth=0.8, zorder=1, rasterized=True)
        label_line(line)
    ax.set(xlabel="training step", ylabel=ylabel)
    if title:
        ax.set_title(title)
    return ax


def reference(ax: Axes, y: float, text: str) -> None:
    """A dashed grey line at height y with its name on it: a bound, a published number, chance."""
    ax.axhline(y, color=GREY, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1)
    ax.annotate(
        text, (0, y), xycoords=("axes fraction", "data"), xytext=(4, 3), textcoords="offset points",
        ha="left", va="bottom", color=GREY, fontsize=9,
    )  # fmt: skip
