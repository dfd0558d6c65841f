"""The figure as one self-contained piece of HTML: style, pictures, controls, and a script that joins them."""

import functools
import json
from dataclasses import dataclass
from html import escape
from importlib.resources import files

import numpy as np
from matplotlib.figure import Figure as Canvas

from coursekit.widgets import sprites
from coursekit.widgets.controls import Axis, Choice, Control, Plane, Slider
from coursekit.widgets.states import DPI, Layout, Picture, axes_of, rasterize

ENLARGED = 128
ENLARGED_TO = 320
PAD_INCHES = 4.0
MAX_SEGMENTS, MAX_SEGMENT_TEXT = 6, 44


@dataclass(frozen=True)
class Figure:
    """What the twin shows.

    Attributes:
        title: above the picture.
        alt: what is to be seen.
        controls: in order.
        pictures: one a state, the last axis running fastest.
        captions: one a state, or none.
        value_range: (black, white) of float images.
        layout: where the axes of each picture lie; None for images.
        color: the accent, "#rrggbb".
    """

    title: str
    alt: str
    controls: tuple[Control, ...]
    pictures: tuple[Picture, ...]
    captions: tuple[str, ...]
    value_range: tuple[float, float]
    layout: Layout | None
    color: str

    @property
    def start(self) -> int:
        """The number of the first state."""
        axes = axes_of(self.controls)
        return int(np.ravel_multi_index([a.start for a in axes], [len(a.texts) for a in axes]))

    @property
    def width(self) -> int:
        """Width of the picture in CSS pixels, where there is room for it."""
        h, w = self.pictures[0].pixels.shape[:2]
        if self.pictures[0].kind == "figure":
            return round(w * 96 / DPI)
        return round(w * ENLARGED_TO / max(h, w)) if self.enlarged else w

    @property
    def enlarged(self) -> bool:
        """Whether single pixels are to be seen."""
        return self.pictures[0].kind == "image" and max(self.pictures[0].pixels.shape[:2]) <= ENLARGED


@functools.cache
def asset(name: str) -> str:
    """A file of `assets`, without the spaces that only its authors need."""
    lines = (files("coursekit.widgets") / "assets" / name).read_text(encoding="utf-8").splitlines()
    return "\n".join(line.strip() for line in lines if line.strip() and not line.strip().startswith("//"))


def script_json(data: object) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def render(figure: Figure) -> str:
    """The whole figure; the same figure gives the same text."""
    packed = sprites.pack([picture.pixels for picture in figure.pictures])
    plane = next((control for control in figure.controls if isinstance(control, Plane)), None)
    data = {
        "alt": figure.alt,
        "axes": [{"label": axis.label, "texts": axis.texts} for axis in axes_of(figure.controls)],
        "captions": figure.captions,
        "columns": packed.columns,
        "perSheet": packed.per_sheet,
        "size": packed.size,
        "tiles": packed.tile_of,
        "ground": plane is not None and plane.background == "tiles",
        "sheets": [f"data:image/webp;base64,{sheet}" for sheet in packed.sheets],
    }
    title, color = escape(figure.title), escape(figure.color)
    return (
        f'<div class="ck-figure" role="group" aria-label="{title}" style="--ck-accent:{color}">'
        f"<style>{asset('twin.css')}</style>"
        f'<p class="ck-title">{title}</p>'
        f'<div class="ck-stage">{_pad(figure, plane) if plane else ""}{_picture(figure)}</div>'
        f"{_caption(figure)}"
        f'<div class="ck-controls">{_controls(figure)}</div>'
        f'<p class="ck-said" role="status"></p>'
        f'<script type="application/json">{script_json(data)}</script>'
        f"<script>{asset('twin.js')}</script>"
        "</div>"
    )


def _picture(figure: Figure) -> str:
    pixels = figure.pictures[figure.start].pixels
    h, w = pixels.shape[:2]
    source = sprites.text_of(sprites.webp(pixels))
    kind = "ck-picture ck-enlarged" if figure.enlarged else "ck-picture"
    return (
        f'<div class="{kind}" style="width:{figure.width}px;aspect-ratio:{w}/{h}">'
        f'<img alt="{escape(figure.alt)}" width="{w}" height="{h}" loading="lazy" '
        f'src="data:image/webp;base64,{source}">'
        f'<canvas width="{w}" height="{h}" role="img" hidden></canvas></div>'
    )


def _caption(figure: Figure) -> str:
    return f'<p class="ck-caption">{escape(figure.captions[figure.start])}</p>' if figure.captions else ""


