"""Pictures packed into a few WebP sheets, so that a page stays light."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

SHEET_PIXELS = 6_000_000
MAX_SIDE = 16_000
COLORS = 128
INVISIBLE = 2.0
"""Root mean square error, of 255, below which a reduction to COLORS colours is not seen."""
SAMPLED = 7
"""The error is measured at every seventh pixel."""
LIGHT = 0.03
"""Bytes a pixel below which nothing smaller is looked for."""


@dataclass(frozen=True)
class Sprites:
    """Tiles in sheets: tile t is number t % per_sheet, row by row, of sheet t // per_sheet.

    Attributes:
        sheets: WebP files, base64.
        tile_of: the tile of each state; equal pictures share one.
        columns: tiles a row.
        per_sheet: tiles a sheet.
        size: (width, height) of a tile.
    """

    sheets: tuple[str, ...]
    tile_of: tuple[int, ...]
    columns: int
    per_sheet: int
    size: tuple[int, int]


def webp(pixels: np.ndarray) -> bytes:
    """A (H, W, 3) uint8 array as WebP: exact or in a reduced palette where that is not seen, else lossy."""
    image = _with_few_colors(Image.fromarray(pixels))
    lossless = _encoded(image, lossless=True, quality=100, method=4) if image else None
    if lossless and len(lossless) < LIGHT * pixels.size / 3:
        return lossless
    lossy = _encoded(Image.fromarray(pixels), quality=86, method=4)
    return lossless if lossless and len(lossless) < 1.5 * len(lossy) else lossy


def _encoded(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", **options)
    return file.getvalue()


def _with_few_colors(image: Image.Image) -> Image.Image | None:
    if image.getcolors(256):
        return image
    reduced = image.quantize(COLORS, dither=Image.Dither.NONE).convert("RGB")
    sample, original = (np.asarray(i).reshape(-1, 3)[::SAMPLED].astype(np.float32) for i in (reduced, image))
    return reduced if np.sqrt(np.mean((sample - original) ** 2)) < INVISIBLE else None


def text_of(data: bytes) -> str:
    """base64."""
    return base64.b64encode(data).decode("ascii")


def pack(tiles: Sequence[np.ndarray]) -> Sprites:
    """Sheets of pictures (H, W, 3) uint8 of one size; the same pictures give the same bytes.

    Large tiles stand one below the other, where WebP finds what they share; small ones fill a square.
    """
    seen: dict[bytes, int] = {}
    tile_of = tuple(seen.setdefault(tile.tobytes(), len(seen)) for tile in tiles)
    unique = [np.frombuffer(data, np.uint8).reshape(tiles[0].shape) for data in seen]
    h, w = tiles[0].shape[:2]
    limit = max(1, SHEET_PIXELS // (h * w))
    columns = 1 if h * w > 40_000 else min(int(np.ceil(np.sqrt(min(len(unique), limit)))), MAX_SIDE // w)
    per_sheet = min(limit, columns * (MAX_SIDE // h))
    groups = [unique[k : k + per_sheet] for k in range(0, len(unique), per_sheet)]
    sheets = tuple(text_of(webp(_sheet(group, columns))) for group in groups)
    return Sprites(sheets, tile_of, columns, per_sheet, (w, h))


def _sheet(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    h, w = tiles[0].shape[:2]
    sheet = np.zeros((-(-len(tiles) // columns) * h, min(columns, len(tiles)) * w, 3), np.uint8)
    for k, tile in enumerate(tiles):
        row, column = divmod(k, columns)
        sheet[row * h : row * h + h, column * w : column * w + w] = tile
    return sheet
