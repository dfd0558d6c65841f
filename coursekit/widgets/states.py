"""Every state of a figure, drawn beforehand: control values -> pictures."""

import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from coursekit.widgets.controls import Axis, Control, Plane

Layout = list[Bbox]
"""Where the axes of a figure lie, in parts of its width and height."""

MAX_STATES = 1000
DPI = 150


@dataclass(frozen=True)
class Picture:
    """Pixels of one state.

    Attributes:
        pixels: (H, W, 3) uint8.
        kind: "figure" (drawn at DPI dots per inch) or "image" (shown enlarged, pixel by pixel).
    """

    pixels: np.ndarray
    kind: str


def axes_of(controls: Sequence[Control]) -> list[Axis]:
    """The axes of all controls, in order."""
    return [axis for control in controls for axis in control.axes]


def keywords_at(controls: Sequence[Control], index: Sequence[int]) -> dict[str, Any]:
    """The keywords of `draw` at one index per axis."""
    rest = iter(index)
    return {control.name: control.value(*itertools.islice(rest, len(control.axes))) for control in controls}


def indices(controls: Sequence[Control]) -> Iterator[tuple[int, ...]]:
    """All states, the last axis running fastest."""
    return itertools.product(*(range(len(axis.texts)) for axis in axes_of(controls)))


def check(draw: Callable[..., Any], controls: Sequence[Control]) -> None:
    """Raise unless the controls fit `draw` and their states are not too many.

    Raises:
        ValueError: no control, a name twice, two planes, or more than MAX_STATES states.
        TypeError: `draw` does not take a control's name.
    """
    names = [control.name for control in controls]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"the controls are named {names}; expected at least one, and each name once.")
    if sum(isinstance(control, Plane) for control in controls) > 1:
        raise ValueError("there are two planes; expected at most one, with sliders or choices beside it.")
    try:
        inspect.signature(draw).bind(**dict.fromkeys(names))
    except TypeError as error:
        raise TypeError(f"draw can't be called with the keywords {', '.join(names)}: {error}.") from None
    sizes = [len(axis.texts) for axis in axes_of(controls)]
    count = int(np.prod(sizes))
    if count > MAX_STATES:
        product = " x ".join(map(str, sizes))
        raise ValueError(f"{product} = {count} states; expected at most {MAX_STATES}: give fewer values.")


def rasterize(figure: Figure, close: bool = True, layout: Layout | None = None) -> np.ndarray:
    """A matplotlib figure as (H, W, 3) uint8, at DPI dots per inch; `layout` says where its axes lie."""
    figure.set_dpi(DPI)
    if layout is not None and len(layout) == len(figure.axes):
        figure.set_layout_engine("none")
        for ax, place in zip(figure.axes, layout, strict=True):
            ax.set_position(place)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    if close:
        plt.close(figure)
    return pixels


def picture_of(drawn: Any, value_range: tuple[float, float], layout: Layout | None = None) -> Picture:
    """What `draw` returned, as pixels; floats are scaled from `value_range`, axes lie where `layout` says.

    Raises:
        TypeError: if it is neither a figure nor an image array.
    """
    if isinstance(drawn, Figure):
        return Picture(rasterize(drawn, layout=layout), "figure")
    pixels = as_image(drawn)
    if pixels.dtype != np.uint8:
        low, high = value_range
        pixels = np.rint(np.clip((pixels - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return Picture(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy(), "image")


def as_image(drawn: Any) -> np.ndarray:
    """An array (H, W, 1 or 3) of an array or tensor (H, W), (H, W, 3), (1, H, W) or (3, H, W)."""
    if drawn is None:
        raise TypeError("draw returned None; expected a matplotlib Figure or an image array (`return fig`).")
    array = np.asarray(drawn.detach().cpu() if hasattr(drawn, "detach") else drawn)
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3):
        array = array.transpose(1, 2, 0)
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[2] not in (1, 3) or array.dtype.kind not in "fiu":
        raise TypeError(
            f"draw returned {type(drawn).__name__} of shape {array.shape}; "
            "expected a matplotlib Figure or an image array (H, W) or (H, W, 3)."
        )
    return array if array.dtype == np.uint8 else array.astype(float)


def range_of(drawn: Sequence[Any]) -> tuple[float, float]:
    """(-1, 1) if any float image has a value below zero, else (0, 1)."""
    arrays = [as_image(d) for d in drawn if not isinstance(d, Figure)]
    return (-1.0, 1.0) if any(a.dtype != np.uint8 and a.min() < 0 for a in arrays) else (0.0, 1.0)


def pictures(
    draw: Callable[..., Any], controls: Sequence[Control]
) -> tuple[list[Picture], tuple[float, float], Layout | None]:
    """The picture of every state, in the order of `indices`, the range of floats, and the layout of figures.

    The axes of the first figure are laid out; those of the others lie where the first one's do, so that
    nothing but the content moves (and drawing takes half the time).

    Raises:
        ValueError: if the pictures differ in size or kind.
    """
    drawn, layout = [], None
    for index in indices(controls):
        result = draw(**keywords_at(controls, index))
        if isinstance(result, Figure):
            pixels = rasterize(result, layout=layout)
            layout = layout or [ax.get_position(original=True) for ax in result.axes]
            result = Picture(pixels, "figure")
        drawn.append(result)
    value_range = range_of([d for d in drawn if not isinstance(d, Picture)])
    found = [d if isinstance(d, Picture) else picture_of(d, value_range) for d in drawn]
    forms = {(p.kind, *p.pixels.shape[:2]) for p in found}
    if len(forms) > 1:
        listed = ", ".join(f"{kind} {h} x {w}" for kind, h, w in sorted(forms))
        raise ValueError(f"the pictures differ: {listed}; expected one size, so that nothing jumps.")
    return found, value_range, layout
