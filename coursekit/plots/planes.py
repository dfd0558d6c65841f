"""Points and densities on the plane."""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from coursekit.plots.pictures import to_array
from coursekit.plots.style import CLASSES, color_of, tint

Extent = tuple[float, float, float, float]
MANY = 500


def plane(ax: Axes | None = None, extent: Extent | None = None, size: float = 3.4) -> Axes:
    """Axes with equal units and no grid, for pictures of two-dimensional spaces.

    Args:
        ax: axes to prepare; None makes a square figure.
        extent: (left, right, bottom, top) in data units.
        size: of a new figure, in inches.
    """
    ax = ax or plt.subplots(figsize=(size, size))[1]
    ax.set_aspect("equal")
    ax.grid(False)
    if extent is not None:
        ax.set(xlim=extent[:2], ylim=extent[2:])
    return ax


def density(
    log_prob: Callable[[Any], Any],
    ax: Axes | None = None,
    extent: Extent = (-4, 4, -4, 4),
    n: int = 200,
    color: str = "ar",
    contours: int = 0,
    title: str | None = None,
) -> Axes:
    """exp(log_prob) on a grid of n x n points, white where it is zero.

    Args:
        log_prob: float tensor (N, 2) -> (N,), nats.
        ax: where to draw; None makes a square figure.
        extent: (left, right, bottom, top).
        n: points a side.
        color: a family's name or any colour, the shade of the highest density.
        contours: draw that many lines of equal density instead of shades; 0 draws shades.
        title: above the plot.
    """
    import torch

    left, right, bottom, top = extent
    x, y = torch.linspace(left, right, n), torch.linspace(bottom, top, n)
    points = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 2)
    with torch.no_grad():
        p = np.nan_to_num(np.exp(to_array(log_prob(points)).reshape(n, n)))
    ax = plane(ax, extent)
    if contours:
        levels = p.max() * np.linspace(0, 1, contours + 2)[1:-1]
        ax.contour(x, y, p, levels=levels, colors=[color_of(color)], linewidths=1)
    else:
        ax.imshow(p, extent=extent, origin="lower", cmap=tint(color), vmin=0, interpolation="bilinear")
    if title:
        ax.set_title(title)
    return ax


def scatter(
    points: Any,
    ax: Axes | None = None,
    color: Any = "data",
    size: float = 6,
    alpha: float = 0.6,
    extent: Extent | None = None,
    title: str | None = None,
    **keywords: Any,
) -> Axes:
    """Points (N, 2); beyond 500 they are stored as pixels, so that the figure stays light.

    Args:
        points: (N, 2).
        ax: where to draw; None makes a square figure.
        color: a family's name, any colour, or one colour or number a point.
        size: area of a mark, in points squared.
        alpha: opacity.
        extent: (left, right, bottom, top), or as the points need it.
        title: above the plot.
        keywords: for `Axes.scatter`.

    Raises:
        ValueError: if `points` is not (N, 2).
    """
    points = to_array(points)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points have shape {points.shape}; expected (N, 2).")
    color = color_of(color) if isinstance(color, str) else to_array(color)
    ax = plane(ax, extent)
    marks = {"s": size, "alpha": alpha, "linewidths": 0, "rasterized": len(points) > MANY} | keywords
    ax.scatter(*points.T, c=color, **marks)
    if title:
        ax.set_title(title)
    return ax


def apart(places: np.ndarray, gap: float, rounds: int = 50) -> np.ndarray:
    """Places (K, 2), pushed from one another until hardly any two are nearer than `gap`."""
    for _ in range(rounds):
        away = places[:, None] - places  # (K, K, 2)
        distance = np.linalg.norm(away, axis=-1, keepdims=True)
        places = places + (np.clip(gap - distance, 0, None) * away / np.maximum(distance, 1e-9)).sum(1) / 2
    return places


def latent(
    codes: Any,
    labels: Any,
    ax: Axes | None = None,
    names: Sequence[str] | None = None,
    size: float = 5,
    title: str | None = None,
) -> Axes:
    """Codes (N, 2) coloured by class, each class named at the median of its codes, or close by.

    Args:
        codes: (N, 2).
        labels: (N,) integers from 0.
        ax: where to draw; None makes a square figure.
        names: of the classes; None writes the integers.
        size: area of a mark, in points squared.
        title: above the plot.

    Raises:
        ValueError: if there are not as many labels as codes.
    """
    codes, labels = to_array(codes), to_array(labels).astype(int)
    if len(codes) != len(labels):
        raise ValueError(f"there are {len(codes)} codes and {len(labels)} labels; expected one label a code.")
    colors = np.array(CLASSES)[labels % len(CLASSES)]
    ax = scatter(codes, ax, color=colors, size=size, alpha=0.45, title=title)
    classes = np.unique(labels)
    medians = np.stack([np.median(codes[labels == k], axis=0) for k in classes])
    window = np.ptp(np.quantile(codes, (0.02, 0.98), axis=0), axis=0).max()
    for k, (x, y) in zip(classes, apart(medians, gap=0.11 * window), strict=True):
        name = str(k) if names is None else names[k]
        halo = [withStroke(linewidth=3, foreground="white")]
        ink = CLASSES[k % len(CLASSES)]
        ax.text(
            x, y, name, color=ink, fontweight="bold", ha="center", va="center", path_effects=halo, fontsize=13
        )
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    return ax
