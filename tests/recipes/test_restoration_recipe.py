"""The recipe of a model that reads measurements: its data, its training, and a draw through `Direct`."""

import pytest
import torch
from torch.testing import assert_close

from coursekit import recipes
from coursekit.models.diffusion import DDIM
from coursekit.recipes.images import images
from coursekit.recipes.restoration import Measured
from coursekit.tasks import Direct, make_operator

OPERATORS = [{"name": "downsample", "factor": 2}, {"name": "exposure", "gain": 2.0}]
SMALL = {"dataset": "digits", "width": 4, "batch_size": 4, "sampling_steps": 2, "operators": OPERATORS}


def test_a_batch_has_equal_parts_of_each_operator():
    """Without noise c is the picture of A(x), by hand; a batch depends on its number alone."""
    made = [make_operator(shape=(1, 8, 8), **each) for each in OPERATORS]
    x, c = Measured(images("digits", "train"), made, 0.0).batch(3, 6, seed=1)
    for rows, operator in zip((slice(3), slice(3, 6)), made, strict=True):
        assert_close(c[rows], operator.picture(operator(x[rows])))
    noisy = Measured(images("digits", "train"), made, 0.5)
    assert_close(noisy.batch(3, 6, seed=1)[0], x)
    assert_close(noisy.batch(3, 6, seed=1)[1], noisy.batch(3, 6, seed=1)[1])
    assert not torch.equal(noisy.batch(3, 6, seed=1)[1], noisy.batch(4, 6, seed=1)[1])


def test_the_recipe_trains_comes_back_and_solves(tmp_path):
    """The loaded model draws what the trained one draws, given the same measurement and noise."""
    recipe = recipes.get("unet_restoration", ema=0.9, **SMALL)
    trained, _ = recipes.train(recipe, tmp_path, steps=2, progress=False, device="cpu")
    operator, draws = make_operator(shape=(1, 8, 8), **OPERATORS[0]), []
    for model in (trained, recipes.load(tmp_path)):
        torch.manual_seed(0)
        draws.append(Direct(DDIM())(model.guided(), operator, torch.zeros(3, 1, 4, 4), 0.05, 3))
    assert torch.equal(*draws)
    assert draws[0].shape == (3, 1, 8, 8)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"operators": []}, "operators is empty"),
        ({"operators": [{"factor": 4}]}, "each operator needs a 'name'"),
        ({"noise": -1.0}, "noise is -1.0"),
        ({"operators": [{"name": "smear"}]}, "no operator is called 'smear'"),
    ],
)
def test_what_can_not_be_is_named(keywords, words):
    with pytest.raises(ValueError, match=words):
        recipes.get("unet_restoration", **keywords)
