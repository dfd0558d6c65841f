"""Draws one character from the fonts that ship inside matplotlib, without pyplot and without global state."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.path import Path as Outline

FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmmi10", "cmtt10"),
)
"""The 21 fonts with digits and letters that every matplotlib since 3.9 brings along."""

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

COLOURS = {
    "red": (255, 64, 64),
    "orange": (255, 144, 32),
    "yellow": (255, 232, 64),
    "green": (64, 216, 80),
    "cyan": (64, 224, 232),
    "blue": (80, 120, 255),
    "magenta": (240, 80, 232),
    "white": (255, 255, 255),
}
"""Colours of the strokes, by name, as red, green and blue in 0 .. 255."""

HEIGHT, WIDEST, HEAVIEST = 0.66, 0.64, 0.06
"""Height of a digit, greatest width of a letter, extra stroke at weight 1: parts of the image's side."""


@dataclass(frozen=True)
class Pose:
    """How a glyph is drawn; lengths are parts of the image's side.

    Args:
        weight: extra stroke around the font's own outline, 0 (none) .. 1.
        slant: shear to the right, length for each unit of height; the font's own slant comes on top.
        x, y: where the centre lies, to the right of and above the image's centre.
        scale: 1 makes a digit 0.66 high.
        angle: turn, in radians, counter-clockwise.
    """

    weight: float = 0.0
    slant: float = 0.0
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    angle: float = 0.0

    def __post_init__(self) -> None:
        finite = math.isfinite(self.slant + self.x + self.y + self.scale + self.angle)
        if not (finite and 0 <= self.weight <= 1 and self.scale > 0):
            raise ValueError(f"{self}: expected weight in 0 .. 1, scale > 0 and finite numbers.")

    def to_pixels(self, size: int) -> np.ndarray:
        """The affine map (3, 3) from an outline around 0 to the pixels of an image of that side, y upward."""
        cos, sin = self.scale * math.cos(self.angle), self.scale * math.sin(self.angle)
        rows = [
            [cos, cos * self.slant - sin, 0.5 + self.x],
            [sin, sin * self.slant + cos, 0.5 + self.y],
            [0.0, 0.0, 1 / size],
        ]
        return size * np.array(rows)


@cache
def _glyph(font: str, character: str) -> "Outline":
    """A glyph's outline, 100 units to the em."""
    import matplotlib
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    file = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")
    if not file.exists():
        raise FileNotFoundError(
            f"{file} is missing from matplotlib {matplotlib.__version__}: reinstall matplotlib."
        )
    return TextPath((0, 0), character, size=100, prop=FontProperties(fname=file))


@cache
def _outline(font: str, character: str) -> "Outline":
    """A glyph around the middle of its box, in parts of the image's side: a digit is HEIGHT high."""
    from matplotlib.path import Path as Outline

    glyph = _glyph(font, character)
    box, zero = glyph.get_extents(), _glyph(font, "0").get_extents()
    unit = min(HEIGHT / zero.height, WIDEST / box.width, 1.1 * HEIGHT / box.height)
    return Outline(unit * (glyph.vertices - (box.min + box.max) / 2), glyph.codes)


class Pen:
    """Draws glyphs into square images, through matplotlib's Agg rasterizer.

    Args:
        size: side of the images in pixels, 4 .. 1024.
    """

    def __init__(self, size: int):
        from matplotlib.backends.backend_agg import RendererAgg
        from matplotlib.transforms import Affine2D

        if not 4 <= size <= 1024:
            raise ValueError(f"size: expected 4 .. 1024 pixels, got {size}.")
        self.size = size
        self._renderer = RendererAgg(size, size, 72)
        self._affine = Affine2D
        self._style = self._renderer.new_gc()
        self._style.set_snap(False)
        self._style.set_joinstyle("round")

    def draw(self, character: str, font: str, pose: Pose) -> np.ndarray:
        """How much of each pixel the glyph covers, uint8 (size, size), first row on top."""
        to_pixels = self._affine(pose.to_pixels(self.size))
        self._style.set_linewidth(HEAVIEST * self.size * pose.weight)
        self._renderer.clear()
        self._renderer.draw_path(self._style, _outline(font, character), to_pixels, (0.0, 0.0, 0.0))
        return np.array(self._renderer.buffer_rgba())[..., 3]


def check_font(font: str) -> None:
    """Raises ValueError unless `font` is one of FONTS."""
    if font not in FONTS:
        raise ValueError(f"font: {font!r} is none of {', '.join(FONTS)}.")


def paint(coverage: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Strokes of a colour (..., C), 0 .. 255, on black: (..., H, W) -> uint8 (..., C, H, W)."""
    levels = coverage[..., None, :, :].astype(np.uint16) * colour[..., :, None, None].astype(np.uint16)
    return ((levels + 127) // 255).astype(np.uint8)


def render(
    character: str,
    font: str = "DejaVuSans",
    *,
    weight: float = 0.0,
    slant: float = 0.0,
    x: float = 0.0,
    y: float = 0.0,
    scale: float = 1.0,
    angle: float = 0.0,
    colour: str | None = None,
    size: int = 28,
) -> Tensor:
    """One glyph with the given factors and no noise: floats in [-1, 1], strokes +1 on -1.

    Args:
        character: a digit or a letter A-Z, a-z.
        font: one of FONTS.
        weight, slant, x, y, scale, angle: see `Pose`.
        colour: a name in COLOURS gives (3, size, size), None gives (1, size, size).
        size: side of the image in pixels, 4 .. 1024.

    Raises:
        ValueError: an argument is none of the above.
    """
    if len(character) != 1 or character not in DIGITS + LETTERS:
        raise ValueError(f"character: expected one of {DIGITS + LETTERS}, got {character!r}.")
    check_font(font)
    if colour is not None and colour not in COLOURS:
        raise ValueError(f"colour: {colour!r} is none of {', '.join(COLOURS)}.")
    coverage = Pen(size).draw(character, font, Pose(weight, slant, x, y, scale, angle))
    image = paint(coverage, np.array(COLOURS[colour] if colour else (255,)))
    return torch.from_numpy(image).float().mul_(2 / 255).sub_(1)
