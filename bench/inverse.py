"""Which solver restores which loss? Seven inverse problems on glyphs, five ways, over three seeds.

    python -m bench.inverse runs/restoration-glyphs runs/restoration-rgb-glyphs --runs runs/inverse \
        --result book/results/inverse-glyphs.json

The prior of all but `direct` is the shipped `unet-glyphs`; `direct` is the model in the first folder, which
was trained on all of these measurements, and colours are given back by the one in the second, since there is
no prior of coloured glyphs. A seed chooses the test images, the measurements' noise and the draws. Seconds
are those of the processor. What is in the folder of the runs already is not measured again.
"""

import argparse
import base64
import functools
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from matplotlib import pyplot as plt
from torch import Tensor, nn

from bench.mnist_diffusion import counted
from coursekit import data, plots, recipes
from coursekit.files import write_json
from coursekit.metrics.likelihood import Estimate
from coursekit.metrics.pictures import psnr, ssim
from coursekit.models.diffusion import DDIM
from coursekit.recipes.records import record
from coursekit.tasks import DDRM, DPS, Direct, LinearOperator, Replacement, Solver, make_operator
from coursekit.train import tune_cpu
from coursekit.train.files import read_json

NOISE, IMAGES, DRAWS, SEEDS, SHOWN = 0.05, 8, 3, 3, 6
PROBLEMS = {
    "super-resolution": {"name": "downsample", "factor": 4},
    "inpainting": {"name": "hole", "side": 10},
    "completion": {"name": "random_pixels", "share": 0.2},
    "uncropping": {"name": "window", "side": 14},
    "deblurring": {"name": "blur", "width": 2.0},
    "exposure": {"name": "exposure", "gain": 4.0},
    "colorization": {"name": "grey"},
}
PIXELS = ("inpainting", "completion", "uncropping")  # where some pixels are seen as they are
SOLVERS: dict[str, tuple[Solver, int]] = {
    "replacement": (Replacement(), 40),
    "RePaint": (Replacement(resampling=3), 40),
    "DDRM": (DDRM(), 20),
    "DPS": (DPS(step=2.0), 60),
    "direct": (Direct(DDIM()), 20),
}
SHIPPED = {"prior": "unet-glyphs", "reader": "classifier-glyphs"}
Models = Callable[[str], nn.Module]
Row = tuple[dict[str, float], dict[str, Tensor]]


def solvers_of(problem: str) -> list[str]:
    """Those that are measured on a problem, after the measurement itself."""
    if problem == "colorization":
        return ["measurement", "direct"]
    linear = isinstance(make_operator(shape=(1, 28, 28), **PROBLEMS[problem]), LinearOperator)
    can = [name for name, (solver, _) in SOLVERS.items() if linear or not solver.linear]
    return ["measurement", *(name for name in can if name != "RePaint" or problem in PIXELS)]


def scores(draws: Tensor, x: Tensor, labels: Tensor, reader: nn.Module) -> dict[str, float]:
    """What draws, (k, B, *), are worth beside the truth, (B, *): means over all of them."""
    each, truth = draws.flatten(0, 1), x.repeat(len(draws), 1, 1, 1)
    grey = each.amax(1, keepdim=True)  # of a coloured stroke the brightest channel
    found = {
        "psnr": psnr(each, truth).mean(),
        "ssim": ssim(each, truth).mean(),
        "accuracy": (reader(grey).argmax(1) == labels.repeat(len(draws))).double().mean(),
    }
    if len(draws) > 1:
        found |= {"psnr_of_mean": psnr(draws.mean(0), x).mean(), "spread": draws.var(0).mean().sqrt()}
    return {name: value.item() for name, value in found.items()}


