"""Draw the book's cover: glyphs that come out of noise, from left to right.

Each image is sqrt(a) x + sqrt(1 - a) noise with a growing from 0 to 1 along the row, the forward process of a
diffusion model read backwards. `python -m coursebook.cover` writes it; nothing else depends on this file.
"""

import torch
from PIL import Image

from coursebook.cache import ROOT
from coursekit import data

ROWS, COLUMNS, SCALE = 5, 18, 3
PAPER, INK = torch.tensor([251.0, 250.0, 247.0]), torch.tensor([31.0, 41.0, 64.0])


def grid() -> torch.Tensor:
    """The images side by side, (H, W) in [0, 1]."""
    torch.manual_seed(3)
    glyphs = data.glyphs(n=ROWS * COLUMNS, letters=True, seed=3).x[:, 0]
    signal = torch.linspace(-0.15, 1.15, COLUMNS).clamp(0, 1).square().repeat(ROWS)[:, None, None]
    noisy = signal.sqrt() * glyphs + (1 - signal).sqrt() * 0.6 * torch.randn_like(glyphs)
    images = torch.nn.functional.pad(noisy.clamp(-1, 1) / 2 + 0.5, (2, 2, 2, 2))
    return images.view(ROWS, COLUMNS, 32, 32).transpose(1, 2).reshape(ROWS * 32, COLUMNS * 32)


def main() -> None:
    """Write cover.png, in the colours of the book."""
    pixels = grid()[..., None]
    picture = Image.fromarray((PAPER + (INK - PAPER) * pixels).round().byte().numpy())
    picture = picture.resize(
        (picture.width * SCALE // 2, picture.height * SCALE // 2), Image.Resampling.LANCZOS
    )
    picture.quantize(48).save(ROOT / "book" / "_assets" / "cover.png", optimize=True)


if __name__ == "__main__":
    main()
