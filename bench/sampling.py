"""How much faster does a gated PixelCNN draw images when it keeps what earlier pixels computed?"""

from collections.abc import Callable

import torch
from torch import Tensor

from bench.pairs import Block, ratio
from coursekit.models.ar import BernoulliOutput, PixelModel
from coursekit.nets import GatedPixelCNN

SHAPE = (1, 28, 28)
NEEDED = 10


def drawing(model: PixelModel, n: int, cached: bool, draws: list[Tensor]) -> Block:
    """n images from one seed, which are kept in `draws`."""

    def block() -> Callable[[], None]:
        def work() -> None:
            torch.manual_seed(0)
            draws.append(model.sample(n, cached=cached, progress=False))

        return work

    return block


def main(pairs: int = 3, n: int = 8) -> bool:
    """Print the ratio of times; returns whether the lowest is enough, and the images are the same."""
    torch.manual_seed(0)
    model = PixelModel(GatedPixelCNN(SHAPE, width=32, layers=6), BernoulliOutput()).eval()
    draws: list[Tensor] = []
    naive, cached = (drawing(model, n, choice, draws) for choice in (False, True))
    cached()()
    faster = ratio(naive, cached, pairs)
    same = all(torch.equal(draw, draws[0]) for draw in draws)
    print(f"gated PixelCNN 28x28, {n} images, {pairs} pairs: median [range], at least {NEEDED}")
    print(f"  naive / cached {faster}   same images: {same}")
    return same and faster.low >= NEEDED
