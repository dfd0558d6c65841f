"""What a trained model scores, by whatever can be measured of it: likelihood, accuracy, or samples."""

import inspect
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit import recipes
from coursekit.data import BinarySet, DiscreteSet, GaussianMixture, PairedSet
from coursekit.metrics import likelihood
from coursekit.metrics.accuracy import accuracy
from coursekit.metrics.modes import modes, nearest_mode
from coursekit.metrics.rows import judging
from coursekit.metrics.samples import judge_rows, judge_samples
from coursekit.metrics.translation import judge_domains, judge_pairs
from coursekit.protocols import HasELBO, HasLogProb, HasSample
from coursekit.recipes import shelf
from coursekit.recipes.checkpoint import CONFIG
from coursekit.recipes.images import shape_of
from coursekit.train.files import read_json

# values from other numbers of rows are not comparable
ROWS = 10_000
"""By how many samples are judged, unless told otherwise."""


def judge(
    folder: Path,
    split: str,
    device: torch.device,
    *,
    k: int | None = None,
    features: str | None = None,
    n: int | None = None,
    batch_size: int = 64,
    seed: int = 0,
) -> dict[str, Any]:
    """One model's facts and metrics, JSON-able; arguments as for `coursekit evaluate`."""
    model, config = recipes.load(folder).to(device), read_json(folder / CONFIG)
    recipe = recipes.get(config["recipe"], **config["keywords"])  # with what keywords have been added since
    data, started = recipe.data(split), time.perf_counter()
    options, judged_by = {"n": n, "batch_size": batch_size, "seed": seed}, {}
    ways = recipe.judged_by or _ways(model)
    bounds, metrics = [way for way in ways if way in ("elbo", "log_prob")], {}
    if bounds:
        metrics |= _by_likelihood(model, data, bounds, k, options)
    if "accuracy" in ways:
        metrics["accuracy"] = asdict(accuracy(model, data, **options))
    if "translation" in ways:
        found, judged_by = _by_translation(model, data, features, options)
        metrics |= found
    if "samples" in ways:
        found, judged_by = _by_samples(model, recipe, data, features, options)
        metrics |= found
    seconds = round(time.perf_counter() - started, 1)
    facts = {key: config.get(key) for key in ("recipe", "seed", "training", "sha256")}
    return facts | judged_by | {"keywords": dict(recipe.keywords), "metrics": metrics, "seconds": seconds}


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Each metric of one run, or its mean and standard deviation over several."""
    metrics = [run["metrics"] for run in runs]
    return metrics[0] if len(runs) == 1 else {name: _over(name, metrics) for name in metrics[0]}


def _over(name: str, metrics: list[dict[str, Any]]) -> dict[str, Any]:
    """One metric's mean, spread, and mean standard error, where it has one, over several runs."""
    found = [each[name] for each in metrics]
    means = [each["mean"] for each in found]
    errors = {"stderr": statistics.fmean(each["stderr"] for each in found)} if "stderr" in found[0] else {}
    spread = {"runs": len(means), "std_over_runs": statistics.stdev(means)}
    return found[0] | {"mean": statistics.fmean(means)} | errors | spread


def _ways(model: nn.Module) -> list[str]:
    """What a model is judged by whose recipe does not say."""
    if isinstance(model, HasELBO | HasLogProb):
        return [name for name in ("elbo", "log_prob") if hasattr(model, name)]
    if hasattr(model, "probabilities"):
        return ["accuracy"]
    if isinstance(model, HasSample):
        return ["samples"]
    raise ValueError(
        f"{type(model).__name__} has no elbo and no log_prob, and can't be sampled: it can't be judged."
    )


def _by_likelihood(
    model: nn.Module, data: Any, methods: list[str], k: int | None, options: dict[str, Any]
) -> dict[str, Any]:
    if hasattr(data, "windows"):  # a text
        return {"log_prob": asdict(likelihood.per_symbol(model, data, **options))}
    metrics = {}
    for method in methods:
        takes = inspect.signature(getattr(model, method)).parameters
        chosen = {} if k is None else {name: k for name in ("k", "draws") if name in takes}
        found = likelihood.evaluate(model, data, method=method, **chosen, **options)
        metrics[method] = asdict(found)
        if isinstance(data, DiscreteSet) or getattr(model, "levels", None):
            metrics[f"{method}_bits_per_dim"] = asdict(likelihood.bits_per_dim(found, math.prod(data.shape)))
    return metrics


