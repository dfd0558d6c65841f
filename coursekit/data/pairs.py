"""Images in pairs, a source and its target; and two kinds of images without pairs."""

from collections.abc import Callable
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.data.glyph_set import glyphs
from coursekit.data.pen import COLOURS, FONTS
from coursekit.data.sets import ImageSet, Index
from coursekit.data.walk import generator

PERIOD, SHADOW = 4, 2
"""Pixels from one line of the hatching to the next, and from a glyph to its shadow."""

INKS = ("red", "blue")
"""Of the digits that are to become grey: their brightest channels are equally bright."""

SERIF = ("DejaVuSerif", "STIXGeneral", "cmr", "cmb")
SANS = ("DejaVuSans", "cmss")
"""How the names of fonts with serifs begin, and of fonts without."""


class PairedSet:
    """Targets x with their sources c: every batch is (x, c), row by row of one pair.

    Args:
        target: the images to be made, with labels and factors.
        source: the images they are made from, as many.
    """

    def __init__(self, target: ImageSet, source: ImageSet):
        if len(target) != len(source):
            raise ValueError(f"{len(target)} targets and {len(source)} sources; expected as many")
        self.target, self.source = target, source

    def __len__(self) -> int:
        return len(self.target)

    def __repr__(self) -> str:
        return f"PairedSet({len(self)} pairs {self.source.shape} -> {self.shape})"

    def __getitem__(self, index: Index) -> "PairedSet":
        """The subset at a mask (N,), at indices, or at a slice."""
        return PairedSet(self.target[index], self.source[index])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape (C, H, W) of one target."""
        return self.target.shape

    @property
    def x(self) -> Tensor:
        """All targets, floats in [-1, 1], (N, C, H, W)."""
        return self.target.x

    @property
    def c(self) -> Tensor:
        """All sources, floats in [-1, 1], (N, K, H, W)."""
        return self.source.x

    @property
    def y(self) -> Tensor | None:
        """All labels, long (N,), or None."""
        return self.target.y

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        """Batch number `step`: x (size, C, H, W) and c (size, K, H, W); sets of one length walk alike."""
        return self.target.batch(step, size, seed)[0], self.source.batch(step, size, seed)[0]

    def to(self, device: torch.device | str) -> Self:
        """The same set on another device."""
        return type(self)(self.target.to(device), self.source.to(device))


class UnpairedSet:
    """Two kinds of images, a and b: every batch is ((a, b), None), and no row of a belongs to one of b.

    Args:
        a, b: the two sets.
    """

    def __init__(self, a: ImageSet, b: ImageSet):
        self.a, self.b = a, b

    def __len__(self) -> int:
        return min(len(self.a), len(self.b))

    def __repr__(self) -> str:
        return f"UnpairedSet({self.a!r}, {self.b!r})"

    @property
    def shapes(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Shapes (C, H, W) of an image of each kind."""
        return self.a.shape, self.b.shape

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[tuple[Tensor, Tensor], None]:
        """Batch number `step`: a (size, C, H, W) and b (size, C', H, W), by walks of their own."""
        return (self.a.batch(step, size, 2 * seed)[0], self.b.batch(step, size, 2 * seed + 1)[0]), None

    def to(self, device: torch.device | str) -> Self:
        """The same set on another device."""
        return type(self)(self.a.to(device), self.b.to(device))


def outline(x: Tensor) -> Tensor:
    """The line around what is bright, one pixel wide: images (B, C, H, W) in [-1, 1] -> the same.

    The largest value among a pixel and its neighbours, less the pixel's own.
    """
    return F.max_pool2d(x, 3, 1, 1) - x - 1


def outlines(n: int = 20_000, train: bool = True, *, progress: bool = True) -> PairedSet:
    """From the outline of a glyph to the glyph, filled with diagonal hatching.

    Where the lines of the hatching lie the outline does not tell: their phase is drawn evenly for each glyph
    (factor "phase", in parts of a period). Within a stroke the brightness is 0.3 to 1 of the ink's, as
    0.65 + 0.35 cos 2 pi ((row + column) / 4 + phase). Only the bold half of `glyphs`, whose weight is above
    1/2, so that there is something to fill.

    Args:
        n: number of glyphs to choose from; another n, other phases.
        train: the training part, else the test part.
        progress: show a bar if it takes more than a second.
    """
    whole = glyphs(n, train=train, progress=progress)
    bold = whole[whole.factors["weight"] > 0.5]
    phase = torch.rand(len(bold), generator=generator(n, int(train)))
    place = torch.arange(28)
    turns = (place[:, None] + place) / PERIOD + phase[:, None, None]  # (N, 28, 28)
    share = 0.65 + 0.35 * torch.cos(2 * torch.pi * turns)[:, None]
    filled = (bold.images * share).round().byte()
    target = ImageSet(filled, bold.labels, bold.factors | {"phase": phase}, classes=bold.classes)
    return PairedSet(target, _like(bold, outline(bold.x)))


