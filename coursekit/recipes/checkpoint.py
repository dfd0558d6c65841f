"""A trained model as a folder: config.json with its recipe, model.safetensors with its weights."""

import json
from pathlib import Path
from typing import Any

from torch import nn

from coursekit import __version__
from coursekit.files import write_json
from coursekit.recipes.registry import build
from coursekit.train.files import read_json, read_tensors, write_tensors

CONFIG, TENSORS = "config.json", "model.safetensors"


def save(model: nn.Module, folder: str | Path, **facts: Any) -> None:
    """Write a model that was built by a recipe, so that `load` can build it again.

    Args:
        model: built by `recipes.build` or a `Recipe`.
        folder: made if it is missing; an older model in it is replaced.
        facts: JSON-able remarks for config.json, such as training={"steps": 1000}.

    Raises:
        ValueError: the model was built by hand.
        TypeError: JSON can't hold a keyword of the recipe, or safetensors a part of the model.
    """
    folder = Path(folder)
    config = config_of(model) | facts
    sha256 = write_tensors(folder / TENSORS, model.state_dict())
    write_json(folder / CONFIG, config | {"sha256": sha256})


def load(folder: str | Path) -> nn.Module:
    """Build the model in a folder by its recipe, with its weights, in evaluation mode on the CPU.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file was truncated or altered, the training is unfinished, or the recipe is unknown.
    """
    folder = Path(folder)
    config = read_json(folder / CONFIG)
    missing = {"recipe", "keywords"} - config.keys()
    if missing:
        raise ValueError(
            f"{folder / CONFIG} lacks {', '.join(sorted(missing))}: it is no recipe's or was altered."
        )
    if "sha256" not in config:
        raise ValueError(f"The training in {folder} is unfinished: run the same training command again.")
    model = build(config["recipe"], **config["keywords"])
    tensors = read_tensors(folder / TENSORS, config["sha256"])
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{folder / TENSORS} does not fit the recipe in {CONFIG}: {error}") from error
    return model.eval()


def config_of(model: nn.Module) -> dict[str, Any]:
    """What config.json says about a model: recipe, keywords, version of the package."""
    recipe = getattr(model, "recipe", None)
    if recipe is None:
        raise ValueError(
            f"This {type(model).__name__} was not built by a recipe, so can not be rebuilt: make it with "
            "recipes.build(name, ...), or keep its state_dict yourself."
        )
    for key, value in recipe["keywords"].items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"Keyword {key!r} of recipe {recipe['recipe']!r} is {value!r}: {error}"
            ) from error
    return {**recipe, "coursekit": __version__}


def push(folder: str | Path, repo_id: str) -> str:
    """Copy a model's folder to a repository on the Hugging Face hub, without the state of its training."""
    from huggingface_hub import HfApi

    load(folder)
    api = HfApi()
    api.create_repo(repo_id, exist_ok=True)
    return str(api.upload_folder(repo_id=repo_id, folder_path=folder, allow_patterns=[CONFIG, TENSORS]))


def pull(repo_id: str, revision: str = "main") -> nn.Module:
    """Load a model from a repository on the Hugging Face hub."""
    from huggingface_hub import snapshot_download

    return load(snapshot_download(repo_id, revision=revision, allow_patterns=[CONFIG, TENSORS]))
