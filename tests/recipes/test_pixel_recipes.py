"""Recipes of image models: trained by the command line's functions on data that needs no download."""

import pytest
import torch

from coursekit import recipes
from coursekit.models.ar import PixelModel
from coursekit.recipes import pixels


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("fvbn", {}),
        ("nade", {"hidden": 8, "output": "categorical"}),
        ("made", {"hidden": [20], "order": "random", "ema": 0.5}),
        ("pixelcnn", {"output": "categorical", "width": 4, "layers": 1, "first": 3}),
        ("gated_pixelcnn", {"output": "mixture", "levels": 4, "conditional": True, "width": 4, "layers": 2}),
        ("row_lstm", {"width": 4, "layers": 1}),
        ("diagonal_bilstm", {"width": 4, "layers": 1, "conditional": True}),
    ],
)
def test_each_recipe_trains_on_digits_and_comes_back_from_its_folder(name, keywords, tmp_path):
    """The loaded model gives the trained one's log-likelihoods on the test split."""
    recipe = recipes.get(name, dataset="digits", batch_size=8, **keywords)
    trained, history = recipes.train(recipe, tmp_path, steps=2, progress=False, device="cpu")
    loaded = recipes.load(tmp_path)
    x, c = recipe.data("test").batch(0, 4)
    assert isinstance(loaded, PixelModel)
    assert torch.equal(loaded.log_prob(x, c), trained.log_prob(x, c))
    assert (c is None) != keywords.get("conditional", False)
    assert history.steps[-1] == 2


def test_a_random_order_is_the_same_when_the_model_is_built_again():
    """Else weights from a file would belong to another network."""
    first, second = (recipes.build("made", dataset="digits", order="random") for _ in range(2))
    assert first.net.order == second.net.order
    assert first.net.order != recipes.build("made", dataset="digits").net.order


@pytest.mark.parametrize(
    ("keywords", "named"),
    [
        ({"dataset": "cifar"}, "dataset must be one of digits, glyphs, mnist"),
        ({"output": "gauss"}, "output in bernoulli, categorical, mixture"),
        ({"binarization": "threshold", "output": "mixture"}, "is for output='bernoulli'"),
        ({"binarization": "static"}, "binarization='static' is mnist's"),
        ({"dataset": "mnist", "binarization": "static", "conditional": True}, "without labels"),
        ({"order": "diagonal"}, "order must be 'raster' or 'random'"),
    ],
)
def test_what_does_not_fit_is_named(keywords, named):
    with pytest.raises(ValueError, match=named):
        recipes.get("made", **keywords)


def test_a_split_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="'train' and 'test', got 'valid'"):
        pixels.symbols("digits", "bernoulli", 17, "dynamic", False, "valid")
