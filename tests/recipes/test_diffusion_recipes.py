"""Recipes of diffusion models: trained, sampled, judged and shipped as the command line does it."""

import json

import pytest
import torch
from typer.testing import CliRunner

from coursekit import recipes
from coursekit.cli import app
from coursekit.models.diffusion import DDPM, EDM, FlowMatching
from coursekit.train.files import read_json

SMALL = {"dataset": "digits", "width": 4, "batch_size": 4, "sampling_steps": 2}


@pytest.mark.parametrize(
    ("name", "keywords", "model"),
    [
        ("unet", {"variance": "learned", "schedule": "linear", "prediction": "velocity"}, DDPM),
        ("unet_flow_matching", {"multipliers": [1, 2, 2], "patch": 1}, FlowMatching),
        ("unet_edm", {}, EDM),
        ("dit", {"width": 8, "layers": 1}, DDPM),
        ("dit_flow_matching", {"width": 8, "layers": 1, "patch": 2}, FlowMatching),
    ],
)
def test_image_recipes_train_and_come_back_from_their_folder(name, keywords, model, tmp_path):
    """The loaded model draws what the trained one draws, by the recipe's sampler, from the same noise."""
    recipe = recipes.get(name, conditional=True, ema=0.9, **(SMALL | keywords))
    trained, _ = recipes.train(recipe, tmp_path, steps=2, progress=False, device="cpu")
    loaded, draws = recipes.load(tmp_path), []
    assert type(loaded) is model
    for each in (trained, loaded):
        torch.manual_seed(0)
        draws.append(each.sample(3, torch.tensor([0, 5, 9]), **recipe.sampling))
    assert torch.equal(*draws)
    assert draws[0].shape == (3, 1, 8, 8)


@pytest.mark.parametrize("name", ["diffusion_2d", "flow_matching_2d", "edm_2d"])
def test_points_are_learnt_and_judged_as_they_are(name, tmp_path):
    """After 300 short steps nearly all eight modes have samples; an untrained model covers them by chance."""
    settings = ["--set", "hidden=[64,64]", "--set", "batch_size=128", "--steps", "300", "--device", "cpu"]
    coursekit("train", name, "--folder", tmp_path, *settings)
    result = tmp_path / "result.json"
    coursekit("evaluate", tmp_path, "--n", 400, "--device", "cpu", "--result", result)
    metrics = read_json(result)["metrics"]
    assert metrics["modes_covered"]["mean"] >= 7
    assert metrics["high_quality"]["mean"] > 0.2
    assert ("elbo" in metrics) == (name == "diffusion_2d")


def test_a_unet_is_drawn_from_judged_and_shipped_with_few_steps(tmp_path):
    """Its bound in bits per dimension and the distance of its samples lie beside the shipped weights."""
    folder, judge, picture = tmp_path / "unet", tmp_path / "judge", tmp_path / "samples.png"
    settings = [part for key, value in SMALL.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    coursekit("train", "unet", "--folder", folder, *settings, "--steps", 1, "--device", "cpu")
    coursekit("sample", folder, "--n", 4, "--out", picture, "--device", "cpu")
    assert picture.stat().st_size > 0
    recipes.save(recipes.build("classifier", dataset="digits", features=8, width=4), judge)
    options = ["--n", 24, "--features", judge, "--device", "cpu", "--result", tmp_path / "result.json"]
    coursekit("evaluate", folder, *options)
    metrics = read_json(tmp_path / "result.json")["metrics"]
    assert metrics["elbo_bits_per_dim"]["mean"] > 0
    assert metrics["frechet_distance"]["n"] == 24


def coursekit(*arguments: object) -> None:
    """Run the command line, which must succeed."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("name", "keywords", "named"),
    [
        ("unet", {"method": "gan"}, "method must be one of ddpm, flow_matching, edm, got 'gan'"),
        ("unet", {"sampler": "magic"}, "sampler must be one of ancestral, .* got 'magic'"),
        ("unet", {"dataset": "cifar"}, "dataset must be one of digits"),
        ("diffusion_2d", {"dataset": "mnist"}, "dataset must be one of two_moons"),
        ("diffusion_2d", {"schedule": "flat"}, "schedule must be one of linear, cosine, sigmoid, got 'flat'"),
    ],
)
def test_what_can_not_be_is_named(name, keywords, named):
    with pytest.raises(ValueError, match=named):
        recipes.get(name, **keywords)
