"""Recipes of flows of images."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from coursekit.models.flows import (
    Dequantized,
    Flatten,
    Flow,
    Logit,
    glow,
    image_noise,
    image_real_nvp,
    multiscale_real_nvp,
    real_nvp,
)
from coursekit.recipes.images import c_dim_of, conditioned, shape_of
from coursekit.recipes.pixels import LEVELS
from coursekit.recipes.registry import Recipe, register
from coursekit.train import Cosine

NOISES = ("uniform", "variational")


def levels_of(dataset: str, conditional: bool, split: str) -> Any:
    """The images as levels; with their labels if asked for."""
    return conditioned(dataset, split, conditional).discrete()


def flow_recipe(
    make_flow: Callable[..., Flow],
    dataset: str,
    noise: str,
    noise_layers: int,
    noise_width: int,
    conditional: bool,
    **training: Any,
) -> Recipe:
    """What the recipes share: data, noise and training; `make_flow` takes the shape and c_dim."""
    shape, c_dim = shape_of(dataset), c_dim_of(dataset, conditional)
    if noise not in NOISES:
        raise ValueError(f"noise must be one of {', '.join(NOISES)}, got {noise!r}.")

    def make() -> nn.Module:
        levels = LEVELS[dataset]
        learnt = noise == "variational"
        drawn = image_noise(shape, levels, noise_layers, noise_width, c_dim) if learnt else None
        return Dequantized(make_flow(shape, c_dim=c_dim), levels, drawn)

    data = partial(levels_of, dataset, conditional)
    judged_by = ("elbo", "samples") if conditional else ()
    return Recipe(make, data, schedule=Cosine(warmup=100), clip_norm=1.0, judged_by=judged_by, **training)


def image_flow(
    dataset: str = "glyphs",
    layers: Sequence[int] = (8,),
    widths: Sequence[int] = (32,),
    noise: str = "uniform",
    noise_layers: int = 4,
    noise_width: int = 16,
    conditional: bool = False,
    steps: int = 3000,
    batch_size: int = 128,
    lr: float = 1e-3,
    ema: float = 0.0,
) -> Recipe:
    """RealNVP on images of levels.

    Args:
        layers, widths: couplings and feature maps of their nets at each scale; the first has checkerboards.
        noise: "uniform", or "variational" with `noise_layers` couplings of `noise_width` feature maps.
    """

    def make_flow(shape: Sequence[int], c_dim: int) -> Flow:
        if len(layers) == len(widths) == 1:
            return image_real_nvp(shape, layers[0], widths[0], c_dim)
        return multiscale_real_nvp(shape, layers, widths, c_dim)

    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema}
    return flow_recipe(make_flow, dataset, noise, noise_layers, noise_width, conditional, **training)


def image_glow(
    dataset: str = "glyphs",
    scales: int = 2,
    flow_steps: int = 8,
    width: int = 64,
    noise: str = "uniform",
    noise_layers: int = 4,
    noise_width: int = 16,
    conditional: bool = False,
    steps: int = 3000,
    batch_size: int = 128,
    lr: float = 1e-3,
    ema: float = 0.0,
) -> Recipe:
    """Glow on images of levels: `flow_steps` steps at each scale, nets of `width` feature maps."""
    make_flow = partial(glow, scales=scales, steps=flow_steps, width=width)
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema, "start": start_from_batch}
    return flow_recipe(make_flow, dataset, noise, noise_layers, noise_width, conditional, **training)


def mlp_flow(
    dataset: str = "small_glyphs",
    layers: int = 8,
    hidden: Sequence[int] = (256, 256),
    conditional: bool = False,
    steps: int = 3000,
    batch_size: int = 128,
    lr: float = 1e-3,
    ema: float = 0.0,
) -> Recipe:
    """RealNVP on small images as vectors, with perceptrons, which learns in seconds."""

    def make_flow(shape: Sequence[int], c_dim: int) -> Flow:
        pixels = torch.Size(shape).numel()
        couplings = real_nvp(pixels, layers, hidden, c_dim)
        return Flow([Logit(), Flatten(shape), *couplings.bijectors], couplings.base)

    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema, "start": start_from_batch}
    return flow_recipe(make_flow, dataset, "uniform", 0, 0, conditional, **training)


def start_from_batch(model: nn.Module, data: Any, rows: int = 256) -> None:
    """Let what starts from data see the first rows, always with the same noise."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model.start(*data.batch(0, rows))


register("image_flow", image_flow)
register("mlp_flow", mlp_flow)
register("image_flow_variational", image_flow, noise="variational")
register("image_flow_multiscale", image_flow, noise="variational", layers=(2, 2, 4), widths=(32, 48, 64))
register("image_glow", image_glow)
