"""How many of ten kinds of glyphs does a DCGAN draw if its generator runs ahead? From four seeds each.

    python -m bench.collapse --result book/results/gan-collapse.json

The page's DCGAN in turns; with five further steps of the generator in a round; and with these and a critic
that learns fifty times slower than the generator. A classifier counts the kinds.
"""

import argparse
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from bench.families import CLASSIFIER, SHOWN, strip
from coursekit import data, recipes, train
from coursekit.files import write_json
from coursekit.metrics.modes import modes, recognized
from coursekit.models.gan import GAN
from coursekit.nets import DCGANCritic, DCGANGenerator
from coursekit.protocols import Losses
from coursekit.recipes.records import record

SEEDS, ROUNDS, MOMENTS, DRAWS, SHAPE, LATENT = 4, 200, 50, 2000, (1, 28, 28), 64
SETTINGS = [
    {"name": "in turns", "extra": 0, "lr": {"critic": 1e-3, "generator": 1e-3}},
    {"name": "greedy", "extra": 5, "lr": {"critic": 1e-3, "generator": 1e-3}},
    {"name": "greedy, slow critic", "extra": 5, "lr": {"critic": 1e-4, "generator": 5e-3}},
]


class Greedy(GAN):
    """The game with `extra` further steps of the generator in each round, on drawings of their own."""

    extra = 0

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        yield from super().losses(x, c)
        for _ in range(self.extra):
            fake = self.decode(self.latent(len(x)), c)
            yield "generator", self.objective.generator(self.scores(fake, c))


def play(setting: dict[str, Any], seed: int, reader: nn.Module) -> dict[str, Any]:
    """Train from one seed, and count the kinds on the way and at the end."""
    torch.manual_seed(seed)
    model = Greedy(DCGANGenerator(LATENT, SHAPE, width=32), DCGANCritic(SHAPE, width=32), LATENT)
    model.extra, counted, drawn = setting["extra"], [], []

    def count(trainer: train.Trainer) -> None:
        torch.manual_seed(seed)
        x = model.sample(DRAWS)
        counted.append(modes(recognized(x, reader.probabilities), 10, least=DRAWS // 100))
        drawn.append(x[:SHOWN])

    options = {"optimizer": partial(Adam, betas=(0.5, 0.999)), "progress": False, "device": "cpu"}
    glyphs = data.glyphs(progress=False)
    kept = {"batch_size": 64, "lr": setting["lr"], "seed": seed, "every": (MOMENTS, count)}
    history = train.fit(model, glyphs, ROUNDS, **kept, **options)
    return {
        "classes": [each.covered for each in counted],
        "counts": counted[-1].counts.tolist(),
        "sure": asdict(counted[-1].high_quality),
        "seconds": round(history.seconds, 1),
        "drawings": strip(drawn[-1]),
    }


def main() -> None:
    """Play every setting from every seed; write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    train.tune_cpu()
    reader = recipes.pretrained(CLASSIFIER).requires_grad_(False)
    rows = [
        {**setting, "runs": [play(setting, seed, reader) for seed in range(SEEDS)]} for setting in SETTINGS
    ]
    facts = {"rounds": ROUNDS, "moments": MOMENTS, "draws": DRAWS, "least": DRAWS // 100}
    write_json(options.result, record() | facts | {"reader": CLASSIFIER, "settings": rows})


if __name__ == "__main__":
    main()
