"""Batches of images: one mosaic, one call of imshow."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def to_array(x: Any) -> np.ndarray:
    """A NumPy array of a tensor on any device, an array or nested lists."""
    return np.asarray(x.detach().cpu()) if hasattr(x, "detach") else np.asarray(x)


def to_unit(x: Any, value_range: tuple[float, float] | None = None) -> np.ndarray:
    """Images (B, C, H, W) or (B, H, W) as floats (B, H, W, 3 or 1) in [0, 1].

    Args:
        x: uint8, or floats. Values beyond the range are clipped, as a Gaussian's samples need it.
        value_range: (black, white); None takes (-1, 1) if any value is below zero, else (0, 1).

    Raises:
        ValueError: if the shape is not one of images with 1 or 3 channels.
    """
    x = to_array(x)
    if x.ndim == 3:
        x = x[:, None]
    if x.ndim != 4 or x.shape[1] not in (1, 3) or len(x) == 0:
        raise ValueError(f"images have shape {x.shape}; expected (B, 1, H, W), (B, 3, H, W) or (B, H, W).")
    if value_range is None:
        value_range = (0.0, 255.0) if x.dtype == np.uint8 else (-1.0, 1.0) if x.min() < 0 else (0.0, 1.0)
    low, high = value_range
    return np.clip((x.astype(float) - low) / (high - low), 0, 1).transpose(0, 2, 3, 1)


def mosaic(x: np.ndarray, ncol: int, pad: int = 1) -> np.ndarray:
    """Images (B, H, W, C), row by row, in one white array with `pad` pixels between them."""
    n, h, w, channels = x.shape
    nrow = -(-n // ncol)
    sheet = np.ones((nrow * (h + pad), ncol * (w + pad), channels))
    for k, image in enumerate(x):
        top, left = k // ncol * (h + pad), k % ncol * (w + pad)
        sheet[top : top + h, left : left + w] = image
    return sheet[: nrow * (h + pad) - pad, : ncol * (w + pad) - pad]


def _show(ax: Axes, sheet: np.ndarray) -> None:
    shades = sheet[..., 0] if sheet.shape[-1] == 1 else sheet
    ax.imshow(shades, cmap="gray", vmin=0, vmax=1, interpolation="none")
    ax.set_axis_off()


def images(
    x: Any,
    ncol: int = 10,
    ax: Axes | None = None,
    title: str | None = None,
    pad: int = 1,
    value_range: tuple[float, float] | None = None,
) -> Axes:
    """A grid of images, row by row.

    Args:
        x: (B, C, H, W) or (B, H, W), in [-1, 1], in [0, 1] or uint8 (see `to_unit`).
        ncol: images a row.
        ax: where to draw; None makes a figure of fitting size.
        title: above the grid.
        pad: white pixels between images; 0 for a manifold.
        value_range: (black, white), guessed if None.
    """
    x = to_unit(x, value_range)
    ncol = min(ncol, len(x))
    if ax is None:
        width = min(6.4, 0.64 * ncol + 0.2)
        _, ax = plt.subplots(figsize=(width, width * -(-len(x) // ncol) * x.shape[1] / (ncol * x.shape[2])))
    _show(ax, mosaic(x, ncol, pad))
    if title:
        ax.set_title(title)
    return ax


def strips(
    rows: Mapping[str, Any],
    columns: Sequence[str] = (),
    title: str | None = None,
    pad: int = 1,
    value_range: tuple[float, float] | None = None,
) -> Figure:
    """One strip of images a row, its name at the left: originals above reconstructions, for example.

    Args:
        rows: name -> images (B, C, H, W), all rows of one batch size.
        columns: a name above each image, or none.
        title: above the strips.
        pad: white pixels between images.
        value_range: (black, white), guessed for each row if None.

    Raises:
        ValueError: if a row or `columns` has another length than the first row.
    """
    strip = {name: to_unit(x, value_range) for name, x in rows.items()}
    n, h, w = next(iter(strip.values())).shape[:3]
    for name, x in [*strip.items(), *([("columns", columns)] if columns else [])]:
        if len(x) != n:
            raise ValueError(f"{name!r} has {len(x)} images; expected {n}, as in the first row.")
    side = 6.0 / max(n, 6)
    fig, axes = plt.subplots(
        len(strip), 1, figsize=(6.4, (side * h / w + 0.06) * len(strip) + 0.3), squeeze=False
    )
    for ax, (name, x) in zip(axes[:, 0], strip.items(), strict=True):
        _show(ax, mosaic(x, n, pad))
        ax.text(-0.015, 0.5, name, transform=ax.transAxes, ha="right", va="center")
    for k, name in enumerate(columns):
        axes[0, 0].text(k * (w + pad) + w / 2, -0.06 * h - 1, name, ha="center", va="bottom", fontsize=9)
    if title:
        fig.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return fig
