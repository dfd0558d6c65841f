"""Train a recipe in a folder; the same call again continues where it stopped."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from coursekit import train as training
from coursekit.files import write_json
from coursekit.recipes import checkpoint
from coursekit.recipes.registry import Recipe
from coursekit.train import checkpoints
from coursekit.train.files import read_json


def train(
    recipe: Recipe,
    folder: str | Path,
    *,
    steps: int | None = None,
    seed: int = 0,
    facts: dict[str, Any] | None = None,
    **keywords: Any,
) -> tuple[nn.Module, training.History]:
    """Train a recipe's model and save it, or continue the training that the folder holds.

    Args:
        recipe: from `recipes.get`.
        folder: for the checkpoint while training and the model in the end.
        steps: number of steps in all; None takes the recipe's.
        seed: of the first weights, the batches and the noise.
        facts: JSON-able remarks that go into config.json beside steps, seconds and seed.
        keywords: further arguments of `train.fit`, such as checkpoint_every=500, device or precision.

    Returns:
        The model (its moving average, if the recipe has one) in evaluation mode, and the history.

    Raises:
        ValueError: the folder holds another recipe, other keywords or another seed.
    """
    folder, steps = Path(folder), recipe.steps if steps is None else steps
    data = recipe.data("train")
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = recipe.build()
    _claim(folder, checkpoint.config_of(model) | {"seed": seed})
    if recipe.start is not None and not checkpoints.exists(folder):
        recipe.start(model, data)
    ema = training.EMA(model, recipe.ema) if recipe.ema else None
    options = {
        name: getattr(recipe, name) for name in ("batch_size", "lr", "optimizer", "schedule", "clip_norm")
    }
    keywords = {"checkpoint": folder, "resume": True, "ema": ema, "seed": seed} | options | keywords
    history = training.fit(model, data, steps, **keywords)
    model = (ema.model if ema is not None else model).eval()
    if training.is_first_process():
        ran = {"steps": steps, "seconds": round(history.seconds, 1), **(facts or {})}
        checkpoint.save(model, folder, seed=seed, training=ran)
    return model, history


def _claim(folder: Path, config: dict[str, Any]) -> None:
    """Write the recipe into the folder before the first step, or check that it is the one already there."""
    path = folder / checkpoint.CONFIG
    if not path.exists():
        write_json(path, config)
        return
    before = read_json(path)
    for key in ("recipe", "keywords", "seed"):
        if before.get(key) != config[key]:
            raise ValueError(
                f"{folder} holds a training with {key} {before.get(key)!r}, not {config[key]!r}: "
                "take another folder, or the same arguments as before."
            )
