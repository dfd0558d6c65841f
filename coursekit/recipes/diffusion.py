"""Recipes of diffusion models: points in the plane, and images by a U-Net or a transformer."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from torch import nn

from coursekit.models import diffusion
from coursekit.models.diffusion import DDPM, EDM, FlowMatching
from coursekit.nets import DiT, ImageTimeMLP, TimeMLP, UNet
from coursekit.recipes.flows import DENSITIES
from coursekit.recipes.gan import points
from coursekit.recipes.images import c_dim_of, conditioned, shape_of
from coursekit.recipes.pixels import LEVELS
from coursekit.recipes.registry import Recipe, register
from coursekit.train import Cosine

METHODS = ("ddpm", "flow_matching", "edm")
SCHEDULES = {"linear": diffusion.Linear, "cosine": diffusion.Cosine, "sigmoid": diffusion.Sigmoid}
PREDICTIONS = {"epsilon": diffusion.Epsilon, "data": diffusion.Data, "velocity": diffusion.Velocity}
VARIANCES = {
    "small": diffusion.FixedSmall,
    "large": diffusion.FixedLarge,
    "learned": diffusion.LearnedRange,
}
SAMPLERS = {
    "ancestral": diffusion.Ancestral,
    "ddim": diffusion.DDIM,
    "euler": diffusion.Euler,
    "heun": diffusion.Heun,
    "dpm_solver": diffusion.DPMSolver2M,
}


def denoising(
    make_net: Callable[[int], nn.Module],
    data: Callable[[str], Any],
    shape: Sequence[int],
    method: str,
    schedule: str,
    noise_steps: int,
    prediction: str,
    variance: str,
    sampler: str,
    sampling_steps: int,
    levels: int | None = None,
    drop: float = 0.0,
    clip: float | None = None,
    **training: Any,
) -> Recipe:
    """What the recipes share.

    Args:
        make_net: number of outputs for each channel of x, which is 2 for a learnt variance -> network.
        method: one of METHODS; schedule, noise_steps, prediction and variance are read by "ddpm" alone.
        sampler, sampling_steps: how a trained model is sampled by the command line and for its metrics.
        levels, drop, clip: as for `models.diffusion.DDPM`.
    """
    chosen = {"method": method, "schedule": schedule, "prediction": prediction, "variance": variance}
    known = {"method": METHODS, "schedule": SCHEDULES, "prediction": PREDICTIONS, "variance": VARIANCES}
    for name, value in (chosen | {"sampler": sampler}).items():
        options = (known | {"sampler": SAMPLERS})[name]
        if value not in options:
            raise ValueError(f"{name} must be one of {', '.join(options)}, got {value!r}.")

    def make() -> nn.Module:
        common = {"drop": drop, "clip": clip}
        if method != "ddpm":
            return {"flow_matching": FlowMatching, "edm": EDM}[method](make_net(1), shape, **common)
        return DDPM(
            make_net(2 if variance == "learned" else 1),
            shape,
            SCHEDULES[schedule](noise_steps),
            PREDICTIONS[prediction](),
            VARIANCES[variance](),
            levels=levels,
            **common,
        )

    sampling = {"sampler": SAMPLERS[sampler](), "steps": sampling_steps, "progress": False}
    judged_by = ("elbo", "samples") if method == "ddpm" else ("samples",)
    training |= {"schedule": Cosine(warmup=100), "clip_norm": 1.0}
    return Recipe(make, data, sampling=sampling, judged_by=judged_by, **training)


def diffusion_2d(
    dataset: str = "eight_gaussians",
    method: str = "ddpm",
    schedule: str = "linear",
    noise_steps: int = 1000,
    prediction: str = "epsilon",
    variance: str = "small",
    sampler: str = "ddim",
    sampling_steps: int = 50,
    hidden: Sequence[int] = (128, 128, 128),
    steps: int = 3000,
    batch_size: int = 256,
    lr: float = 2e-3,
    ema: float = 0.99,
) -> Recipe:
    """A perceptron on points of a density in the plane."""
    if dataset not in DENSITIES:
        raise ValueError(f"dataset must be one of {', '.join(DENSITIES)}, got {dataset!r}.")
    model = {"schedule": schedule, "noise_steps": noise_steps, "prediction": prediction, "variance": variance}
    model |= {"method": method, "sampler": sampler, "sampling_steps": sampling_steps}
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema}
    data = partial(points, dataset)
    return denoising(lambda k: TimeMLP(2, hidden, out_features=2 * k), data, (2,), **model, **training)


def image_denoising(
    make_net: Callable[..., nn.Module], dataset: str, conditional: bool, drop: float, **keywords: Any
) -> Recipe:
    """A network that takes shape, c_dim and out_channels, on images in [-1, 1]."""
    shape, c_dim = shape_of(dataset), c_dim_of(dataset, conditional)

    def sized(outputs: int) -> nn.Module:
        return make_net(shape, c_dim=c_dim, out_channels=outputs * shape[0])

    data = partial(conditioned, dataset, conditional=conditional)
    common = {"levels": LEVELS[dataset], "drop": drop if conditional else 0.0, "clip": 1.0}
    return denoising(sized, data, shape, **common, **keywords)


def unet(
    dataset: str = "glyphs",
    method: str = "ddpm",
    schedule: str = "cosine",
    noise_steps: int = 1000,
    prediction: str = "epsilon",
    variance: str = "small",
    sampler: str = "ddim",
    sampling_steps: int = 25,
    width: int = 32,
    multipliers: Sequence[int] = (1, 2),
    blocks: int = 1,
    attention: Sequence[int] = (1,),
    patch: int = 2,
    conditional: bool = False,
    drop: float = 0.1,
    steps: int = 4000,
    batch_size: int = 64,
    lr: float = 1e-3,
    ema: float = 0.999,
) -> Recipe:
    """A U-Net on images; `drop` is the share of rows without their label, where it is conditional."""
    sizes = {"width": width, "multipliers": multipliers, "blocks": blocks, "attention": attention}
    model = {"schedule": schedule, "noise_steps": noise_steps, "prediction": prediction, "variance": variance}
    model |= {"method": method, "sampler": sampler, "sampling_steps": sampling_steps}
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema}
    make_net = partial(UNet, patch=patch, **sizes)
    return image_denoising(make_net, dataset, conditional, drop, **model, **training)


def dit(
    dataset: str = "glyphs",
    method: str = "ddpm",
    schedule: str = "cosine",
    noise_steps: int = 1000,
    prediction: str = "epsilon",
    variance: str = "small",
    sampler: str = "ddim",
    sampling_steps: int = 25,
    width: int = 128,
    layers: int = 4,
    heads: int = 4,
    patch: int = 4,
    conditional: bool = False,
    drop: float = 0.1,
    steps: int = 4000,
    batch_size: int = 64,
    lr: float = 1e-3,
    ema: float = 0.999,
) -> Recipe:
    """A transformer on images; `drop` is the share of rows without their label, where it is conditional."""
    model = {"schedule": schedule, "noise_steps": noise_steps, "prediction": prediction, "variance": variance}
    model |= {"method": method, "sampler": sampler, "sampling_steps": sampling_steps}
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema}
    make_net = partial(DiT, patch=patch, width=width, layers=layers, heads=heads)
    return image_denoising(make_net, dataset, conditional, drop, **model, **training)


def mlp_denoiser(
    dataset: str = "small_glyphs",
    method: str = "ddpm",
    schedule: str = "cosine",
    noise_steps: int = 1000,
    prediction: str = "epsilon",
    variance: str = "small",
    sampler: str = "ddim",
    sampling_steps: int = 25,
    hidden: Sequence[int] = (512, 512, 512),
    conditional: bool = False,
    drop: float = 0.1,
    steps: int = 4000,
    batch_size: int = 128,
    lr: float = 1e-3,
    ema: float = 0.999,
) -> Recipe:
    """A perceptron on small images, which learns in seconds; `drop` as for `unet`."""
    model = {"schedule": schedule, "noise_steps": noise_steps, "prediction": prediction, "variance": variance}
    model |= {"method": method, "sampler": sampler, "sampling_steps": sampling_steps}
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema}
    make_net = partial(ImageTimeMLP, hidden=hidden)
    return image_denoising(make_net, dataset, conditional, drop, **model, **training)


register("diffusion_2d", diffusion_2d)
register("flow_matching_2d", diffusion_2d, method="flow_matching", sampler="euler")
register("edm_2d", diffusion_2d, method="edm", sampler="heun", sampling_steps=18)
register("mlp_denoiser", mlp_denoiser)
register("unet", unet)
register("unet_flow_matching", unet, method="flow_matching", sampler="euler")
register("unet_edm", unet, method="edm", sampler="heun", sampling_steps=18)
register("dit", dit)
register("dit_flow_matching", dit, method="flow_matching", sampler="euler")
