"""Every family trains with a condition, and is judged by whether its samples are of the class asked for."""

from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from coursekit import data, recipes
from coursekit.judge import as_pictures, judge
from coursekit.recipes.images import c_dim_of, conditioned

TINY = {"dataset": "digits", "conditional": True}
FAMILIES = {
    "autoregressive": ("made", {"hidden": [16], "output": "categorical", "levels": 2}),
    "vae": ("vae", {"hidden": [16], "likelihood": "gaussian"}),
    "vae, learnt prior": ("vae", {"hidden": [16], "prior": "learnt"}),
    "gan": ("dcgan", {"width": 4, "latent_dim": 3, "batch_size": 8}),
    "flow": ("image_flow", {"layers": [2], "widths": [4], "batch_size": 8}),
    "flow of vectors": ("mlp_flow", {"layers": 2, "hidden": [8], "batch_size": 8}),
    "diffusion of vectors": ("mlp_denoiser", {"hidden": [8], "sampling_steps": 2, "batch_size": 8}),
    "diffusion": (
        "unet",
        {"width": 8, "multipliers": [1], "attention": [], "sampling_steps": 2, "batch_size": 8},
    ),
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("reader") / "classifier"
    recipes.save(recipes.build("classifier", dataset="digits", features=4, width=4), folder)
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_judged_by_the_classes_of_its_samples(family, reader, tmp_path):
    name, keywords = FAMILIES[family]
    recipe = recipes.get(name, **TINY, **keywords)
    recipes.train(recipe, tmp_path, steps=1, progress=False, device="cpu")
    found = judge(tmp_path, "test", torch.device("cpu"), features=str(reader), n=300, batch_size=300)[
        "metrics"
    ]
    assert found["class_accuracy"]["mean"] == pytest.approx(accuracy_by_hand(recipe, tmp_path, reader))
    likelihood = {"autoregressive": "log_prob", "gan": None}.get(family, "elbo")
    assert (likelihood in found) if likelihood else not {"elbo", "log_prob"} & set(found)


@torch.no_grad()
def accuracy_by_hand(recipe: recipes.Recipe, folder: Path, reader: Path) -> float:
    """The same draws, scaled and read here: the share that is of the class asked for."""
    model, classifier, test = recipes.load(folder), recipes.load(reader), recipe.data("test")
    c = test.batch(0, 300)[1]
    torch.manual_seed(0)
    drawn = as_pictures(model.sample(300, c, **recipe.sampling), test, (1, 8, 8))
    return (classifier(drawn).argmax(1) == c).double().mean().item()


def test_a_set_of_styles_has_them_as_its_condition():
    """Twelve numbers: the class, weight and slant; a recipe's network has room for them."""
    x, c = conditioned("styled_glyphs", "train").batch(0, 4)
    assert c.shape == (4, c_dim_of("styled_glyphs")) == (4, 12)
    assert c_dim_of("mnist") == 10
    assert c_dim_of("mnist", conditional=False) == 0
    assert recipes.build("unet", dataset="styled_glyphs", conditional=True, patch=1).denoiser.net.c_dim == 12
    assert x.shape == (4, 1, 14, 14)


def test_a_learnt_prior_needs_a_condition():
    with pytest.raises(ValueError, match="prior must be 'fixed', or 'learnt' with conditional=True"):
        recipes.get("vae", prior="learnt")


def test_a_classifier_reads_every_kind_of_image():
    """Levels and zeros and ones become greys in [-1, 1]; a small image is enlarged, and keeps its values."""
    digits = data.digits(train=False)[:3]
    greys = as_pictures(digits.x, digits, (1, 8, 8))
    assert_close(as_pictures(digits.discrete().x, digits.discrete(), (1, 8, 8)), greys)
    black_and_white = digits.binarized(0.5)
    assert set(as_pictures(black_and_white.x, black_and_white, (1, 8, 8)).unique().tolist()) == {-1.0, 1.0}
    even = torch.full((1, 1, 14, 14), 0.3)
    assert_close(as_pictures(even, None, (1, 28, 28)), torch.full((1, 1, 28, 28), 0.3))
