"""The figure with ipywidgets (7.7 or 8): every move calls `draw` again, for exact values."""

import html
import io
from collections.abc import Callable
from typing import Any

import ipywidgets
import numpy as np
from PIL import Image

from coursekit.widgets.controls import Choice, Control, Plane, pretty
from coursekit.widgets.states import Picture, picture_of
from coursekit.widgets.twin import Figure

STEPS = 100
WIDE = {"description_width": "initial"}


def png(picture: Picture, width: int) -> bytes:
    """The picture as PNG; an image with fewer pixels than `width` is enlarged by whole pixels."""
    times = max(1, width // picture.pixels.shape[1]) if picture.kind == "image" else 1
    file = io.BytesIO()
    Image.fromarray(np.kron(picture.pixels, np.ones((times, times, 1), np.uint8))).save(file, "PNG")
    return file.getvalue()


def inputs_of(control: Control) -> list[Any]:
    """The ipywidgets of one control."""
    axes = control.axes
    if isinstance(control, Plane):
        sides = zip(axes, (control.x, control.y), control.start, strict=True)
        return [
            ipywidgets.FloatSlider(
                value=values[i],
                min=values[0],
                max=values[-1],
                step=(values[-1] - values[0]) / STEPS,
                description=axis.label,
                style=WIDE,
            )
            for axis, values, i in sides
        ]
    options = list(zip(axes[0].texts, range(len(axes[0].texts)), strict=True))
    words = {"options": options, "value": axes[0].start, "description": pretty(axes[0].label)}
    if isinstance(control, Choice):
        # Not a list to drop down or radio buttons: JupyterLab takes the arrow keys for its cells.
        return [ipywidgets.ToggleButtons(**words, style=WIDE | {"button_width": "auto"})]
    return [ipywidgets.SelectionSlider(**words, style=WIDE)]


def keywords_of(controls: tuple[Control, ...], inputs: list[list[Any]]) -> dict[str, Any]:
    """What `draw` receives for the inputs as they stand."""
    return {
        control.name: tuple(i.value for i in group)
        if isinstance(control, Plane)
        else control.value(group[0].value)
        for control, group in zip(controls, inputs, strict=True)
    }


def panel(
    figure: Figure,
    draw: Callable[..., Any],
    controls: tuple[Control, ...],
    caption: Callable[..., str] | None = None,
) -> Any:
    """A box of title, picture, caption, inputs and a place for errors of `draw`."""
    inputs = [inputs_of(control) for control in controls]
    first = png(figure.pictures[figure.start], figure.width)
    image = ipywidgets.Image(value=first, format="png", width=figure.width)
    image.layout.max_width = "100%"
    words = ipywidgets.Label(figure.captions[figure.start] if caption else "")
    errors = ipywidgets.Output()

    def update(_: Any) -> None:
        errors.clear_output()
        with errors:
            now = keywords_of(controls, inputs)
            image.value = png(picture_of(draw(**now), figure.value_range, figure.layout), figure.width)
            words.value = caption(**now) if caption else ""

    flat = [widget for group in inputs for widget in group]
    for widget in flat:
        widget.layout.width = "min(100%, 26rem)"
        widget.observe(update, names="value")
    title = ipywidgets.HTML(f"<b>{html.escape(figure.title)}</b>")
    return ipywidgets.VBox([title, image, words, *flat, errors])
