"""Recipes of GANs: every objective and bound, images and points, and what can't go together."""

import pytest
import torch
from torch import nn

from coursekit import recipes
from coursekit.models.gan import GAN
from coursekit.recipes.gan import BOUNDS, OBJECTIVES

IMAGES = ["dcgan", "wgan_gp", "resnet_gan"]
TINY = {"dataset": "digits", "width": 4, "latent_dim": 3, "batch_size": 4}


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("bound", BOUNDS)
def test_every_objective_goes_with_every_bound(objective, bound):
    """Two steps of training, with two of the critic for each of the generator."""
    settings = {"hidden": [8], "batch_size": 4, "critic_steps": 2}
    recipe = recipes.get("gan_2d", objective=objective, bound=bound, **settings)
    model, (x, _) = recipe.build(), recipe.data("train").batch(0, recipe.batch_size)
    assert len(x) == 8
    assert [player for player, loss in model.losses(x)] == ["critic", "critic", "generator"]
    assert type(model.objective) is OBJECTIVES[objective]
    clipped = max(p.abs().max() for p in model.critic.parameters()) <= 0.1
    assert clipped == (bound == "clip")


@pytest.mark.parametrize("name", IMAGES)
def test_image_recipes_train_and_come_back_from_their_folder(name, tmp_path):
    recipe = recipes.get(name, conditional=True, ema=0.9, **TINY)
    trained, _ = recipes.train(recipe, tmp_path, steps=2, progress=False, device="cpu")
    loaded = recipes.load(tmp_path)
    assert isinstance(loaded, GAN)
    z, c = torch.randn(5, 3), torch.arange(5)
    assert torch.equal(loaded.decode(z, c), trained.decode(z, c))
    assert loaded.decode(z, c).shape == (5, 1, 8, 8)


def test_the_optimizer_has_the_recipes_betas():
    """DCGAN's paper lowers Adam's first beta to 0.5; WGAN-GP's takes 0 and 0.9."""
    for name, betas in (("dcgan", (0.5, 0.999)), ("wgan_gp", (0.0, 0.9))):
        optimizer = recipes.get(name).optimizer([nn.Parameter(torch.zeros(1))], 1e-3)
        assert optimizer.defaults["betas"] == betas


@pytest.mark.parametrize(
    ("name", "keywords", "message"),
    [
        ("gan_2d", {"objective": "kl"}, "objective must be one of minimax, .* got 'kl' and 'none'"),
        ("gan_2d", {"bound": "cut"}, "bound one of none, clip, .* got 'non_saturating' and 'cut'"),
        ("gan_2d", {"dataset": "mnist"}, "dataset must be one of two_moons"),
        ("dcgan", {"dataset": "rings"}, "dataset must be one of digits"),
        ("dcgan", {"bound": "r1"}, "needs a critic of independent rows"),
    ],
)
def test_what_can_not_be_is_named(name, keywords, message):
    with pytest.raises(ValueError, match=message):
        recipes.get(name, **keywords)
