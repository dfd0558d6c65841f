"""Recipes of autoregressive models of images."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from coursekit.models.ar import BernoulliOutput, CategoricalOutput, LogisticMixtureOutput, PixelModel
from coursekit.nets import FVBN, MADE, NADE, CausalNet, DiagonalBiLSTM, GatedPixelCNN, PixelCNN, RowLSTM
from coursekit.recipes.images import c_dim_of, conditioned, shape_of
from coursekit.recipes.registry import Recipe, register
from coursekit.train import Cosine

LEVELS = {"digits": 17} | dict.fromkeys(
    ("glyphs", "rgb_glyphs", "small_glyphs", "styled_glyphs", "mnist", "fashion_mnist"), 256
)
OUTPUTS = ("bernoulli", "categorical", "mixture")
BINARIZATIONS = ("dynamic", "threshold", "static")


def symbols(dataset: str, output: str, levels: int, binarization: str, conditional: bool, split: str) -> Any:
    """The images as the output needs them: zeros and ones, or levels; with their labels if asked for.

    Ones are drawn anew at each batch ("dynamic"), or are what is above the middle ("threshold"), or stand in
    the file of the statically binarized MNIST ("static").
    """
    if binarization == "static":
        from coursekit import data

        return data.binarized_mnist(split)
    chosen = conditioned(dataset, split, conditional)
    if output == "bernoulli":
        return chosen.binarized(0.5 if binarization == "threshold" else None)
    return chosen.discrete(levels)


def pixel_recipe(
    make_net: Callable[..., CausalNet],
    dataset: str,
    output: str,
    levels: int,
    binarization: str,
    conditional: bool,
    **training: Any,
) -> Recipe:
    """What the recipes share: data, output and training; `make_net` takes what every `CausalNet` takes."""
    shape = shape_of(dataset)
    if output not in OUTPUTS or binarization not in BINARIZATIONS:
        raise ValueError(
            f"expected output in {', '.join(OUTPUTS)} and binarization in {', '.join(BINARIZATIONS)}, got"
            f" {output!r} and {binarization!r}."
        )
    if binarization == "threshold" and output != "bernoulli":
        raise ValueError(f"binarization='threshold' is for output='bernoulli', got output={output!r}.")
    if binarization == "static" and (dataset != "mnist" or output != "bernoulli" or conditional):
        raise ValueError("binarization='static' is mnist's, with output='bernoulli' and without labels.")
    levels = levels or LEVELS[dataset]
    outputs = {
        "bernoulli": BernoulliOutput,
        "categorical": partial(CategoricalOutput, levels),
        "mixture": partial(LogisticMixtureOutput, levels=levels),
    }

    def make() -> nn.Module:
        chosen = outputs[output]()
        sizes = {
            "out_features": chosen.features,
            "levels": chosen.levels,
            "c_dim": c_dim_of(dataset, conditional),
        }
        return PixelModel(make_net(shape, **sizes), chosen)

    data = partial(symbols, dataset, output, levels, binarization, conditional)
    judged_by = ("log_prob", "samples") if conditional else ()
    return Recipe(make, data, schedule=Cosine(warmup=100), clip_norm=1.0, judged_by=judged_by, **training)


def fvbn(
    dataset: str = "glyphs",
    output: str = "bernoulli",
    levels: int = 0,
    binarization: str = "dynamic",
    conditional: bool = False,
    steps: int = 3000,
    batch_size: int = 128,
    lr: float = 3e-3,
    ema: float = 0.0,
) -> Recipe:
    """A logistic regression for each pixel, on those before it; levels=0 keeps all levels of the data."""
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema}
    return pixel_recipe(FVBN, dataset, output, levels, binarization, conditional, **training)


def nade(
    dataset: str = "glyphs",
    output: str = "bernoulli",
    levels: int = 0,
    binarization: str = "dynamic",
    conditional: bool = False,
    hidden: int = 500,
    steps: int = 3000,
    batch_size: int = 32,
    lr: float = 1e-3,
    ema: float = 0.0,
) -> Recipe:
    """One hidden layer for each pixel, with weights that they share."""
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema}
    net = partial(NADE, hidden=hidden)
    return pixel_recipe(net, dataset, output, levels, binarization, conditional, **training)


def made(
    dataset: str = "glyphs",
    output: str = "bernoulli",
    levels: int = 0,
    binarization: str = "dynamic",
    conditional: bool = False,
    hidden: Sequence[int] = (500,),
    direct: bool = True,
    order: str = "raster",
    steps: int = 3000,
    batch_size: int = 128,
    lr: float = 1e-3,
    ema: float = 0.0,
) -> Recipe:
    """A masked perceptron; its order is "raster" or "random", drawn once and always the same."""
    if order not in ("raster", "random"):
        raise ValueError(f"order must be 'raster' or 'random', got {order!r}.")

    def net(shape: Sequence[int], **sizes: Any) -> CausalNet:
        size = torch.Size(shape).numel()
        drawn = torch.randperm(size, generator=torch.Generator().manual_seed(0))
        return MADE(shape, hidden=hidden, direct=direct, order=None if order == "raster" else drawn, **sizes)

    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema}
    return pixel_recipe(net, dataset, output, levels, binarization, conditional, **training)


def convolutional(
    net: type[CausalNet],
    dataset: str = "glyphs",
    output: str = "bernoulli",
    levels: int = 0,
    binarization: str = "dynamic",
    conditional: bool = False,
    width: int = 32,
    layers: int = 5,
    first: int = 7,
    steps: int = 3000,
    batch_size: int = 32,
    lr: float = 2e-3,
    ema: float = 0.0,
) -> Recipe:
    """Convolutions or LSTMs: `width` features, `layers` layers, and a first kernel of side `first`."""
    make_net = partial(net, width=width, layers=layers, first=first)
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema}
    return pixel_recipe(make_net, dataset, output, levels, binarization, conditional, **training)


register("fvbn", fvbn)
register("nade", nade)
register("made", made)
register("pixelcnn", partial(convolutional, PixelCNN))
register("gated_pixelcnn", partial(convolutional, GatedPixelCNN))
register("row_lstm", partial(convolutional, RowLSTM), layers=2)
register("diagonal_bilstm", partial(convolutional, DiagonalBiLSTM), layers=1)
