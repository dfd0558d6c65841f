"""Recipes of flows of vectors: densities in the plane, and small images as vectors."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from coursekit.models import flows
from coursekit.models.flows import Flow
from coursekit.recipes.image_flows import flow_recipe, start_from_batch
from coursekit.recipes.images import SHAPES
from coursekit.recipes.registry import Recipe, register
from coursekit.train import Cosine

DENSITIES = {
    "two_moons": "TwoMoons",
    "eight_gaussians": "EightGaussians",
    "gaussian_grid": "GaussianGrid",
    "pinwheel": "Pinwheel",
    "checkerboard": "Checkerboard",
    "rings": "Rings",
    "spirals": "Spirals",
    "swiss_roll": "SwissRoll",
    "s_curve": "SCurve",
}
TEST_ROWS = 10_000


def points(dataset: str, split: str) -> Any:
    """A density in the plane: endless fresh points to train on, and the same 10,000 for every test."""
    from coursekit import data

    if split not in ("train", "test"):
        raise ValueError(f"split: this recipe has 'train' and 'test', got {split!r}.")
    density = getattr(data, DENSITIES[dataset])()
    if split == "train":
        return density
    return data.TensorSet(density.sample(TEST_ROWS, torch.Generator().manual_seed(2**31)))


def vectors(make_flow: Callable[..., Flow], dataset: str, conditional: bool, **training: Any) -> Recipe:
    """What the recipes share: data, and a flow of its dimension; `make_flow` takes dim and c_dim."""
    if dataset not in DENSITIES | SHAPES:
        raise ValueError(f"dataset must be one of {', '.join([*SHAPES, *DENSITIES])}, got {dataset!r}.")
    if dataset in SHAPES:
        return flow_recipe(partial(of_images, make_flow), dataset, "uniform", 0, 0, conditional, **training)
    if conditional:
        raise ValueError(f"conditional=True needs a set with labels, such as digits; {dataset} has none.")
    training |= {"schedule": Cosine(warmup=100), "clip_norm": 1.0}
    return Recipe(partial(make_flow, 2), partial(points, dataset), **training)


def of_images(make_flow: Callable[..., Flow], shape: Sequence[int], c_dim: int = 0) -> Flow:
    """A flow of images in [0, 1], (C, H, W), by one of their logits as vectors."""
    flow = make_flow(math.prod(shape), c_dim=c_dim)
    return Flow([flows.Logit(1e-2), flows.Flatten(shape), *flow.bijectors], flow.base)


def nice(
    dataset: str = "two_moons",
    layers: int = 8,
    hidden: Sequence[int] = (128, 128),
    conditional: bool = False,
    steps: int = 3000,
    batch_size: int = 256,
    lr: float = 1e-3,
    ema: float = 0.0,
) -> Recipe:
    """Additive couplings; `dataset` is a density in the plane, or a set of images as vectors."""
    make_flow = partial(flows.nice, layers=layers, hidden=hidden)
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema}
    return vectors(make_flow, dataset, conditional, **training)


def real_nvp(
    dataset: str = "two_moons",
    layers: int = 8,
    hidden: Sequence[int] = (128, 128),
    conditional: bool = False,
    steps: int = 3000,
    batch_size: int = 256,
    lr: float = 1e-3,
    ema: float = 0.0,
) -> Recipe:
    """Affine couplings and ActNorm, which starts from the first points."""
    make_flow = partial(flows.real_nvp, layers=layers, hidden=hidden)
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema, "start": start_from_batch}
    return vectors(make_flow, dataset, conditional, **training)


def spline_flow(
    dataset: str = "two_moons",
    layers: int = 6,
    hidden: Sequence[int] = (64, 64),
    bins: int = 8,
    bound: float = 4.0,
    conditional: bool = False,
    steps: int = 3000,
    batch_size: int = 256,
    lr: float = 2e-3,
    ema: float = 0.0,
) -> Recipe:
    """Rational-quadratic spline couplings, `bins` bins on [-bound, bound], with linear maps between them."""
    make_flow = partial(flows.spline_flow, layers=layers, hidden=hidden, bins=bins, bound=bound)
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema, "start": start_from_batch}
    return vectors(make_flow, dataset, conditional, **training)


def maf(
    dataset: str = "two_moons",
    layers: int = 8,
    hidden: Sequence[int] = (128, 128),
    order: str = "reversed",
    conditional: bool = False,
    steps: int = 3000,
    batch_size: int = 256,
    lr: float = 1e-3,
    ema: float = 0.0,
) -> Recipe:
    """Masked autoregressive layers and ActNorm; the order is "reversed" from layer to layer, or "random"."""
    if order not in ("reversed", "random"):
        raise ValueError(f"order must be 'reversed' or 'random', got {order!r}.")
    make_flow = partial(flows.maf, layers=layers, hidden=hidden, order=order)
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema, "start": start_from_batch}
    return vectors(make_flow, dataset, conditional, **training)


register("nice", nice)
register("real_nvp", real_nvp)
register("spline_flow", spline_flow)
register("maf", maf)