@torch.no_grad()
def measured(
    problem: str, name: str, seed: int, models: Models
) -> tuple[dict[str, float], dict[str, Tensor]]:
    """Scores of one solver on one problem, and what it drew for the first images.

    A solver called "measurement" gives the picture of y as its answer.
    """
    colour = problem == "colorization"
    test = data.glyphs(train=False, rgb=colour, progress=False)
    rows = slice(seed * IMAGES, (seed + 1) * IMAGES)
    x, labels = test.x[rows], test.labels[rows]
    operator = make_operator(shape=x.shape[1:], **PROBLEMS[problem])
    torch.manual_seed(seed)
    y, reader = operator.measure(x, NOISE), models("reader")
    if name == "measurement":
        picture = operator.picture(y)
        return scores(picture[None], x, labels, reader), {"truth": x[:SHOWN], name: picture[:SHOWN]}
    solver, steps = SOLVERS[name]
    model = models("colours" if colour else "direct" if name == "direct" else "prior")
    given, started = y.repeat(DRAWS, 1, 1, 1), time.process_time()
    with counted(model.denoiser.net) as passes:
        drawn = solver(model.guided(), operator, given, NOISE, steps)
    spent = 1000 * (time.process_time() - started) / len(drawn)
    draws = drawn.unflatten(0, (DRAWS, -1))
    rest = operator(drawn) - given
    if isinstance(operator, LinearOperator):
        rest = operator.project(rest)[:, operator.seen]  # where A is blind there is nothing to keep
    facts = {
        "residual": rest.square().mean().sqrt().item(),
        "passes": sum(passes) / len(drawn),
        "milliseconds": round(spent, 1),
    }
    shown = {name: draws[0, :SHOWN], f"{name}, again": draws[1, :SHOWN]}
    return scores(draws, x, labels, reader) | facts, shown


def over_seeds(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Mean and standard error over the seeds of each number."""
    found = {name: Estimate.of(torch.tensor([row[name] for row in rows])) for name in rows[0]}
    return {name: {"mean": each.mean, "stderr": each.stderr} for name, each in found.items()}


def sheet(x: Tensor) -> str:
    """A strip of images as a PNG in base64."""
    strip, buffer = plots.mosaic(plots.pictures.to_unit(x, (-1, 1)), SHOWN), io.BytesIO()
    plt.imsave(buffer, strip.repeat(3, -1) if strip.shape[-1] == 1 else strip, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def kept(problem: str, name: str, models: Models, folder: Path) -> dict[str, Any]:
    """Scores over all seeds and the pictures of the first, measured unless the folder has them."""
    path = folder / f"{problem}-{name}.json"
    if not path.exists():
        runs = [measured(problem, name, seed, models) for seed in range(SEEDS)]
        scored = over_seeds([row for row, _ in runs])
        write_json(path, {"scores": scored, "sheet": {k: sheet(x) for k, x in runs[0][1].items()}})
    return read_json(path)


def main() -> None:
    """Measure every problem with every solver that can take it; write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("direct", type=Path, help="folder of a unet_restoration of glyphs")
    parser.add_argument("colours", type=Path, help="folder of a unet_restoration of rgb_glyphs, from grey")
    parser.add_argument("--runs", type=Path, required=True, help="folder of what is measured already")
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    tune_cpu()
    options.runs.mkdir(parents=True, exist_ok=True)
    folders = {"direct": options.direct, "colours": options.colours}

    @functools.cache
    def models(name: str) -> nn.Module:
        return recipes.load(folders[name]) if name in folders else recipes.pretrained(SHIPPED[name])

    found = {}
    for problem, settings in PROBLEMS.items():
        rows = {name: kept(problem, name, models, options.runs) for name in solvers_of(problem)}
        found[problem] = settings | {"solvers": {name: row["scores"] for name, row in rows.items()}}
        if problem == "colorization":  # the other problems are drawn by the page itself
            found[problem]["sheets"] = {name: row["sheet"] for name, row in rows.items()}
    trained = {name: read_json(getattr(options, name) / "config.json") for name in ("direct", "colours")}
    facts = {"noise": NOISE, "images": IMAGES, "draws": DRAWS, "seeds": SEEDS, "shown": SHOWN}
    write_json(options.result, record() | facts | {"trained": trained, "problems": found})


if __name__ == "__main__":
    main()
