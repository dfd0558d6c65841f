"""Judging models without a likelihood, through the command line."""

import json

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from typer.testing import CliRunner

from coursekit import data, recipes
from coursekit.cli import app
from coursekit.metrics.frechet import frechet_distance
from coursekit.metrics.samples import judge_samples
from coursekit.recipes.registry import Recipe, register

DIGITS = data.digits(train=False)
MEANS = [[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]]


class Sampler(nn.Module):
    """Draws by shuffling and disturbing what it was given."""

    def __init__(self, x: torch.Tensor, noise: float):
        super().__init__()
        self.noise = noise
        self.register_buffer("x", x)
        self.weight = nn.Parameter(torch.zeros(1))

    def sample(self, n: int, c: torch.Tensor | None = None) -> torch.Tensor:
        rows = torch.randint(len(self.x), (n,))
        return self.x[rows] + self.noise * torch.randn(n, *self.x.shape[1:])


def images(dataset: str = "digits", noise: float = 0.5) -> Recipe:
    return Recipe(lambda: Sampler(DIGITS.x, noise), lambda split: data.digits(split == "train"), steps=1)


def points(kept: int = 2, noise: float = 0.1) -> Recipe:
    return Recipe(
        lambda: Sampler(torch.tensor(MEANS[:kept]), noise), lambda split: data.GaussianMixture(MEANS, 0.01), 1
    )


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(recipes.registry, "_RECIPES", dict(recipes.registry._RECIPES))
    register("sampler_images", images)
    register("sampler_points", points)


@pytest.fixture
def judge_folder(tmp_path):
    """A classifier, as it was just trained."""
    torch.manual_seed(0)
    recipes.save(recipes.build("classifier", dataset="digits", features=8, width=4), tmp_path / "classifier")
    return tmp_path / "classifier"


def coursekit(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    return result.output if code else result.stdout


def test_images_are_judged_by_the_named_classifiers_features(judge_folder, tmp_path):
    """The result names the classifier and its hash, so that its numbers pass for no other network's."""
    recipes.save(recipes.build("sampler_images"), tmp_path / "model", seed=5)
    file = tmp_path / "r.json"
    options = ["--features", judge_folder, "--n", 200, "--seed", 3, "--device", "cpu", "--result", file]
    printed = json.loads(coursekit("evaluate", tmp_path / "model", *options))
    result = json.loads(file.read_text())
    assert result["metrics"] == printed
    names = ["frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage"]
    assert list(printed) == names
    assert {metric["features"] for metric in printed.values()} == {"classifier"}
    run = result["runs"][0]
    assert run["features"]["name"] == "classifier"
    assert run["features"]["sha256"] == json.loads((judge_folder / "config.json").read_text())["sha256"]
    network, model = recipes.load(judge_folder), recipes.load(tmp_path / "model")
    torch.manual_seed(3)
    x = torch.cat([DIGITS.batch(step, 64, 3)[0] for step in range(4)])[:200]
    drawn = torch.cat([model.sample(n) for n in (64, 64, 64, 8)])
    with torch.no_grad():
        expected = frechet_distance(x, drawn, network.features).mean
    assert printed["frechet_distance"]["mean"] == pytest.approx(expected)
    rows = torch.cat([data.digits().batch(step, 64, 4)[0] for step in range(4)])[:200]
    reference = run["training_data"]["frechet_distance"]
    assert reference["mean"] == pytest.approx(
        frechet_distance(x, rows, lambda x: network.features(x).detach()).mean
    )
    assert reference["mean"] < expected


def test_better_samples_score_better(judge_folder, tmp_path):
    """Less noise: a lower distance, a higher precision."""
    scores = {}
    for noise in (0.0, 2.0):
        recipes.save(recipes.build("sampler_images", noise=noise), tmp_path / "model")
        found = coursekit("evaluate", tmp_path / "model", "--features", judge_folder, "--device", "cpu")
        scores[noise] = json.loads(found)
    assert scores[0.0]["frechet_distance"]["n"] == 300
    assert scores[0.0]["frechet_distance"]["mean"] < scores[2.0]["frechet_distance"]["mean"]
    assert scores[0.0]["precision"]["mean"] == 1 > scores[2.0]["precision"]["mean"]


def test_without_a_classifier_of_the_data_set_the_error_names_what_is_missing(tmp_path):
    recipes.save(recipes.build("sampler_images"), tmp_path)
    assert "classifier-digits" in coursekit("evaluate", tmp_path, "--device", "cpu", code=1)


def test_points_of_known_modes_are_counted_over_seeds(tmp_path):
    """Two runs, each with two of three modes: the mean is 2 and nothing spreads; no classifier is asked."""
    for seed in (0, 1):
        recipes.save(recipes.build("sampler_points"), tmp_path / str(seed), seed=seed)
    found = json.loads(coursekit("evaluate", tmp_path / "0", tmp_path / "1", "--n", 500, "--device", "cpu"))
    modes = {"mean": 2, "n": 500, "unit": "of 3 modes", "runs": 2, "std_over_runs": 0}
    assert found["modes_covered"] == modes
    within = 1 - torch.tensor(-4.5).exp().item()  # a Gaussian of two dimensions, within three deviations
    assert found["high_quality"]["mean"] == pytest.approx(within, abs=0.02)
    assert found["recall"]["mean"] < 0.7


def test_a_sample_is_drawn_for_every_condition():
    """A conditional model is compared with data of the same labels."""

    class Named(nn.Module):
        def sample(self, n: int, c: torch.Tensor) -> torch.Tensor:
            assert len(c) == n
            return torch.stack([c, -c], 1).double()

    labels = torch.arange(60) % 7
    x = torch.stack([labels, -labels], 1).double()
    found = judge_samples(Named(), (x, labels), batch_size=25)
    assert_close(found["frechet_distance"].mean, 0.0)


def test_a_classifier_is_judged_by_its_accuracy_and_shipped_with_it(judge_folder, tmp_path):
    """The manifest holds what evaluate prints, and the data in words."""
    metrics = json.loads(coursekit("evaluate", judge_folder, "--device", "cpu"))
    assert metrics["accuracy"]["n"] == 300
    coursekit("ship", judge_folder, "some-name", "--shelf", tmp_path / "shelf", "--device", "cpu")
    manifest = json.loads((tmp_path / "shelf" / "some-name" / "config.json").read_text())
    assert manifest["metrics"] == metrics
    assert manifest["data"]["train"] == "ImageSet(1497 images (1, 8, 8), 17 levels)"
    assert recipes.load(tmp_path / "shelf" / "some-name").classes == 10
