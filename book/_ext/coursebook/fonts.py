"""The serif of the book with what the book uses of it: fewer weights, and no letters for special settings.

They are a third smaller, are made once, and are kept beside the Python environment.
"""

import logging
import tempfile
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from coursebook import assets

WEIGHTS = (400, 700)
FEATURES = ["kern", "liga", "mark", "mkmk", "ccmp", "locl", "calt", "rlig"]
"""Of OpenType: what every text needs. Small capitals and old figures would bring letters of their own."""

logging.getLogger("fontTools").setLevel(logging.WARNING)


def ensure() -> Path:
    """The folder that holds `fonts/*.woff2`, made unless it is there already."""
    source = assets.ensure(assets.TOOLS) / "fonts"
    target = source.parent.with_name(source.parent.name + "-slim")
    if not target.is_dir():
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder) / "made" / "fonts"
            made.mkdir(parents=True)
            for path in sorted(source.glob("*.woff2")):
                slim(path, made / path.name)
            made.parent.rename(target)
    return target


def slim(path: Path, target: Path) -> None:
    """Write the font at `path` with the features and the weights above."""
    font = TTFont(path)
    subsetter = Subsetter(Options(layout_features=FEATURES))
    subsetter.populate(unicodes=font.getBestCmap())
    subsetter.subset(font)
    font = instantiateVariableFont(font, {"wght": WEIGHTS})
    font.flavor = "woff2"
    font.save(target)
