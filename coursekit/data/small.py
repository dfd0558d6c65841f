"""Small images, for models that must be trained in seconds."""

import torch
import torch.nn.functional as F
from torch import Tensor

from coursekit.data.glyph_set import RANGES, glyphs
from coursekit.data.sets import ImageSet
from coursekit.data.walk import generator


def digits(train: bool = True) -> ImageSet:
    """1,797 real handwritten digits, 8 x 8 pixels with 17 grey levels, strokes +1 on -1; no download.

    The set has no official split: a fixed shuffle puts 1,497 images into training and 300 into test.
    Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits (UCI), as in scikit-learn.

    Args:
        train: the training part, else the test part.
    """
    from sklearn.datasets import load_digits

    source = load_digits()
    images = torch.from_numpy(source.images).to(torch.uint8)[:, None]
    labels = torch.from_numpy(source.target).long()
    order = torch.randperm(len(images), generator=generator(0))
    rows = order[:-300] if train else order[-300:]
    return ImageSet(images[rows], labels[rows], levels=17, classes=tuple("0123456789"))


def small_glyphs(n: int = 20_000, train: bool = True, *, progress: bool = True) -> ImageSet:
    """Those of the first n digits of `glyphs` that stand upright, at half their size, 14 x 14 pixels.

    A pixel is the mean of four. Upright are those with |angle| < 0.08, about two thirds.

    Args:
        n: number of glyphs to choose from.
        train: the training part, else the test part.
        progress: show a bar if it takes more than a second.
    """
    return _halved(glyphs(n, train=train, progress=progress))


PLAIN = ("DejaVuSans", "DejaVuSerif", "STIXGeneral", "cmr10", "cmss10", "cmtt10")
"""Six upright fonts of normal weight, whose digits can be told apart."""

STYLED = ("weight", "slant")


def styled_glyphs(n: int = 12_000, train: bool = True, *, progress: bool = True) -> ImageSet:
    """As `small_glyphs`, in the six fonts of `PLAIN`, with class and style as one condition.

    The factor "style", (N, 12), holds the class as a one-hot row, then weight and slant, moved to [-1, 1].
    `font`, place and size stay open: many images answer one condition.

    Args:
        n: number of glyphs to choose from.
        train: the training part, else the test part.
        progress: show a bar if it takes more than a second.
    """
    chosen = _halved(glyphs(n, train=train, fonts=PLAIN, progress=progress))
    chosen.factors["style"] = style(chosen.labels, *(chosen.factors[name] for name in STYLED))
    return chosen


def style(labels: Tensor, weight: Tensor | float, slant: Tensor | float) -> Tensor:
    """The condition of `styled_glyphs`: labels (N,), weight and slant (N,) or one number -> (N, 12).

    weight runs from 0 to 1 and slant from -0.25 to 0.3, as in `render`.
    """
    columns = [F.one_hot(labels, 10).float()]
    for name, value in zip(STYLED, (weight, slant), strict=True):
        low, high = RANGES[name]
        value = torch.as_tensor(value, dtype=torch.float32, device=labels.device).expand(len(labels))
        columns.append((2 * (value - low) / (high - low) - 1)[:, None])
    return torch.cat(columns, 1)


def _halved(whole: ImageSet) -> ImageSet:
    """The upright ones at half their size."""
    upright = whole[whole.factors["angle"].abs() < 0.08]
    halved = F.avg_pool2d(upright.images.float(), 2).round().byte()
    return ImageSet(halved, upright.labels, upright.factors, classes=upright.classes)
