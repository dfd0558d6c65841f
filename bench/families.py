"""A VAE, a flow, a PixelCNN and a DCGAN on the same glyphs, as long as each other, judged by one reader.

    python -m bench.families runs/families --result book/results/families-glyphs.json

The numbers of steps are what about four minutes of one core hold, by a timing of each. All are judged by the
features of one classifier, `classifier-glyphs`, on the same test images; all but the DCGAN also by their
likelihood, or by a bound on it. A family whose rows are in the folder is not trained again. One that was
stopped must begin anew, in an empty folder, so that its seconds are those of one run.
"""

import argparse
import base64
import io
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from matplotlib import pyplot as plt
from torch import Tensor, nn

from coursekit import data, recipes
from coursekit.files import write_json
from coursekit.metrics.features import extract
from coursekit.metrics.likelihood import bits_per_dim, evaluate
from coursekit.metrics.modes import modes, recognized
from coursekit.metrics.samples import compare, judge_rows
from coursekit.recipes.records import record
from coursekit.train import tune_cpu
from coursekit.train.files import read_json

CLASSIFIER, DRAWS, AT_ONCE, SHOWN, LEVELS, SIDE = "classifier-glyphs", 2000, 500, 10, 256, 28
Draw = Callable[[int], Tensor]
FAMILIES = {
    "vae": {
        "recipe": "vae",
        "keywords": {"net": "conv", "likelihood": "gaussian", "learn_variance": True, "latent_dim": 32},
        "steps": 4500,
        "bits": "bound",
        "passes": 1,
    },
    "flow": {
        "recipe": "image_flow_multiscale",
        "keywords": {"noise": "uniform", "widths": (16, 24, 32), "batch_size": 32},
        "steps": 700,
        "bits": "bound",
        "passes": 1,
    },
    "pixelcnn": {
        "recipe": "gated_pixelcnn",
        "keywords": {"output": "mixture"},
        "steps": 750,
        "bits": "exact",
        "passes": SIDE**2,
    },
    "dcgan": {
        "recipe": "dcgan",
        "keywords": {"width": 32, "lr": 1e-3, "ema": 0.999},
        "steps": 4500,
        "bits": "none",
        "passes": 1,
    },
}


def images_of(name: str, model: nn.Module) -> dict[str, Draw]:
    """What draws n images in [-1, 1], by the name of its row; a VAE also without its pixels' noise."""
    if name == "vae":
        return {name: model.sample, "vae means": lambda n: model.decode(model.prior.sample((n,))).mean}
    if name == "dcgan":
        return {name: model.sample}
    still = {"progress": False} if name == "pixelcnn" else {}
    return {name: lambda n: model.sample(n, **still) * 2 / (LEVELS - 1) - 1}


def bits(name: str, model: nn.Module, test: data.ImageSet) -> dict[str, Any] | None:
    """Bits per dimension of the first `DRAWS` test images: exact, or at most so many; None without any."""
    if name == "dcgan":
        return None
    chosen, levels = test[:DRAWS], LEVELS if name == "vae" else None
    rows = chosen.discrete().x
    if name == "vae":  # a density: noise fills each level's cell, and the bound holds for the levels
        torch.manual_seed(0)
        rows = chosen.x + (torch.rand(chosen.x.shape) - 0.5) * 2 / (LEVELS - 1)
    method = "log_prob" if name == "pixelcnn" else "elbo"
    found = evaluate(model, rows, method=method, progress=False)
    return asdict(bits_per_dim(found, SIDE**2, levels))


def judged(draw: Draw, real: Tensor, reader: nn.Module) -> dict[str, Any]:
    """Measures of `DRAWS` images beside as many of data, with some of them, and the time of one."""
    torch.manual_seed(0)
    started = time.process_time()
    with torch.no_grad():
        x = torch.cat([draw(AT_ONCE) for _ in range(DRAWS // AT_ONCE)])
    seconds = (time.process_time() - started) / DRAWS
    found = compare(real, extract(x, reader.features))
    kinds = modes(recognized(x, reader.probabilities), 10, least=DRAWS // 100)
    return {
        "seconds_a_draw": seconds,
        "classes": kinds.covered,
        "sure": asdict(kinds.high_quality),
        "metrics": {name: asdict(each) for name, each in found.items()},
        "drawings": strip(x[:SHOWN]),
    }


def strip(x: Tensor) -> str:
    """Images side by side, as a PNG in base64."""
    file, row = io.BytesIO(), torch.cat(list(x[:, 0]), dim=1)
    plt.imsave(file, row.clamp(-1, 1).numpy(), cmap="gray", vmin=-1, vmax=1, format="png")
    return base64.b64encode(file.getvalue()).decode()


def rows_of(name: str, folder: Path, test: data.ImageSet, real: Tensor, reader: nn.Module) -> dict[str, Any]:
    """Train and judge one family: its rows of the table."""
    family = FAMILIES[name]
    recipe = recipes.get(family["recipe"], dataset="glyphs", **family["keywords"])
    started = time.process_time()
    common = {"log_every": 100, "progress": False, "device": "cpu", "resume": False}
    model, history = recipes.train(recipe, folder / name, steps=family["steps"], **common)
    facts = {key: family[key] for key in ("recipe", "steps", "bits", "passes")}
    facts |= {"keywords": {**recipe.keywords, "steps": family["steps"]}}
    facts |= {"parameters": sum(p.numel() for p in model.parameters())}
    facts |= {"core_seconds": round(time.process_time() - started, 1), "seconds": round(history.seconds, 1)}
    facts |= {"bits_per_dim": bits(name, model, test)}
    return {row: facts | judged(draw, real, reader) for row, draw in images_of(name, model).items()}


def main() -> None:
    """Train and judge all families; write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    tune_cpu()
    reader, test = recipes.pretrained(CLASSIFIER), data.glyphs(train=False, progress=False)
    real, rows = extract(test.x[:DRAWS], reader.features), {}
    for name in FAMILIES:
        kept = options.folder / f"{name}.json"
        if not kept.exists():
            write_json(kept, rows_of(name, options.folder, test, real, reader))
        rows |= read_json(kept)
    floor = judge_rows(data.glyphs(progress=False), test.x[:DRAWS], reader.features, n=DRAWS)
    facts = {"features": CLASSIFIER, "draws": DRAWS, "data": {name: asdict(v) for name, v in floor.items()}}
    write_json(options.result, record() | facts | {"models": rows})


if __name__ == "__main__":
    main()