def hatching(x: Tensor) -> Tensor:
    """Depth of the hatching, (B, 1, H, W) in [-1, 1] -> (B,): 0 where strokes are even, 0.35 / 0.65 as drawn.
    Where there is no ink it is 0.

    Twice the size of sum_ij w_ij exp(2 pi i (row + column) / 4), over sum_ij w_ij; w = (x + 1) / 2 is ink.
    """
    ink, place = (x[:, 0] + 1) / 2, torch.arange(x.shape[-1], device=x.device)
    turn = 2 * torch.pi * (place[:, None] + place) / PERIOD
    wave = torch.stack([(ink * f(turn)).sum((1, 2)) for f in (torch.cos, torch.sin)])
    return 2 * wave.norm(dim=0) / ink.sum((1, 2)).clamp(min=1e-6)


def thickness(x: Tensor) -> Tensor:
    """Ink for each pixel of outline, (B, C, H, W) in [-1, 1] -> (B,): more for bolder strokes."""
    return (x + 1).sum((1, 2, 3)) / (outline(x) + 1).sum((1, 2, 3)).clamp(min=1e-6)


def colour_of(x: Tensor) -> Tensor:
    """Which of COLOURS strokes have, (B, 3, H, W) in [-1, 1] -> (B,): the nearest in direction.

    Of each image the pixels are added up, as amounts of red, green and blue, and compared by the cosine.
    """
    palette = torch.tensor(list(COLOURS.values()), dtype=x.dtype, device=x.device)
    return (F.normalize((x + 1).sum((2, 3)), dim=1) @ F.normalize(palette, dim=1).T).argmax(1)


def label_maps(n: int = 20_000, train: bool = True, *, progress: bool = True) -> PairedSet:
    """From a map of labels, ground, shadow and ink, to a picture in colour of a glyph with its shadow.

    A map has one channel a label, +1 where it holds and -1 elsewhere. The picture's ink has one of `COLOURS`,
    which the map does not tell (factor "colour"), and gets darker towards the bottom; its ground is blue.

    Args:
        n, train, progress: as for `glyphs`; another n, other colours.
    """
    whole = glyphs(n, train=train, progress=progress)
    ink = whole.images > 127
    shadow = F.pad(ink, (SHADOW, 0, SHADOW, 0))[..., :-SHADOW, :-SHADOW] & ~ink
    maps = torch.cat([~(ink | shadow), shadow, ink], 1)  # (N, 3, 28, 28)
    colour = torch.randint(len(COLOURS), (len(whole),), generator=generator(n, int(train)))
    light = torch.linspace(1, 0.6, 28)[:, None]
    strokes = torch.tensor(list(COLOURS.values()))[colour][:, :, None, None] * light  # (N, 3, 28, 28)
    ground, dark = (torch.tensor(rgb)[:, None, None].float() for rgb in ((32, 44, 84), (8, 10, 20)))
    picture = torch.where(ink, strokes, torch.where(shadow, dark, ground)).round().byte()
    target = ImageSet(picture, whole.labels, whole.factors | {"colour": colour}, classes=whole.classes)
    return PairedSet(target, ImageSet(255 * maps.byte(), whole.labels, whole.factors, classes=whole.classes))


def domains(
    kind: str = "weight", n: int = 20_000, train: bool = True, *, progress: bool = True
) -> UnpairedSet:
    """Two kinds of glyphs, all labelled, and no pairs.

    "weight": thin ones (weight below 1/4) and bold ones (above 3/4), in colour, of fonts that are not bold.
    "serif": from fonts with serifs and from fonts without. "colour": red and blue ones, with three channels,
    and grey ones, with one.

    Args:
        kind: "weight", "serif" or "colour".
        n, train, progress: as for `glyphs`; n is how many there are to choose from.

    Raises:
        ValueError: another kind.
    """
    if kind not in ("weight", "serif", "colour"):
        raise ValueError(f"kind must be 'weight', 'serif' or 'colour', got {kind!r}")
    if kind == "colour":
        grey, rgb = (glyphs(n, train=train, rgb=rgb, progress=progress) for rgb in (False, True))
        chosen = torch.isin(rgb.factors["colour"], torch.tensor([list(COLOURS).index(name) for name in INKS]))
        chosen[n // 2 :] = False
        return UnpairedSet(rgb[chosen], grey[n // 2 :])
    whole = glyphs(n, train=train, rgb=kind == "weight", progress=progress)
    if kind == "weight":
        weight, light = whole.factors["weight"], ~_fonts(lambda name: "Bol" in name or "cmb" in name, whole)
        return UnpairedSet(whole[light & (weight < 0.25)], whole[light & (weight > 0.75)])
    serif = _fonts(lambda name: name.startswith(SERIF), whole)
    sans = _fonts(lambda name: name.startswith(SANS), whole)
    return UnpairedSet(whole[serif], whole[sans])


def _fonts(chosen: Callable[[str], bool], images: ImageSet) -> Tensor:
    """Which images are of a font with such a name, bool (N,)."""
    return torch.tensor([chosen(name) for name in FONTS])[images.factors["font"]]


def _like(images: ImageSet, x: Tensor) -> ImageSet:
    """Other images x in [-1, 1] with the labels and factors of a set."""
    levels = ((x + 1) * 127.5).round().clamp(0, 255).byte()
    return ImageSet(levels, images.labels, images.factors, classes=images.classes)