def _controls(figure: Figure) -> str:
    rows, k = [], 0
    for control in figure.controls:
        if isinstance(control, Slider):
            rows.append(_slider(control, control.axes[0], k))
        elif isinstance(control, Choice):
            rows.append(_choice(control.axes[0], k))
        else:
            rows.append(_readout(control.axes, k))
        k += len(control.axes)
    return "".join(rows)


def _range(axis: Axis, k: int, more: str = "") -> str:
    return (
        f'<input type="range" min="0" max="{len(axis.texts) - 1}" value="{axis.start}" data-axis="{k}" '
        f'aria-label="{escape(axis.label)}" aria-valuetext="{escape(axis.texts[axis.start])}"{more}>'
    )


def _value(axis: Axis, k: int) -> str:
    width = max(len(text) for text in axis.texts)
    now = escape(axis.texts[axis.start])
    return f'<b class="ck-value" data-value="{k}" style="min-width:{width}ch">{now}</b>'


def _label(axis: Axis) -> str:
    return f'<span class="ck-label">{escape(axis.label)}</span>'


def _slider(slider: Slider, axis: Axis, k: int) -> str:
    label = escape(axis.label)
    play = f'<button type="button" class="ck-play" data-play="{k}" aria-label="Play {label}"></button>'
    return (
        f'<div class="ck-row">{_label(axis)}'
        f'<span class="ck-slide">{play if slider.play else ""}{_range(axis, k)}</span>{_value(axis, k)}</div>'
    )


def _choice(axis: Axis, k: int) -> str:
    label = escape(axis.label)
    if len(axis.texts) <= MAX_SEGMENTS and sum(map(len, axis.texts)) <= MAX_SEGMENT_TEXT:
        segments = "".join(
            f'<label><input type="radio" value="{i}" data-axis="{k}"{" checked" if i == axis.start else ""}>'
            f"<span>{escape(text)}</span></label>"
            for i, text in enumerate(axis.texts)
        )
        group = f'<span class="ck-segments" role="radiogroup" aria-label="{label}">{segments}</span>'
        return f'<div class="ck-row">{_label(axis)}{group}</div>'
    options = "".join(
        f'<option value="{i}"{" selected" if i == axis.start else ""}>{escape(text)}</option>'
        for i, text in enumerate(axis.texts)
    )
    select = f'<select data-axis="{k}" aria-label="{label}">{options}</select>'
    return f'<div class="ck-row">{_label(axis)}{select}</div>'


def _readout(axes: tuple[Axis, ...], k: int) -> str:
    values = "".join(
        f'<span class="ck-coordinate">{_label(axis)}{_value(axis, k + i)}</span>'
        for i, axis in enumerate(axes)
    )
    hint = '<span class="ck-hint">Move over the plane, drag, or use the arrow keys.</span>'
    return f'<div class="ck-row ck-coordinates">{values}{hint}</div>'


def _pad(figure: Figure, plane: Plane) -> str:
    k = len(axes_of(figure.controls[: figure.controls.index(plane)]))
    x, y = plane.axes
    style = f"--ck-nx:{len(x.texts)};--ck-ny:{len(y.texts)}"
    two = ' aria-roledescription="two-dimensional slider"'
    edges = (
        f'<span class="ck-edge ck-edge-y" aria-hidden="true"><i>{y.texts[-1]}</i><b>{escape(y.label)}</b>'
        f"<i>{y.texts[0]}</i></span>"
        f'<span class="ck-edge ck-edge-x" aria-hidden="true"><i>{x.texts[0]}</i><b>{escape(x.label)}</b>'
        f"<i>{x.texts[-1]}</i></span>"
    )
    return (
        f'<div class="ck-plane"><div class="ck-pad" data-plane="{k}" style="{style}">{_ground(plane)}'
        f"{_range(x, k, two)}{_range(y, k + 1, two + ' tabindex=-1')}"
        f'<span class="ck-dot"></span></div>{edges}</div>'
    )


def _ground(plane: Plane) -> str:
    if plane.background == "tiles":
        return "<canvas></canvas>"
    if plane.background is None:
        return ""
    canvas = Canvas(figsize=(PAD_INCHES, PAD_INCHES), layout="none")
    ax = canvas.add_axes((0, 0, 1, 1))
    plane.background(ax)
    ax.set(xlim=plane.extent[:2], ylim=plane.extent[2:], aspect="auto")
    ax.set_axis_off()
    source = sprites.text_of(sprites.webp(rasterize(canvas, close=False)))
    return f'<img alt="" loading="lazy" src="data:image/webp;base64,{source}">'
