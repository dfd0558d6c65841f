"""Recipes: building by name, and folders that hold what they say."""

import inspect
import json
import sys
from importlib.machinery import ModuleSpec

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from coursekit import data, recipes
from coursekit.data import ImageSet, TensorSet
from coursekit.models.vae import VAE
from coursekit.recipes.records import record
from coursekit.recipes.registry import Recipe, register
from coursekit.recipes.vae import stages, start_from_mean


class Counter(nn.Module):
    """One affine map; JSON can't hold its keyword `callback`."""

    def __init__(self, width: int):
        super().__init__()
        self.width = width
        self.net = nn.Linear(3, width)

    def losses(self, x, c=None):
        yield "model", self.net(x).square().mean()


def tiny(
    width: int = 4, rate: float = 0.1, sizes: tuple = (1, 2), flag: bool = False, label: str = "a"
) -> Recipe:
    def data(split: str) -> TensorSet:
        return TensorSet(torch.ones(16, 3))

    return Recipe(lambda: Counter(width), data, steps=6, batch_size=4, lr=rate, ema=0.5)


@pytest.fixture(autouse=True)
def _tiny_is_registered(monkeypatch):
    monkeypatch.setattr(recipes.registry, "_RECIPES", dict(recipes.registry._RECIPES))
    register("tiny", tiny)


@pytest.mark.parametrize("name", sorted(recipes.known()))
def test_every_recipe_builds_saves_and_loads_the_same_model(name, tmp_path):
    """Loading starts from other random weights, so equal parameters come from the file."""
    model = recipes.build(name)
    recipes.save(model, tmp_path)
    loaded = recipes.load(tmp_path)
    assert not loaded.training
    assert type(loaded) is type(model)
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key


@pytest.mark.parametrize("name", sorted(recipes.known()))
def test_every_keyword_has_a_json_default_and_a_documented_function(name):
    """So that the command line can set it and a checkpoint can hold it."""
    assert json.loads(json.dumps(recipes.known()[name])).keys() == recipes.known()[name].keys()
    assert inspect.getdoc(recipes.registry._RECIPES[name].func)


def test_training_in_a_folder_saves_the_average_and_goes_on_when_called_again(tmp_path):
    """The second call has nothing to train and returns the same weights; a third trains on."""
    recipe = recipes.get("tiny", width=5)
    model, history = recipes.train(recipe, tmp_path, progress=False, device="cpu")
    again, _ = recipes.train(recipe, tmp_path, progress=False, device="cpu")
    loaded = recipes.load(tmp_path)
    assert history.steps[-1] == 6
    assert loaded.width == 5
    assert torch.equal(loaded.net.weight, model.net.weight)
    assert torch.equal(again.net.weight, model.net.weight)
    longer, _ = recipes.train(recipe, tmp_path, steps=8, progress=False, device="cpu")
    assert not torch.equal(longer.net.weight, model.net.weight)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["training"]["steps"] == 8
    assert config["keywords"]["width"] == 5


def test_a_folder_of_other_keywords_is_refused(tmp_path):
    """The weights might fit and the run would silently be another one."""
    recipes.train(recipes.get("tiny"), tmp_path, progress=False, device="cpu")
    with pytest.raises(ValueError, match="holds a training with keywords"):
        recipes.train(recipes.get("tiny", rate=0.2), tmp_path, progress=False, device="cpu")
    with pytest.raises(ValueError, match="holds a training with seed 0, not 1"):
        recipes.train(recipes.get("tiny"), tmp_path, seed=1, progress=False, device="cpu")


def test_an_unknown_recipe_or_keyword_lists_the_known():
    """A typing mistake is mended by reading the message."""
    with pytest.raises(ValueError, match=r"No recipe is called 'vea'; there are .*iwae_mnist.*vae"):
        recipes.get("vea")
    with pytest.raises(ValueError, match=r"no keyword 'latent'; it has .*latent_dim"):
        recipes.get("vae", latent=2)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("width", "4"), ("width", 4.0), ("width", True), ("rate", "x"), ("sizes", 3), ("flag", 1), ("label", 2)],
)
def test_a_value_of_the_wrong_kind_is_named(keyword, value):
    """`--set width=four` should not end deep in torch."""
    with pytest.raises(ValueError, match=f"Keyword '{keyword}' of recipe 'tiny' should be like"):
        recipes.get("tiny", **{keyword: value})


def test_whole_numbers_pass_for_floats_and_tuples_for_lists():
    """Nobody types 1.0, and JSON knows no tuples: keywords compare equal before and after a file."""
    keywords = recipes.get("tiny", rate=1, sizes=(3,)).keywords
    assert keywords == json.loads(json.dumps(keywords))
    assert isinstance(keywords["rate"], float)


def test_a_model_built_by_hand_can_not_be_saved(tmp_path):
    """Nothing says how to build it again."""
    with pytest.raises(ValueError, match="Counter was not built by a recipe"):
        recipes.save(Counter(2), tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_keyword_that_json_can_not_hold_is_an_error_at_saving(tmp_path):
    """Not at loading, when it is too late."""
    model = recipes.build("tiny", sizes=[torch.zeros(2)])
    with pytest.raises(TypeError, match="Keyword 'sizes' of recipe 'tiny'"):
        recipes.save(model, tmp_path)
    with pytest.raises(TypeError, match="nan"):
        recipes.save(recipes.build("tiny", rate=float("nan")), tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["truncated", "foreign"])
def test_a_damaged_file_is_named(name, damage, tmp_path):
    """Half a download, or another file under the same name."""
    recipes.save(recipes.build("tiny"), tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:30] if damage == "truncated" else b"{}")
    with pytest.raises(ValueError, match=f"{name}.*altered"):
        recipes.load(tmp_path)


