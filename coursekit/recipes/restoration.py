"""The recipe of a diffusion model that reads a measurement of the image it is to draw."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn

from coursekit.data.walk import generator
from coursekit.nets import UNet
from coursekit.recipes.diffusion import denoising
from coursekit.recipes.images import images, shape_of
from coursekit.recipes.pixels import LEVELS
from coursekit.recipes.registry import Recipe, register
from coursekit.tasks.operators import Operator, make_operator


class Measured:
    """Images x with their measurements c, A(x) + noise as a picture of x's size; a batch has equal parts of
    each operator.

    Args:
        data: images, as an `ImageSet`.
        operators: at least one.
        noise: standard deviation of the measurements' noise.
    """

    def __init__(self, data: Any, operators: Sequence[Operator], noise: float):
        self.data, self.operators, self.noise = data, tuple(operators), noise
        self.shape = data.shape

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        names = ", ".join(type(operator).__name__ for operator in self.operators)
        return f"Measured({self.data!r}, {names}, noise {self.noise})"

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        """x and c, both (size, C, H, W); a pure function of its arguments."""
        x, _ = self.data.batch(step, size, seed)
        draw = generator(seed, step, 1, device=x.device)
        parts = zip(self.operators, x.tensor_split(len(self.operators)), strict=True)
        return x, torch.cat([a.picture(a.measure(part, self.noise, draw)) for a, part in parts])

    def to(self, device: torch.device | str) -> Self:
        """The same set on another device."""
        return type(self)(self.data.to(device), self.operators, self.noise)


def unet_restoration(
    dataset: str = "glyphs",
    operators: Sequence[Mapping[str, Any]] = ({"name": "downsample", "factor": 4},),
    noise: float = 0.05,
    method: str = "ddpm",
    schedule: str = "cosine",
    noise_steps: int = 1000,
    prediction: str = "velocity",
    variance: str = "small",
    sampler: str = "ddim",
    sampling_steps: int = 25,
    width: int = 24,
    multipliers: Sequence[int] = (1, 2),
    blocks: int = 1,
    attention: Sequence[int] = (1,),
    patch: int = 2,
    steps: int = 1200,
    batch_size: int = 64,
    lr: float = 1e-3,
    ema: float = 0.995,
) -> Recipe:
    """A U-Net that reads the measurement beside x_t; one network for all of its operators.

    Each operator is {"name": ..., keywords}, as for `tasks.make_operator`; `noise` is in units of y. A
    DDPM is judged by its bound on log p(x | y), since samples may look right and have nothing to do with y.
    """
    if not operators:
        raise ValueError("operators is empty; expected at least one, such as {'name': 'blur', 'width': 1.5}")
    if any("name" not in each for each in operators):
        raise ValueError(
            f"each operator needs a 'name', such as {{'name': 'blur', 'width': 1.5}}; got {operators}"
        )
    if noise < 0:
        raise ValueError(f"noise is {noise}; expected a standard deviation, at least 0")
    shape = shape_of(dataset)
    made = [make_operator(shape=shape, **each) for each in operators]

    def make_net(outputs: int) -> nn.Module:
        sizes = {"width": width, "multipliers": multipliers, "blocks": blocks, "attention": attention}
        return UNet(shape, c_channels=shape[0], out_channels=outputs * shape[0], patch=patch, **sizes)

    model = {"schedule": schedule, "noise_steps": noise_steps, "prediction": prediction, "variance": variance}
    model |= {"method": method, "sampler": sampler, "sampling_steps": sampling_steps}
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "ema": ema}
    data = partial(_measured, dataset, made, noise)
    recipe = denoising(make_net, data, shape, levels=LEVELS[dataset], clip=1.0, **model, **training)
    return replace(recipe, judged_by=("elbo",)) if method == "ddpm" else recipe


def _measured(dataset: str, operators: Sequence[Operator], noise: float, split: str) -> Measured:
    return Measured(images(dataset, split), operators, noise)


register("unet_restoration", unet_restoration)
