"""The image sets of recipes."""

from typing import Any

SHAPES = {
    "digits": (1, 8, 8),
    "glyphs": (1, 28, 28),
    "mnist": (1, 28, 28),
    "fashion_mnist": (1, 28, 28),
    "small_glyphs": (1, 14, 14),
}


def images(dataset: str, split: str) -> Any:
    """The "train" or "test" part of one of the sets of `SHAPES`."""
    from coursekit import data

    if split not in ("train", "test"):
        raise ValueError(f"split: this recipe has 'train' and 'test', got {split!r}.")
    return getattr(data, dataset)(train=split == "train")


def shape_of(dataset: str) -> tuple[int, int, int]:
    """(C, H, W) of a set; another name is an error."""
    if dataset not in SHAPES:
        raise ValueError(f"dataset must be one of {', '.join(SHAPES)}, got {dataset!r}.")
    return SHAPES[dataset]
