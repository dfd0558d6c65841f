"""Figures with one look: `theme()` once a notebook, then these functions or matplotlib itself."""

from coursekit.plots.lines import curves, label_line, reference, smooth
from coursekit.plots.pictures import images, mosaic, strips
from coursekit.plots.planes import density, latent, plane, scatter
from coursekit.plots.style import CLASSES, FAMILY, GREY, INK, PALE, color_of, theme, tint

__all__ = [
    "CLASSES",
    "FAMILY",
    "GREY",
    "INK",
    "PALE",
    "color_of",
    "curves",
    "density",
    "images",
    "label_line",
    "latent",
    "mosaic",
    "plane",
    "reference",
    "scatter",
    "smooth",
    "strips",
    "theme",
    "tint",
]
