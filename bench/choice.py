"""Which settings suit the one-layer VAE on MNIST? Chosen on training images held out, before any test image.

    python -m bench.choice runs/choice --result book/results/choice-mnist.json

Each setting trains for the same number of epochs on 50,000 images; the other 10,000 judge. A run that is
stopped continues where it was.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import torch

from coursekit import recipes
from coursekit.files import write_json
from coursekit.metrics import likelihood
from coursekit.recipes.records import record
from coursekit.train import tune_cpu

HELD_OUT = 10_000
SETTINGS = [
    {"batch_size": 20, "lr": 1e-3, "ema": 0.0},
    *({"batch_size": 100, "lr": lr, "ema": 0.999} for lr in (1e-3, 2e-3, 4e-3, 6e-3, 8e-3, 1e-2)),
    {"batch_size": 100, "lr": 6e-3, "ema": 0.0},
]


def main() -> None:
    """Train and judge every setting; write the table, best first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("-k", type=int, default=200, help="importance samples of the judgement")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    tune_cpu()
    rows = [judge(setting, options) for setting in SETTINGS]
    rows.sort(key=lambda row: -row["log_prob"]["mean"])
    write_json(options.result, record() | {"held_out": HELD_OUT, "k": options.k, "settings": rows})


def judge(setting: dict[str, float], options: argparse.Namespace) -> dict[str, object]:
    """One setting's log-likelihood on the images held out."""
    recipe = recipes.get("iwae_mnist", held_out=HELD_OUT, **setting)
    steps = options.epochs * (60_000 - HELD_OUT) // recipe.batch_size
    name = "-".join(f"{key}{value}" for key, value in setting.items())
    common = {"checkpoint_every": 20_000, "log_every": 1000, "device": options.device}
    model, history = recipes.train(recipe, options.folder / name, steps=steps, seed=0, **common)
    torch.manual_seed(0)
    found = likelihood.evaluate(model, recipe.data("valid"), method="log_prob", k=options.k)
    return {**setting, "steps": steps, "seconds": round(history.seconds, 1), "log_prob": asdict(found)}


if __name__ == "__main__":
    main()
