"""Recipes of flows of vectors: known densities, images as vectors, and a start that can be repeated."""

import pytest
import torch
from torch import nn

from coursekit import recipes
from coursekit.models.flows import ActNorm, Dequantized, Flow
from coursekit.recipes.flows import DENSITIES

SMALL = {"hidden": [8], "layers": 3, "batch_size": 16}
NAMES = ["nice", "real_nvp", "spline_flow", "maf"]


def norms(model: nn.Module) -> list[ActNorm]:
    return [layer for layer in model.modules() if isinstance(layer, ActNorm)]


@pytest.mark.parametrize("name", NAMES)
def test_each_recipe_trains_in_the_plane_and_comes_back_from_its_folder(name, tmp_path):
    recipe = recipes.get(name, dataset="rings", **SMALL)
    trained, _ = recipes.train(recipe, tmp_path, steps=2, progress=False, device="cpu")
    loaded = recipes.load(tmp_path)
    x, _ = recipe.data("test").batch(0, 8)
    assert isinstance(loaded, Flow)
    assert torch.equal(loaded.log_prob(x), trained.log_prob(x))


@pytest.mark.parametrize("name", NAMES)
def test_digits_are_vectors_of_64_pixels_with_noise(name):
    """As for images: a bound on the probability of the levels; labels as a condition."""
    recipe = recipes.get(name, dataset="digits", conditional=True, **SMALL)
    model, (x, c) = recipe.build(), recipe.data("train").batch(0, 8)
    assert isinstance(model, Dequantized)
    assert model.sample(3, c[:3]).shape == (3, 1, 8, 8)
    assert model.log_prob(x, c, k=2).isfinite().all()


def test_the_start_is_the_same_in_every_run_and_from_data():
    """Two models with the same weights start alike, and what the first ActNorm gives is standardized."""
    recipe = recipes.get("real_nvp", dataset="digits", **SMALL)
    torch.manual_seed(0)
    first = recipe.build()
    torch.manual_seed(0)
    second = recipe.build()
    data = recipe.data("train")
    recipe.start(first, data)
    torch.randn(3)  # the caller's random state has no say
    recipe.start(second, data)
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert norms(first)[0].log_scale.abs().min() > 0


@pytest.mark.parametrize("name", ["real_nvp", "spline_flow", "maf"])
def test_a_run_that_was_killed_ends_with_the_same_bits(name, tmp_path):
    """The start is not repeated on resuming: it would undo what the layers have learnt."""
    recipe = recipes.get(name, dataset="two_moons", **SMALL)
    options = {"steps": 6, "progress": False, "device": "cpu", "checkpoint_every": 2}
    whole, _ = recipes.train(recipe, tmp_path / "whole", **options)

    def kill(trainer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipes.train(recipe, tmp_path / "killed", every=(5, kill), **options)
    resumed, _ = recipes.train(recipe, tmp_path / "killed", **options)
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_a_start_called_before_fit_is_what_a_recipe_does():
    """By hand, on the same first rows."""
    recipe = recipes.get("maf", dataset="pinwheel", **SMALL)
    torch.manual_seed(0)
    by_recipe = recipe.build()
    torch.manual_seed(0)
    by_hand = recipe.build()
    data = recipe.data("train")
    recipe.start(by_recipe, data)
    by_hand.start(data.batch(0, 256)[0])
    for a, b in zip(by_recipe.state_dict().values(), by_hand.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("dataset", DENSITIES)
def test_the_test_points_of_every_density_are_fixed_and_not_those_of_training(dataset):
    recipe = recipes.get("nice", dataset=dataset)
    test, again = (recipe.data("test") for _ in range(2))
    assert torch.equal(test.x, again.x)
    assert len(test) == 10_000
    train = recipe.data("train").batch(0, 10_000)[0]
    assert not (test.x[:, None] == train[None, :500]).all(-1).any()


@pytest.mark.parametrize(
    ("name", "keywords", "message"),
    [
        ("nice", {"dataset": "moons"}, "dataset must be one of .*digits.*two_moons"),
        ("nice", {"dataset": "rings", "conditional": True}, "conditional=True needs a set with labels"),
        ("maf", {"order": "raster"}, "order must be 'reversed' or 'random', got 'raster'"),
    ],
)
def test_what_does_not_fit_is_named(name, keywords, message):
    with pytest.raises(ValueError, match=message):
        recipes.get(name, **keywords)


def test_a_split_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="'train' and 'test', got 'valid'"):
        recipes.get("nice").data("valid")