def _by_samples(
    model: nn.Module, recipe: recipes.Recipe, data: Any, features: str | None, options: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metrics of samples; whose features they were measured with, and what training data score with them."""
    n = options["n"] or min(ROWS, len(data) if hasattr(data, "__len__") else ROWS)
    options, network, judged_by = options | {"n": n}, None, {"name": "points as they are"}
    device = next(model.parameters()).device
    x, c = data.batch(0, 1)
    points, classify = x.ndim == 2, None
    if not points:
        folder = _classifier(features or f"classifier-{_reader_of(recipe)}")
        config = read_json(folder / CONFIG)
        classifier = recipes.load(folder).to(device)
        shape = shape_of(config["keywords"]["dataset"])
        network = lambda x: classifier.features(as_pictures(x, data, shape))  # noqa: E731
        if c is not None and c.ndim <= 2:  # labels, or vectors that begin with a one-hot row
            classify = lambda x: classifier(as_pictures(x, data, shape))  # noqa: E731
        judged_by = {"name": folder.name, "sha256": config["sha256"], "metrics": config.get("metrics")}
    found = judge_samples(model, data, network, sampling=recipe.sampling, classify=classify, **options)
    metrics = _plain(found, judged_by["name"])
    reference = judge_rows(recipe.data("train"), data, network, device=device, **options)
    if points and isinstance(data, GaussianMixture):
        metrics |= _modes(model, data, n, options["seed"])
    return metrics, {"features": judged_by, "training_data": _plain(reference, judged_by["name"])}


def _reader_of(recipe: recipes.Recipe) -> str:
    """The set whose classifier judges a recipe's samples: that of glyphs is for smaller ones, too."""
    name = str(recipe.keywords.get("dataset"))
    return "glyphs" if name in ("small_glyphs", "styled_glyphs") else name


def as_pictures(x: Tensor, data: Any, shape: Sequence[int]) -> Tensor:
    """Rows of a data set, or samples of its kind, as a classifier of images (C, H, W) in [-1, 1] reads them:
    levels and zeros and ones are scaled, smaller images enlarged (bicubic)."""
    if isinstance(data, DiscreteSet | BinarySet):
        x = 2 * x / (1 if isinstance(data, BinarySet) else data.levels - 1) - 1
    return x if x.shape[2:] == shape[1:] else F.interpolate(x, tuple(shape[1:]), mode="bicubic")


def _by_translation(
    model: nn.Module, data: Any, features: str | None, options: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metrics of translated glyphs, and the classifier that read them."""
    folder = _classifier(features or "classifier-glyphs")
    reader = recipes.load(folder).to(next(model.parameters()).device)
    judged = judge_pairs if isinstance(data, PairedSet) else judge_domains
    options = options | {"n": options["n"] or min(ROWS, len(data))}
    found = judged(model, data, reader.features, reader, **options)
    return _plain(found, folder.name), {
        "features": {"name": folder.name, "sha256": read_json(folder / CONFIG)["sha256"]}
    }


def _plain(estimates: dict[str, likelihood.Estimate], features: str) -> dict[str, Any]:
    """JSON-able, each with the name of the features that it belongs to."""
    return {name: asdict(estimate) | {"features": features} for name, estimate in estimates.items()}


def _classifier(name: str) -> Path:
    """The folder of a classifier that was just trained, or of one of the book's own."""
    return Path(name) if (Path(name) / CONFIG).is_file() else shelf.find(name)


def _modes(model: nn.Module, data: GaussianMixture, n: int, seed: int) -> dict[str, Any]:
    """Modes covered, and the share of samples within three standard deviations of one."""
    with judging(model, seed):
        x = model.sample(n).cpu()
    total = len(data.means)
    found = modes(nearest_mode(x, data.means.cpu(), 3 * data.variance.max().sqrt().item()), total)
    covered = {"mean": found.covered, "n": n, "unit": f"of {total} modes"}
    return {"modes_covered": covered, "high_quality": asdict(found.high_quality)}
