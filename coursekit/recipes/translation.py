"""Recipes of translation from image to image, with pairs and without."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from coursekit.models.gan import CycleGAN, Pix2Pix
from coursekit.nets import PATCHES, PatchGAN, Translator
from coursekit.recipes.gan import OBJECTIVES
from coursekit.recipes.registry import Recipe, register

PAIRS = {"outlines": (1, 1), "label_maps": (3, 3)}
"""Channels of source and target."""

DOMAINS = {"weight": (3, 3), "serif": (1, 1), "colour": (3, 1)}
"""Channels of an image of the one kind and of the other."""

GAMES = tuple(name for name in OBJECTIVES if name != "wasserstein")
"""Objectives that need no bound on the critic's slope: here there is none."""


def pix2pix(
    pairs: str = "outlines",
    l1: float = 100.0,
    adversarial: float = 1.0,
    patch: int = 16,
    objective: str = "non_saturating",
    dropout: float = 0.0,
    width: int = 16,
    critic_width: int = 32,
    steps: int = 1500,
    batch_size: int = 32,
    lr: float = 1e-3,
    betas: Sequence[float] = (0.5, 0.999),
) -> Recipe:
    """A U-Net and a PatchGAN on pairs of glyphs; `patch` is the side that a score sees.

    Source of the weights and betas: Isola et al. 2017 (arXiv:1611.07004); its rate is a fifth of this.
    """
    _check(pairs=(pairs, PAIRS), patch=(patch, PATCHES), objective=(objective, GAMES))
    c_channels, channels = PAIRS[pairs]

    def make() -> nn.Module:
        generator = Translator(c_channels, channels, width, dropout=dropout)
        critic = PatchGAN(channels, c_channels, PATCHES[patch], critic_width)
        return Pix2Pix(generator, critic, l1, adversarial, OBJECTIVES[objective]())

    training = {"optimizer": partial(_adam, tuple(betas)), "judged_by": ("translation",)}
    return Recipe(make, partial(_set, pairs), steps, batch_size, lr, **training)


def cyclegan(
    domains: str = "weight",
    cycle: float = 10.0,
    identity: float = 0.0,
    patch: int = 16,
    objective: str = "least_squares",
    buffer: int = 50,
    skips: bool = True,
    change: float = 0.0,
    width: int = 16,
    critic_width: int = 32,
    steps: int = 1000,
    batch_size: int = 32,
    lr: float = 1e-3,
    betas: Sequence[float] = (0.5, 0.999),
) -> Recipe:
    """Two U-Nets, or without `skips` two bottlenecks, and two PatchGANs, on two kinds of glyphs.

    With `change` the way from the first kind to the second only changes its input, by at most so much.
    Source of the betas: Zhu et al. 2017 (arXiv:1703.10593); its rate is a fifth of this, and a weight of 10
    here is one of 20 there: see `models.gan.CycleGAN`.
    """
    _check(domains=(domains, DOMAINS), patch=(patch, PATCHES), objective=(objective, GAMES))
    a, b = DOMAINS[domains]

    def make() -> nn.Module:
        nets = [Translator(a, b, width, skips=skips, change=change), Translator(b, a, width, skips=skips)]
        critics = [PatchGAN(channels, 0, PATCHES[patch], critic_width) for channels in (a, b)]
        shapes = [(a, 28, 28), (b, 28, 28)]
        return CycleGAN(*nets, *critics, shapes, cycle, identity, buffer, OBJECTIVES[objective]())

    training = {"optimizer": partial(_adam, tuple(betas)), "judged_by": ("translation",)}
    return Recipe(make, partial(_kinds, domains), steps, batch_size, lr, **training)


def _check(**choices: tuple[Any, Iterable[Any]]) -> None:
    for name, (value, known) in choices.items():
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(map(str, known))}, got {value!r}.")


def _adam(betas: tuple[float, float], parameters: Iterable[Tensor], lr: float) -> Optimizer:
    return Adam(parameters, lr=lr, betas=betas, fused=True)


def _set(name: str, split: str) -> Any:
    """The pairs of a name."""
    from coursekit import data

    return getattr(data, name)(train=_is_train(split))


def _kinds(name: str, split: str) -> Any:
    """The two kinds of a name."""
    from coursekit import data

    return data.domains(name, train=_is_train(split))


def _is_train(split: str) -> bool:
    if split not in ("train", "test"):
        raise ValueError(f"split: this recipe has 'train' and 'test', got {split!r}.")
    return split == "train"


register("pix2pix", pix2pix)
register("cyclegan", cyclegan)
