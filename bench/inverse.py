"""Which solver restores which loss? Seven inverse problems on glyphs, five ways, over three seeds.

    python -m bench.inverse runs/restoration-glyphs runs/restoration-rgb-glyphs \
        --result book/results/inverse-glyphs.json

The prior of all but `direct` is the shipped `unet-glyphs`; `direct` is the model in the first folder, which
was trained on all of these measurements, and colours are given back by the one in the second, since there is
no prior of coloured glyphs. A seed chooses the test images, the measurements' noise and the draws. Seconds
are those of the processor. A problem that is in the folder of the runs already is not measured again.
"""

import argparse
import base64
import io
import time
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
from coursekit.tasks import DDRM, DPS, Direct, LinearOperator, Operator, Replacement, Solver, make_operator
from coursekit.train.files import read_json

NOISE, IMAGES, DRAWS, SEEDS, SHOWN = 0.05, 12, 4, 3, 6
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
    "RePaint": (Replacement(resampling=4), 40),
    "DDRM": (DDRM(), 20),
    "DPS": (DPS(step=2.0), 60),
    "direct": (Direct(DDIM()), 20),
}


def takes(solver: str, problem: str, operator: Operator) -> bool:
    """Whether this pair is measured."""
    if problem == "colorization":
        return solver == "direct"
    linear = isinstance(operator, LinearOperator)
    return (linear or not SOLVERS[solver][0].linear) and (solver != "RePaint" or problem in PIXELS)


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
    problem: str, seed: int, models: dict[str, nn.Module]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Scores of every solver on one problem, and what it drew for the first images."""
    colour = problem == "colorization"
    test = data.glyphs(train=False, rgb=colour, progress=False)
    rows = slice(seed * IMAGES, (seed + 1) * IMAGES)
    x, labels = test.x[rows], test.labels[rows]
    operator = make_operator(shape=x.shape[1:], **PROBLEMS[problem])
    torch.manual_seed(seed)
    y = operator.measure(x, NOISE)
    picture = operator.picture(y)
    table = {"measurement": scores(picture[None], x, labels, models["reader"])}
    shown = {"truth": x[:SHOWN], "measurement": picture[:SHOWN]}
    for name, (solver, steps) in SOLVERS.items():
        if not takes(name, problem, operator):
            continue
        model = models["colours" if colour else "direct" if name == "direct" else "prior"]
        started = time.process_time()
        with counted(model.denoiser.net) as passes:
            drawn = solver(model.guided(), operator, y.repeat(DRAWS, 1, 1, 1), NOISE, steps)
        spent = 1000 * (time.process_time() - started) / len(drawn)
        draws = drawn.unflatten(0, (DRAWS, -1))
        kept = (operator(drawn) - y.repeat(DRAWS, 1, 1, 1)).square().mean().sqrt().item()
        table[name] = scores(draws, x, labels, models["reader"]) | {
            "residual": kept,
            "passes": sum(passes) / len(drawn),
            "milliseconds": round(spent, 1),
        }
        shown |= {name: draws[0, :SHOWN], f"{name}, again": draws[1, :SHOWN]}
    return table, shown


def over_seeds(tables: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard error over the seeds of each number."""
    return {
        solver: {
            name: {"mean": (e := Estimate.of(torch.tensor([t[solver][name] for t in tables]))).mean}
            | {"stderr": e.stderr}
            for name in row
        }
        for solver, row in tables[0].items()
    }


def sheet(shown: dict[str, Tensor]) -> str:
    """All strips below each other, as a PNG in base64."""
    rows = plots.mosaic(plots.pictures.to_unit(torch.cat(list(shown.values())), (-1, 1)), SHOWN)
    buffer = io.BytesIO()
    plt.imsave(buffer, rows.repeat(3, -1) if rows.shape[-1] == 1 else rows, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def main() -> None:
    """Measure every problem with every solver that can take it; write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("direct", type=Path, help="folder of a unet_restoration of glyphs")
    parser.add_argument("colours", type=Path, help="folder of a unet_restoration of rgb_glyphs, from grey")
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    models = {name: recipes.load(getattr(options, name)) for name in ("direct", "colours")}
    models |= {"prior": recipes.pretrained("unet-glyphs"), "reader": recipes.pretrained("classifier-glyphs")}
    found = {}
    for problem in PROBLEMS:
        kept = options.direct / f"inverse-{problem}.json"
        if not kept.exists():
            runs = [measured(problem, seed, models) for seed in range(SEEDS)]
            facts = {"solvers": over_seeds([table for table, _ in runs])}
            write_json(kept, facts | {"rows": list(runs[0][1]), "sheet": sheet(runs[0][1])})
        found[problem] = PROBLEMS[problem] | read_json(kept)
    trained = {name: read_json(getattr(options, name) / "config.json") for name in ("direct", "colours")}
    facts = {"noise": NOISE, "images": IMAGES, "draws": DRAWS, "seeds": SEEDS, "shown": SHOWN}
    write_json(options.result, record() | facts | {"trained": trained, "problems": found})


if __name__ == "__main__":
    main()
