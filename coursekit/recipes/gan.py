"""Recipes of generative adversarial networks: points in the plane, and images."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from coursekit.models import gan
from coursekit.models.gan import GAN
from coursekit.nets import MLP, DCGANCritic, DCGANGenerator, ResNetCritic, ResNetGenerator
from coursekit.recipes.flows import DENSITIES
from coursekit.recipes.images import c_dim_of, conditioned, shape_of
from coursekit.recipes.registry import Recipe, register

OBJECTIVES = {
    "minimax": gan.Minimax,
    "non_saturating": gan.NonSaturating,
    "least_squares": gan.LeastSquares,
    "hinge": gan.Hinge,
    "wasserstein": gan.Wasserstein,
}
PENALTIES = {"gradient_penalty": gan.GradientPenalty, "r1": gan.R1}
BOUNDS = ("none", "clip", "spectral_norm", *PENALTIES)


def adversarial(
    make_generator: Callable[[], nn.Module],
    make_critic: Callable[[], nn.Module],
    data: Callable[[str], Any],
    latent_dim: int,
    objective: str,
    bound: str,
    strength: float,
    critic_steps: int,
    batch_size: int,
    betas: Sequence[float],
    **training: Any,
) -> Recipe:
    """What the recipes share.

    `bound` names what holds the critic's slope, `strength` is a penalty's weight or the clip's size; a step
    of the trainer has `batch_size` rows for each of the `critic_steps`; `betas` are Adam's.
    """
    if objective not in OBJECTIVES or bound not in BOUNDS:
        raise ValueError(
            f"objective must be one of {', '.join(OBJECTIVES)}, bound one of {', '.join(BOUNDS)},"
            f" got {objective!r} and {bound!r}."
        )

    def make() -> nn.Module:
        generator, critic = make_generator(), make_critic()
        critic = gan.spectral_norm(critic) if bound == "spectral_norm" else critic
        penalties = [PENALTIES[bound](strength)] if bound in PENALTIES else []
        clip = strength if bound == "clip" else None
        return GAN(generator, critic, latent_dim, OBJECTIVES[objective](), penalties, critic_steps, clip)

    def optimizer(parameters: Iterable[Tensor], lr: float) -> Optimizer:
        return Adam(parameters, lr=lr, betas=tuple(betas), fused=True)

    rows = batch_size * critic_steps
    return Recipe(make, data, batch_size=rows, optimizer=optimizer, **training)


def points(dataset: str, split: str) -> Any:
    """A density in the plane: endless fresh points, for training and for tests."""
    from coursekit import data

    if split not in ("train", "test"):
        raise ValueError(f"split: this recipe has 'train' and 'test', got {split!r}.")
    return getattr(data, DENSITIES[dataset])()


def gan_2d(
    dataset: str = "eight_gaussians",
    objective: str = "non_saturating",
    bound: str = "none",
    strength: float = 0.1,
    critic_steps: int = 1,
    latent_dim: int = 2,
    hidden: Sequence[int] = (128, 128),
    steps: int = 3000,
    batch_size: int = 128,
    lr: float = 1e-3,
    betas: Sequence[float] = (0.5, 0.9),
    ema: float = 0.0,
) -> Recipe:
    """Perceptrons on points of a density in the plane."""
    if dataset not in DENSITIES:
        raise ValueError(f"dataset must be one of {', '.join(DENSITIES)}, got {dataset!r}.")
    game = {"objective": objective, "bound": bound, "strength": strength, "critic_steps": critic_steps}
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "betas": betas, "ema": ema}
    return adversarial(
        partial(MLP, latent_dim, 2, hidden),
        partial(MLP, 2, 1, hidden),
        partial(points, dataset),
        latent_dim,
        **game,
        **training,
    )


def dcgan(
    dataset: str = "glyphs",
    objective: str = "non_saturating",
    bound: str = "none",
    strength: float = 10.0,
    critic_steps: int = 1,
    norm: str = "batch",
    latent_dim: int = 64,
    width: int = 64,
    conditional: bool = False,
    steps: int = 3000,
    batch_size: int = 64,
    lr: float = 2e-4,
    betas: Sequence[float] = (0.5, 0.999),
    ema: float = 0.0,
) -> Recipe:
    """DCGAN on images; `norm` is the critic's, and a penalty wants another than "batch".

    Source of the defaults: Radford, Metz & Chintala 2016 (arXiv:1511.06434), section 4, but for the sizes.
    """
    if bound in PENALTIES and norm == "batch":
        raise ValueError(f"bound={bound!r} needs a critic of independent rows: take norm='layer' or 'none'.")
    shape, c_dim = shape_of(dataset), c_dim_of(dataset, conditional)
    game = {"objective": objective, "bound": bound, "strength": strength, "critic_steps": critic_steps}
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "betas": betas, "ema": ema}
    return adversarial(
        partial(DCGANGenerator, latent_dim, shape, width, c_dim),
        partial(DCGANCritic, shape, width, c_dim, norm),
        partial(conditioned, dataset, conditional=conditional),
        latent_dim,
        **game,
        **training,
    )


def resnet_gan(
    dataset: str = "glyphs",
    objective: str = "hinge",
    bound: str = "spectral_norm",
    strength: float = 10.0,
    critic_steps: int = 1,
    latent_dim: int = 64,
    width: int = 64,
    conditional: bool = False,
    steps: int = 3000,
    batch_size: int = 64,
    lr: float = 2e-4,
    betas: Sequence[float] = (0.0, 0.9),
    ema: float = 0.0,
) -> Recipe:
    """Residual generator and critic on images, with spectral normalization.

    Source of the defaults: Miyato et al. 2018 (arXiv:1802.05957), but for the sizes.
    """
    shape, c_dim = shape_of(dataset), c_dim_of(dataset, conditional)
    game = {"objective": objective, "bound": bound, "strength": strength, "critic_steps": critic_steps}
    training = {"steps": steps, "batch_size": batch_size, "lr": lr, "betas": betas, "ema": ema}
    return adversarial(
        partial(ResNetGenerator, latent_dim, shape, width, c_dim),
        partial(ResNetCritic, shape, width, c_dim),
        partial(conditioned, dataset, conditional=conditional),
        latent_dim,
        **game,
        **training,
    )


WASSERSTEIN = {"objective": "wasserstein", "bound": "gradient_penalty", "critic_steps": 5}
register("gan_2d", gan_2d)
register("dcgan", dcgan)
register("wgan_gp", dcgan, **WASSERSTEIN, norm="layer", lr=1e-4, betas=(0.0, 0.9))
register("resnet_gan", resnet_gan)
