"""Quality against passes, sampler by sampler, and both likelihoods, of one trained diffusion model of images.

    python -m bench.mnist_diffusion runs/unet-mnist --result book/results/diffusion-mnist.json

Draws are judged beside as many test images by the features of the book's classifier of the same data set;
"data" is what training images score in their place. Bits per dimension are those of fewer images, the first
of the test set: by the bound, where the model has one, and by the probability-flow ODE on images with noise
of the width of a grey level, which bounds the likelihood of the levels as well.
"""

import argparse
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from coursekit import recipes
from coursekit.files import write_json
from coursekit.metrics import likelihood
from coursekit.metrics.likelihood import Estimate
from coursekit.metrics.samples import judge_rows, judge_samples
from coursekit.models import diffusion
from coursekit.models.diffusion import Sampler
from coursekit.recipes import shelf
from coursekit.recipes.checkpoint import CONFIG
from coursekit.recipes.pixels import LEVELS
from coursekit.recipes.records import record
from coursekit.train import tune_cpu
from coursekit.train.files import read_json

SAMPLERS: dict[str, Sampler] = {
    "ancestral": diffusion.Ancestral(),
    "DDIM": diffusion.DDIM(),
    "Euler": diffusion.Euler(),
    "Heun": diffusion.Heun(),
    "DPM-Solver++(2M)": diffusion.DPMSolver2M(),
}
NO_NOISE_LEFT, NO_DATA_LEFT = 1e-3, 0.99  # ends of the ODE; beyond the second the schedules fall steeply


@contextmanager
def counted(net: nn.Module) -> Iterator[list[int]]:
    """A list that gets an entry at each pass of a network: the number of its rows."""
    rows: list[int] = []
    hook = net.register_forward_hook(lambda _net, given, _out: rows.append(len(given[0])))
    try:
        yield rows
    finally:
        hook.remove()


def drawn(model: nn.Module, sampler: Sampler, passes: int, judge: partial) -> dict[str, Any]:
    """Seconds and measures of draws in at most so many passes of the network for each."""
    steps = (passes + 1) // 2 if isinstance(sampler, diffusion.Heun) else passes
    started = time.perf_counter()
    with counted(model.denoiser.net) as rows:
        found = judge(model, sampling={"sampler": sampler, "steps": steps, "progress": False})
    n, seconds = judge.keywords["n"], time.perf_counter() - started
    metrics = {name: asdict(each) for name, each in found.items()}
    return {"steps": steps, "passes": sum(rows) // n, "seconds": round(seconds, 1), "metrics": metrics}


class Dequantized(nn.Module):
    """log p of images that get noise of the width of a level first, by the probability-flow ODE."""

    def __init__(self, model: nn.Module, levels: int, steps: int):
        super().__init__()
        self.model, self.levels, self.steps = model, levels, steps

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """(B, *) -> (B,), nats."""
        noisy = x + 2 / (self.levels - 1) * (torch.rand_like(x) - 0.5)
        return self.model.log_prob(noisy, c, self.steps, start=NO_NOISE_LEFT, end=NO_DATA_LEFT)


def bits(model: nn.Module, data: Any, levels: int, options: argparse.Namespace) -> dict[str, Any]:
    """Bits per dimension by the bound and by the ODE, and how each was computed."""
    rows, dims, found = {"n": options.rows, "batch_size": 50}, math.prod(data.shape), {}
    if hasattr(model, "elbo"):
        bound = likelihood.evaluate(model, data, method="elbo", draws=options.draws, **rows)
        found["bound"] = asdict(likelihood.bits_per_dim(bound, dims)) | {"draws": options.draws}
    ode: Estimate = likelihood.evaluate(Dequantized(model, levels, options.ode_steps), data, **rows)
    of_ode = asdict(likelihood.bits_per_dim(ode, dims, levels))
    return found | {"ode": of_ode | {"steps": options.ode_steps, "probes": 1}}


def measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All there is to say about the model in a folder, JSON-able."""
    model, config = recipes.load(folder).to(options.device), read_json(folder / CONFIG)
    recipe = recipes.get(config["recipe"], **config["keywords"])
    test, reader = recipe.data("test"), f"classifier-{recipe.keywords['dataset']}"
    features = shelf.pretrained(reader).to(options.device).features
    judge = partial(judge_samples, data=test, features=features, n=options.images)
    floor = judge_rows(recipe.data("train"), test, features, n=options.images, device=options.device)
    rows = {name: [drawn(model, s, n, judge) for n in options.passes] for name, s in SAMPLERS.items()}
    facts = {key: config.get(key) for key in ("recipe", "keywords", "seed", "training", "sha256")}
    return facts | {
        "parameters": sum(p.numel() for p in model.parameters()),
        "features": reader,
        "images": options.images,
        "data": {name: asdict(each) for name, each in floor.items()},
        "samplers": rows,
        "bits_per_dim": bits(model, test, LEVELS[recipe.keywords["dataset"]], options),
    }


def main() -> None:
    """Measure one model; write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="of a training of the recipe unet or dit")
    parser.add_argument("--images", type=int, default=2000, help="draws of each kind")
    parser.add_argument("--passes", type=int, nargs="+", default=[5, 10, 20, 50], help="a draw, at most")
    parser.add_argument("--rows", type=int, default=100, help="test images of which bits are computed")
    parser.add_argument("--draws", type=int, default=1000, help="steps of the chain in the bound of an image")
    parser.add_argument("--ode-steps", type=int, default=50, help="Runge-Kutta steps, four passes each")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    tune_cpu()
    write_json(options.result, record() | measured(options.folder, options))


if __name__ == "__main__":
    main()
