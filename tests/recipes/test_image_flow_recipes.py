"""Recipes of flows of images: trained by the command line's functions on data that needs no download."""

import pytest
import torch

from coursekit import recipes
from coursekit.models.flows import Dequantized

SMALL = {"layers": [1, 1], "widths": [4, 4], "noise_layers": 1, "noise_width": 4}


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("image_flow", {"layers": [2], "widths": [4], "ema": 0.5}),
        ("image_flow_variational", {"layers": [1], "widths": [4], "noise_layers": 1, "conditional": True}),
        ("image_flow_multiscale", SMALL),
        ("image_glow", {"flow_steps": 1, "width": 4, "conditional": True}),
    ],
)
def test_each_recipe_trains_on_digits_and_comes_back_from_its_folder(name, keywords, tmp_path):
    """The loaded model gives the trained one's estimates on the test split, from the same noise."""
    recipe = recipes.get(name, dataset="digits", batch_size=8, **keywords)
    trained, history = recipes.train(recipe, tmp_path, steps=2, progress=False, device="cpu")
    loaded = recipes.load(tmp_path)
    x, c = recipe.data("test").batch(0, 4)
    assert isinstance(loaded, Dequantized)
    assert (x.max(), c is None) == (16, not keywords.get("conditional", False))
    torch.manual_seed(0)
    expected = trained.log_prob(x, c, k=2)
    torch.manual_seed(0)
    assert torch.equal(loaded.log_prob(x, c, k=2), expected)
    assert history.steps[-1] == 2


def test_glow_starts_from_the_data_in_the_same_way_every_time(tmp_path):
    """Before the first step its ActNorms have seen images, and two trainings from one seed are equal."""
    recipe = recipes.get("image_glow", dataset="digits", flow_steps=1, width=4)
    one, other = (
        recipes.train(recipe, tmp_path / name, steps=1, progress=False, device="cpu")[0] for name in "ab"
    )
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    model = recipe.build()
    recipe.start(model, recipe.data("train"))
    scales = [value for key, value in model.state_dict().items() if key.endswith("log_scale")]
    assert len(scales) == 2
    assert all((scale != 0).any() for scale in scales)


@pytest.mark.parametrize(
    ("name", "keywords", "named"),
    [
        ("image_flow", {"dataset": "cifar"}, "dataset must be one of digits"),
        ("image_glow", {"noise": "gauss"}, "noise must be one of uniform, variational, got 'gauss'"),
    ],
)
def test_what_does_not_fit_is_named(name, keywords, named):
    with pytest.raises(ValueError, match=named):
        recipes.get(name, **keywords)
