"""Colours and matplotlib settings of the book's figures; nothing changes before `theme` is called."""

import sys
from pathlib import Path

import matplotlib as mpl
from cycler import cycler
from matplotlib import font_manager
from matplotlib.colors import Colormap, LinearSegmentedColormap

FAMILY = {
    "data": "#2f3644",
    "ar": "#1d5bd8",
    "vae": "#a8122a",
    "gan": "#12a56b",
    "flows": "#8a2d96",
    "diffusion": "#cf7f12",
    "linear": "#8c92a6",
}
"""One colour a model family, told apart with each of the three kinds of colour blindness."""

INK, GREY, PALE = "#2f3644", "#6b7185", "#e6e8ee"
"""Text; axes and what stands behind the accent; grid lines and frames."""

CLASSES = (
    "#1d5bd8", "#cf7f12", "#12a56b", "#a8122a", "#8a2d96",
    "#6b4a2b", "#d46ab0", "#6f7687", "#8a9a12", "#16a3c4",
)  # fmt: skip
"""Colours of classes 0 to 9. Ten can't all be told apart by everyone, so name the classes in the plot too."""

OUTPUTS = ("svg", "retina")
FONT = "Coursekit Sans"

_RC = {
    "figure.figsize": (6.4, 3.6),
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.family": [FONT, "DejaVu Sans"],
    "font.size": 10.5,
    "mathtext.fontset": "cm",
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0,
    "legend.frameon": False,
    "image.interpolation": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "coursekit",
}


def theme(output: str = "svg") -> None:
    """Set matplotlib's rcParams, and in a notebook the format of inline figures.

    Args:
        output: "svg", sharp at any size and light for lines; or "retina", a PNG of twice the resolution,
            lighter for figures with thousands of marks.

    Raises:
        ValueError: for another output.
    """
    if output not in OUTPUTS:
        raise ValueError(f"output is {output!r}; expected one of {', '.join(map(repr, OUTPUTS))}.")
    for path in sorted((Path(__file__).parent / "fonts").glob("*.ttf")):
        font_manager.fontManager.addfont(path)
    families = [color for name, color in FAMILY.items() if name != "data"]
    mpl.rcParams.update(_RC)
    mpl.rcParams["axes.prop_cycle"] = cycler(color=families)
    mpl.rcParams["figure.dpi"] = 144 if output == "svg" else 96
    _set_inline_format(output)


def _set_inline_format(output: str) -> None:
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    stable = {"metadata": {"Date": None}} if output == "svg" else {}
    set_matplotlib_formats(output, **stable)


def color_of(name: str) -> str:
    """The colour of a family, or the colour itself when `name` is not a family's name."""
    return FAMILY.get(name, name)


def tint(color: str) -> Colormap:
    """A colour map from white to `color`, a family's name or any colour; for densities and counts."""
    return LinearSegmentedColormap.from_list(f"tint-{color}", ["white", color_of(color)])
