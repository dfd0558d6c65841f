"""The image sets of recipes."""

from typing import Any

SHAPES = {
    "digits": (1, 8, 8),
    "glyphs": (1, 28, 28),
    "mnist": (1, 28, 28),
    "fashion_mnist": (1, 28, 28),
    "small_glyphs": (1, 14, 14),
    "rgb_glyphs": (3, 28, 28),
    "styled_glyphs": (1, 14, 14),
}

CONDITIONS = {"styled_glyphs": ("style", 12)}
"""The factor that is the condition, and its length, for sets where it is not the label, one of ten."""


def images(dataset: str, split: str) -> Any:
    """The "train" or "test" part of one of the sets of `SHAPES`."""
    from coursekit import data

    if split not in ("train", "test"):
        raise ValueError(f"split: this recipe has 'train' and 'test', got {split!r}.")
    if dataset == "rgb_glyphs":
        return data.glyphs(train=split == "train", rgb=True)
    return getattr(data, dataset)(train=split == "train")


def shape_of(dataset: str) -> tuple[int, int, int]:
    """(C, H, W) of a set; another name is an error."""
    if dataset not in SHAPES:
        raise ValueError(f"dataset must be one of {', '.join(SHAPES)}, got {dataset!r}.")
    return SHAPES[dataset]


def conditioned(dataset: str, split: str, conditional: bool = True) -> Any:
    """`images` with their conditions, if asked for."""
    chosen = images(dataset, split)
    return chosen.conditioned(CONDITIONS.get(dataset, ("class", 10))[0]) if conditional else chosen


def c_dim_of(dataset: str, conditional: bool = True) -> int:
    """Length of the condition, or number of classes; 0 for none."""
    return CONDITIONS.get(dataset, ("class", 10))[1] if conditional else 0
