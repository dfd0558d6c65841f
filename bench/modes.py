"""How many of 25 Gaussians does each objective cover? Small GANs on a grid, from five seeds each.

    python -m bench.modes runs/modes --result book/results/gan-modes.json

All make as many steps of an optimizer, the critic's and the generator's together; critics that estimate a
distance take five for each of the generator. A clip's size and a penalty's weight are 0.1 wherever there is
one. A run that is stopped continues where it was.
"""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from coursekit import recipes
from coursekit.files import write_json
from coursekit.metrics.modes import modes, nearest_mode
from coursekit.recipes.records import record
from coursekit.train import tune_cpu

SEEDS, DRAWS, LEAST = 5, 2500, 10
SETTINGS = [
    {"objective": "minimax"},
    {"objective": "non_saturating"},
    {"objective": "least_squares"},
    {"objective": "hinge"},
    {"objective": "non_saturating", "bound": "r1", "strength": 0.1},
    {"objective": "hinge", "bound": "spectral_norm"},
    {"objective": "wasserstein", "bound": "clip", "strength": 0.1, "critic_steps": 5},
    {"objective": "wasserstein", "bound": "gradient_penalty", "strength": 0.1, "critic_steps": 5},
]


def main() -> None:
    """Train and judge every setting from every seed; write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=4000, help="of the optimizers, both together")
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    tune_cpu()
    rows = [judge(setting, options) for setting in SETTINGS]
    facts = {"seeds": SEEDS, "draws": DRAWS, "least": LEAST, "steps": options.steps}
    write_json(options.result, record() | facts | {"settings": rows})


def judge(setting: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Modes covered and share of good draws of one setting, from every seed.

    A mode is covered by `LEAST` of `DRAWS` draws within three standard deviations; an even share has 100.
    """
    recipe = recipes.get("gan_2d", dataset="gaussian_grid", **setting)
    steps = options.steps // (1 + recipe.keywords["critic_steps"])
    grid, found, seconds = recipe.data("test"), [], []
    for seed in range(SEEDS):
        folder = options.folder / "-".join(map(str, (*setting.values(), steps, seed)))
        common = {"log_every": 100, "progress": False, "device": "cpu"}
        model, history = recipes.train(recipe, folder, steps=steps, seed=seed, **common)
        torch.manual_seed(seed)
        near = nearest_mode(model.sample(DRAWS), grid.means, 3 * grid.variance[0].sqrt().item())
        found.append(modes(near, len(grid.means), least=LEAST))
        seconds.append(round(history.seconds, 1))
    return {
        **setting,
        "keywords": {**recipe.keywords, "steps": steps},
        "steps": steps,
        "modes_covered": [each.covered for each in found],
        "high_quality": [asdict(each.high_quality) for each in found],
        "seconds": seconds,
    }


if __name__ == "__main__":
    main()
