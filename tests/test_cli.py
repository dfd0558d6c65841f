"""The command line, from training to a result file, on the 8x8 digits."""

import json
import math

import pytest
import torch
from torchvision.io import read_image
from typer.testing import CliRunner

from coursekit import recipes
from coursekit.cli import app


def coursekit(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    return result.output if code else result.stdout


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two short trainings that differ by seed."""
    root = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        options = ["--folder", root / str(seed), "--steps", 20, "--seed", seed, "--device", "cpu"]
        coursekit("train", "vae_digits", *options, "--set", "hidden=[16]", "--set", "lr=0.01")
    return [root / "0", root / "1"]


def test_recipes_lists_names_and_keywords():
    """It is where one looks up what --set takes."""
    assert "iwae_mnist" in coursekit("recipes")
    assert 'binarization = "dynamic"' in coursekit("recipes")


def test_train_sets_keywords_of_the_recipe(folders):
    """The value is read as JSON, so a list is a list."""
    config = json.loads((folders[0] / "config.json").read_text())
    assert config["keywords"]["hidden"] == [16]
    assert config["keywords"]["lr"] == 0.01
    assert config["training"]["steps"] == 20
    assert config["training"]["versions"]["torch"] == torch.__version__


def test_train_again_continues_by_itself(folders, tmp_path):
    """Twenty steps and then ten more are thirty."""
    options = ["--folder", tmp_path, "--device", "cpu", "--set", "hidden=[16]", "--log-every", "10"]
    coursekit("train", "vae_digits", "--steps", 20, *options)
    coursekit("train", "vae_digits", "--steps", 30, *options)
    state = json.loads((tmp_path / "training.json").read_text())
    assert [record["step"] for record in state["history"]["records"]] == [10, 20, 30]


def test_sample_writes_a_grid(folders, tmp_path):
    """Nine 8x8 images with a border of two pixels make 3 * 10 + 2 on a side."""
    coursekit("sample", folders[0], "--n", 9, "--out", tmp_path / "deep" / "grid.png", "--device", "cpu")
    assert read_image(str(tmp_path / "deep" / "grid.png")).shape == (3, 32, 32)


def test_a_model_of_levels_is_drawn_in_greys_and_judged_without_a_bound(tmp_path):
    """Level 16 of 0 .. 16 is white in the picture; log_prob is exact, so there is no elbo beside it."""
    recipes.save(recipes.build("fvbn", dataset="digits", output="categorical"), tmp_path)
    coursekit("sample", tmp_path, "--n", 9, "--out", tmp_path / "grid.png", "--device", "cpu")
    greys = read_image(str(tmp_path / "grid.png")).unique()
    assert (greys.min(), greys.max()) == (0, 255)
    assert len(greys) == 17
    printed = json.loads(coursekit("evaluate", tmp_path, "--n", 20, "--device", "cpu"))
    assert printed.keys() == {"log_prob", "log_prob_bits_per_dim"}


def test_a_conditional_model_is_drawn_under_conditions_of_its_data(tmp_path):
    """Without them the error says what is missing; a model without a condition finds none in its data."""
    options = ["--n", 9, "--out", tmp_path / "grid.png", "--device", "cpu"]
    made = {"dataset": "digits", "output": "categorical", "hidden": [8]}
    recipes.save(recipes.build("made", conditional=True, **made), tmp_path)
    assert "needs a condition c" in coursekit("sample", tmp_path, *options, code=1)
    coursekit("sample", tmp_path, *options, "--conditions")
    assert read_image(str(tmp_path / "grid.png")).shape == (3, 32, 32)
    recipes.save(recipes.build("made", **made), tmp_path)
    assert "--conditions: " in coursekit("sample", tmp_path, *options, "--conditions", code=1)


def test_a_flow_of_levels_is_judged_in_bits_too_and_drawn_at_a_temperature(tmp_path):
    """-nats / (64 log 2) a pixel; at temperature 0 all images are one; another model has no temperature."""
    recipes.save(recipes.build("image_flow", dataset="digits", layers=[2], widths=[4]), tmp_path)
    options = ["--k", 3, "--n", 20, "--device", "cpu"]
    printed = json.loads(coursekit("evaluate", tmp_path, *options))
    for method in ("elbo", "log_prob"):
        nats, bits = printed[method], printed[f"{method}_bits_per_dim"]
        assert bits["mean"] == pytest.approx(-nats["mean"] / (64 * math.log(2)))
        assert bits["unit"] == "bits per dimension"
    assert printed["elbo"]["mean"] < printed["log_prob"]["mean"]
    grid = ["--n", 2, "--out", tmp_path / "grid.png", "--device", "cpu", "--temperature"]
    coursekit("sample", tmp_path, *grid, 0)
    grey = read_image(str(tmp_path / "grid.png"))[0]  # two images of 8 x 8 with a border of 2 pixels
    assert torch.equal(grey[2:10, 2:10], grey[12:20, 2:10])
    recipes.save(recipes.build("vae_digits"), tmp_path)
    assert "VAE has none" in coursekit("sample", tmp_path, *grid, 0.5, code=1)


def test_a_text_is_printed_or_written_after_its_prompt(tmp_path):
    """As many symbols as asked for, the same ones by the same seed; a picture's model refuses a prompt."""
    recipes.save(recipes.build("char_rnn", dataset="shakespeare", width=8), tmp_path)
    command = ["sample", tmp_path, "--prompt", "To be", "--length", 20, "--device", "cpu"]
    printed = coursekit(*command).removesuffix("\n")
    assert printed.startswith("To be")
    assert len(printed) == 25
    coursekit(*command, "--n", 2, "--out", tmp_path / "deep" / "drawn.txt")
    assert len((tmp_path / "deep" / "drawn.txt").read_text()) == 2 * 25 + 2
    assert "'€', character 0 of the text" in coursekit(*command[:2], "--prompt", "€", code=1)
    recipes.save(recipes.build("fvbn", dataset="digits"), tmp_path)
    assert "holds no model of texts" in coursekit(*command, code=1)


def test_evaluate_writes_what_another_run_of_it_would_print(folders, tmp_path):
    """The result file holds command, seeds, data, time, hardware and versions beside the numbers."""
    arguments = ["evaluate", folders[0], "--k", 3, "--n", 50, "--device", "cpu"]
    printed = json.loads(coursekit(*arguments, "--result", tmp_path / "result.json"))
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["metrics"] == printed == json.loads(coursekit(*arguments))
    assert printed["log_prob"]["n"] == 50
    assert printed["log_prob"]["mean"] > printed["elbo"]["mean"]
    assert result["settings"] == {"split": "test", "k": 3, "n": 50, "batch_size": 64, "seed": 0}
    assert {"command", "date", "hardware", "versions"} < result.keys()
    assert result["runs"][0]["seed"] == 0


def test_evaluate_of_two_trainings_reports_their_spread(folders, tmp_path):
    """The mean and the standard deviation are over trainings, the standard error over rows."""
    coursekit("evaluate", *folders, "--n", 50, "--device", "cpu", "--result", tmp_path / "r.json")
    result = json.loads((tmp_path / "r.json").read_text())
    one, other = (run["metrics"]["elbo"]["mean"] for run in result["runs"])
    assert result["metrics"]["elbo"]["mean"] == pytest.approx((one + other) / 2)
    assert result["metrics"]["elbo"]["std_over_runs"] == pytest.approx(abs(one - other) / 2**0.5)
    assert [run["seed"] for run in result["runs"]] == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "vea"], "No recipe is called 'vea'"),
        (["train", "vae", "--set", "latent_dim"], "--set takes key=value"),
        (["train", "vae", "--set", "latent_dim=two"], "should be like 2, got 'two'"),
        (["sample", "nowhere"], "nowhere/config.json is missing"),
    ],
)
def test_a_mistake_is_answered_by_its_message_alone(arguments, message):
    """Whoever mistypes wants a sentence and no traceback."""
    output = coursekit(*arguments, code=1)
    assert message in output
    assert "Traceback" not in output


def test_a_model_that_can_not_be_sampled_or_judged_says_so(tmp_path):
    """An autoencoder has no p(x): that is its lesson."""
    recipes.save(recipes.build("autoencoder", dataset="digits"), tmp_path)
    assert "Autoencoder can't be sampled" in coursekit("sample", tmp_path, "--device", "cpu", code=1)
    assert "Autoencoder has no elbo" in coursekit("evaluate", tmp_path, "--device", "cpu", code=1)
