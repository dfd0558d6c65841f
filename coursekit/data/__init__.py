"""Data: toy densities, digits, glyphs, real image sets and text, each with `batch(step, size, seed)`.

Nothing here needs a network but the real image sets, and those say so.
"""

from coursekit.data import text
from coursekit.data.archives import celeba, omniglot
from coursekit.data.binarized import binarized_mnist
from coursekit.data.glyph_set import glyphs
from coursekit.data.pairs import (
    PairedSet,
    UnpairedSet,
    colour_of,
    domains,
    hatching,
    label_maps,
    outline,
    outlines,
    thickness,
)
from coursekit.data.pen import COLOURS, FONTS, render
from coursekit.data.sets import BinarySet, DiscreteSet, ImageSet, TensorSet
from coursekit.data.small import digits, small_glyphs, style, styled_glyphs
from coursekit.data.toys import (
    Checkerboard,
    EightGaussians,
    GaussianGrid,
    GaussianMixture,
    Pinwheel,
    Rings,
    SCurve,
    Spirals,
    SwissRoll,
    TwoMoons,
)
from coursekit.data.vision import cifar10, fashion_mnist, mnist
from coursekit.data.vocabulary import Bytes, Characters, Vocabulary

__all__ = [
    "COLOURS",
    "FONTS",
    "BinarySet",
    "Bytes",
    "Characters",
    "Checkerboard",
    "DiscreteSet",
    "EightGaussians",
    "GaussianGrid",
    "GaussianMixture",
    "ImageSet",
    "PairedSet",
    "Pinwheel",
    "Rings",
    "SCurve",
    "Spirals",
    "SwissRoll",
    "TensorSet",
    "TwoMoons",
    "UnpairedSet",
    "Vocabulary",
    "binarized_mnist",
    "celeba",
    "cifar10",
    "colour_of",
    "digits",
    "domains",
    "fashion_mnist",
    "glyphs",
    "hatching",
    "label_maps",
    "mnist",
    "omniglot",
    "outline",
    "outlines",
    "render",
    "small_glyphs",
    "style",
    "styled_glyphs",
    "text",
    "thickness",
]
