"""The look: colours that everyone can tell apart, settings that are set only on request."""

import io
import itertools
import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from coursekit import plots

SIGHT = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Linear RGB as seen, by Machado, Oliveira and Fernandes (2009), at full severity."""

XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(color: str) -> np.ndarray:
    c = np.array(mpl.colors.to_rgb(color))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    x = XYZ @ rgb / np.array([0.95047, 1, 1.08883])
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast_with_white(color: str) -> float:
    return 1.05 / (linear(color) @ XYZ[1] + 0.05)


@pytest.mark.parametrize("sight", SIGHT)
def test_families_are_told_apart_with_every_kind_of_sight(sight):
    """In CIELAB a distance of about 2 is just seen; 20 is plain at the width of a line."""
    seen = [lab(np.clip(np.array(SIGHT[sight]) @ linear(color), 0, 1)) for color in plots.FAMILY.values()]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 20


def test_colours_stand_out_from_white():
    """WCAG asks for 3:1 for graphics and 4.5:1 for text."""
    assert min(map(contrast_with_white, plots.FAMILY.values())) >= 3
    assert min(map(contrast_with_white, (plots.INK, plots.GREY))) >= 4.5


def test_import_changes_no_setting():
    """A library that restyles its user's own plots on import is not wanted."""
    code = (
        "import matplotlib as mpl; before = dict(mpl.rcParams); import coursekit.plots; "
        "assert dict(mpl.rcParams) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_theme_draws_with_the_font_it_brings(caplog):
    """The same letters on every machine, Latin, Greek and bold, without a search that fails."""
    plots.theme()
    fig, ax = plt.subplots()
    ax.set_title("a bold title of σ and β")
    fig.canvas.draw()
    assert "coursekit" in mpl.font_manager.findfont(ax.title.get_fontproperties())
    assert caplog.records == []


def test_the_same_figure_is_the_same_svg():
    """The notebook cache and diffs of pages rest on it."""

    def svg() -> bytes:
        plots.theme()
        fig, ax = plt.subplots()
        ax.plot([0, 1], [1, 3])
        ax.fill_between([0, 1], [1, 3], alpha=0.2)
        file = io.BytesIO()
        fig.savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue()

    assert svg() == svg()


def test_theme_names_a_wrong_output():
    """The error says what would have been right."""
    with pytest.raises(ValueError, match=r"'pdf'; expected one of 'svg', 'retina'"):
        plots.theme("pdf")