def test_weights_of_another_model_are_noticed(tmp_path):
    """The hash in config.json belongs to the weights that were saved with it."""
    recipes.save(recipes.build("tiny", width=4), tmp_path / "a")
    recipes.save(recipes.build("tiny", width=4), tmp_path / "b")
    (tmp_path / "a" / "model.safetensors").replace(tmp_path / "b" / "model.safetensors")
    with pytest.raises(ValueError, match="truncated or altered: its sha256"):
        recipes.load(tmp_path / "b")


def test_an_altered_keyword_that_changes_the_shape_is_noticed(tmp_path):
    """The weights no longer fit."""
    recipes.save(recipes.build("tiny", width=4), tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"width": 4', '"width": 5'))
    with pytest.raises(ValueError, match=r"model.safetensors does not fit the recipe in config.json"):
        recipes.load(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(name, tmp_path):
    """Half a folder was copied."""
    recipes.save(recipes.build("tiny"), tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is missing"):
        recipes.load(tmp_path)


def test_a_training_that_was_stopped_is_not_loaded(tmp_path):
    """The folder holds a recipe and no model yet."""

    def stop(trainer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipes.train(recipes.get("tiny"), tmp_path, progress=False, device="cpu", every=(2, stop))
    with pytest.raises(ValueError, match="is unfinished: run the same training command again"):
        recipes.load(tmp_path)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"net": "cnn"}, "net must be 'mlp' or 'conv', got 'cnn'"),
        ({"dataset": "emnist"}, "dataset must be one of digits, glyphs"),
        ({"likelihood": "poisson"}, "likelihood must be 'bernoulli' or 'gaussian'"),
    ],
)
def test_a_choice_that_does_not_exist_lists_the_choices(keywords, message):
    """The recipe itself checks what its words may be."""
    with pytest.raises(ValueError, match=message):
        recipes.build("vae", **keywords)


def test_the_stages_of_the_iwae_paper_last_three_times_longer_each():
    """At the paper's own 3,280 epochs, stage i has 3^i epochs at 10^(-i / 7)."""
    factors = [stages(epoch, 3280) for epoch in range(3280)]
    expected = [10 ** (-i / 7) for i in range(8) for _ in range(3**i)]
    assert_close(factors, expected)


def test_the_output_bias_starts_from_the_mean_image():
    """With zero input to the last layer the decoder's probabilities are the mean, kept off 0 and 1."""
    model = recipes.build("iwae_mnist")
    mean = torch.linspace(0, 1, 784)
    x = (mean > torch.rand(500, 784)).float().view(500, 1, 28, 28)
    start_from_mean(model, TensorSet(x))
    with torch.no_grad():
        model.decoder.net.layers[-1].weight.zero_()
        p = model.decode(torch.zeros(1, 50)).base_dist.probs.flatten()
    assert_close(p, x.mean(0).flatten().clamp(0.001, 0.999))


def test_the_iwae_recipe_trains_on_the_bound_it_is_asked_for():
    """One layer of 200-200 units each way, 50 latents; k = 1 is the VAE."""
    vae, iwae = recipes.build("iwae_mnist"), recipes.build("iwae_mnist", objective="iwae", k=5)
    assert (type(vae), iwae.k) == (VAE, 5)
    assert sum(p.numel() for p in vae.parameters()) == sum(
        (a + 1) * b for a, b in [(784, 200), (200, 200), (200, 100), (50, 200), (200, 200), (200, 784)]
    )
    with pytest.raises(ValueError, match="objective must be 'vae' with k=1"):
        recipes.build("iwae_mnist", k=5)


def test_held_out_images_are_in_no_training_batch(monkeypatch):
    """Settings are chosen on images that neither training nor the final test has seen."""
    every = ImageSet(torch.arange(50, dtype=torch.uint8).view(50, 1, 1, 1))
    monkeypatch.setattr(data, "mnist", lambda train: every if train else every[:7])
    split = recipes.get("iwae_mnist", held_out=20).data
    assert split("train").images.flatten().tolist() == list(range(30))
    assert split("valid").images.flatten().tolist() == list(range(30, 50))
    assert len(split("test")) == 7
    with pytest.raises(ValueError, match="split: this recipe has 'train' and 'test', got 'valid'"):
        recipes.get("iwae_mnist").data("valid")
    with pytest.raises(ValueError, match=r"0 for the static set, got 20"):
        recipes.get("iwae_mnist", binarization="static", held_out=20)


def test_a_record_says_how_the_program_was_called(monkeypatch):
    """A command that can be typed again: a module is called otherwise than a script."""
    monkeypatch.setattr(sys, "argv", ["/some/where/coursekit", "train", "two words"])
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    assert record()["command"] == "coursekit train 'two words'"
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", ModuleSpec("bench.__main__", None))
    assert record()["command"] == "python -m bench train 'two words'"
