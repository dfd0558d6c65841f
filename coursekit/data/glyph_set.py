"""An endless, exactly labelled set of digits and letters, drawn on this computer: no download."""

import hashlib
import io
import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from coursekit.data.folders import cache_folder, read_sealed, write_sealed
from coursekit.data.pen import COLOURS, DIGITS, FONTS, LETTERS, Pen, Pose, check_font, paint
from coursekit.data.sets import ImageSet

FORMAT = 1
"""To be raised whenever the same arguments would give other images."""

RANGES = {
    "weight": (0.0, 1.0),
    "slant": (-0.25, 0.3),
    "x": (-0.07, 0.07),
    "y": (-0.07, 0.07),
    "scale": (0.85, 1.15),
    "angle": (-0.12, 0.12),
}
"""What the factors are drawn from, evenly; units as in `Pose`."""


@dataclass(frozen=True)
class _Request:
    """The arguments of `glyphs` that decide what the images are."""

    n: int
    size: int
    train: bool
    letters: bool
    rgb: bool
    seed: int
    noise: float
    fonts: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.n < 1 or self.seed < 0:
            raise ValueError(f"expected n >= 1 and seed >= 0, got n={self.n}, seed={self.seed}.")
        if not 0 <= self.noise <= 1:
            raise ValueError(f"noise: expected a standard deviation in 0 .. 1, got {self.noise}.")
        if not self.fonts:
            raise ValueError("fonts: expected at least one name.")
        for font in self.fonts:
            check_font(font)

    @property
    def classes(self) -> str:
        return DIGITS + LETTERS if self.letters else DIGITS

    def file(self) -> Path:
        import matplotlib

        key = json.dumps([FORMAT, matplotlib.__version__, np.__version__, asdict(self)])
        return cache_folder() / "glyphs" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.sealed"

    def stream(self, purpose: int) -> np.random.Generator:
        """Numbers for this split, seed and purpose alone; image i takes the i-th stretch of them."""
        return np.random.Generator(np.random.Philox(key=[self.seed, 2 * purpose + (not self.train)]))


def glyphs(
    n: int = 20_000,
    size: int = 28,
    train: bool = True,
    letters: bool = False,
    rgb: bool = False,
    seed: int = 0,
    *,
    noise: float = 0.02,
    fonts: Sequence[str] | None = None,
    progress: bool = True,
) -> ImageSet:
    """Digits (and letters) from the fonts inside matplotlib, with random pose, stroke weight and noise.

    The same arguments give the same images (under one version of matplotlib), a larger n only adds images,
    and they are kept in the user's cache folder. Strokes are +1 on -1, 256 levels. `factors`, each (N,):

    - class, font (index into `fonts`), colour (index into COLOURS, if rgb);
    - weight, slant, x, y, scale, angle: floats, see `render`, which draws the same image but for the noise;
    - jitter: the jitter seed, a whole number that decides all of the above together with `seed`.

    Image i of the training part has jitter seed 2 i, of the test part 2 i + 1, so no pair (font, jitter seed)
    is in both. To hold out whole fonts give the two parts different `fonts`.

    Args:
        n: number of images.
        size: side in pixels, 4 .. 1024.
        train: the training part, else the test part.
        letters: A-Z and a-z too: 62 classes in place of 10.
        rgb: coloured strokes, three channels.
        seed: another seed, other images.
        noise: standard deviation of the grey noise, as a part of the range from black to white.
        fonts: names among FONTS; None means all 21.
        progress: show a bar if it takes more than a second.

    Raises:
        ValueError: an argument is out of its range.
    """
    names = FONTS if fonts is None else tuple(fonts)
    request = _Request(n, size, train, letters, rgb, seed, float(noise), names)
    arrays = _load(request)
    if arrays is None:
        arrays = _generate(request, progress)
        _store(request, arrays)
    images, *factors = (torch.from_numpy(array) for array in arrays.values())
    named = dict(zip(list(arrays)[1:], factors, strict=True))
    return ImageSet(images, named["class"], named, classes=tuple(request.classes))


def _factors(request: _Request) -> dict[str, np.ndarray]:
    """The factors of all images, from nine uniform numbers for each."""
    u = request.stream(0).random((request.n, 9)).T
    pick = {"class": len(request.classes), "font": len(request.fonts), "colour": len(COLOURS)}
    factors = {name: (u[i] * count).astype(np.int64) for i, (name, count) in enumerate(pick.items())}
    for i, (name, (low, high)) in enumerate(RANGES.items(), start=3):
        factors[name] = (low + (high - low) * u[i]).astype(np.float32)
    factors["jitter"] = 2 * np.arange(request.n) + (not request.train)
    if not request.rgb:
        del factors["colour"]
    return factors


def _generate(request: _Request, progress: bool) -> dict[str, np.ndarray]:
    from tqdm.auto import tqdm

    pen, factors = Pen(request.size), _factors(request)
    channels = 3 if request.rgb else 1
    images = np.empty((request.n, channels, request.size, request.size), np.uint8)
    palette = np.array(list(COLOURS.values())) if request.rgb else None
    poses = np.stack([factors[name] for name in RANGES], -1).tolist()
    for i in tqdm(range(request.n), "glyphs", unit=" images", delay=1, disable=not progress):
        character, font = request.classes[factors["class"][i]], request.fonts[factors["font"][i]]
        colour = palette[factors["colour"][i]] if request.rgb else np.array([255])
        images[i] = paint(pen.draw(character, font, Pose(*poses[i])), colour)
    _add_noise(images, request)
    return {"images": images, **factors}


def _add_noise(images: np.ndarray, request: _Request) -> None:
    """Adds Gaussian noise in place, rounds, and cuts off at black and white."""
    draw = request.stream(1)
    for part in np.array_split(images, max(1, images.size // 2**22)):
        noise = draw.standard_normal(part.shape, np.float32) * np.float32(255 * request.noise)
        part[:] = np.clip(np.rint(part + noise), 0, 255)


def _store(request: _Request, arrays: dict[str, np.ndarray]) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    try:
        write_sealed(request.file(), buffer.getvalue())
    except OSError as error:
        warnings.warn(f"The glyphs could not be kept for the next time: {error}", stacklevel=3)


def _load(request: _Request) -> dict[str, np.ndarray] | None:
    """The arrays from the cache, None where there are none to be read. A damaged file is reported."""
    try:
        payload = read_sealed(request.file())
    except OSError:
        return None
    except ValueError as error:
        warnings.warn(f"{error} The glyphs are drawn again.", stacklevel=3)
        return None
    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        return dict(arrays)
