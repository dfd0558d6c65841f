"""The state of a training run on disk: tensors as safetensors, the rest as JSON.

A folder holds `training.json`, which names the file of tensors that belongs to it (one name a step) and its
sha256. The tensors are written first and `training.json` is replaced last, so whatever is killed, and when,
the folder holds one whole checkpoint.
"""

from pathlib import Path
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from coursekit.files import write_json
from coursekit.train.files import read_json, read_tensors, write_tensors

INDEX = "training.json"


def exists(folder: Path) -> bool:
    """Whether the folder holds a checkpoint of a training run."""
    return (folder / INDEX).is_file()


def save(folder: Path, step: int, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Write a checkpoint, then remove the one before and what a killed process left half-written."""
    path = folder / f"training-{step:08d}.safetensors"
    sha256 = write_tensors(path, tensors)
    write_json(folder / INDEX, {"step": step, "tensors": path.name, "sha256": sha256, **state})
    for old in (*folder.glob("training-*.safetensors"), *folder.glob("*.partial")):
        if old != path:
            old.unlink()


def load(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the checkpoint in a folder: tensors and state.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file was truncated or altered; the message names it.
    """
    state = read_json(folder / INDEX)
    missing = {"step", "tensors", "sha256", "players", "history"} - state.keys()
    if missing:
        raise ValueError(f"{folder / INDEX} lacks {', '.join(sorted(missing))}: it was altered.")
    return read_tensors(folder / Path(state["tensors"]).name, state["sha256"]), state


def pack(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under a common prefix."""
    return {f"{prefix}/{name}": value for name, value in tensors.items()}


def unpack(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under a prefix, without it."""
    return {
        name.removeprefix(f"{prefix}/"): t for name, t in tensors.items() if name.startswith(f"{prefix}/")
    }


def optimizer_state(optimizer: Optimizer) -> tuple[dict[str, Tensor], dict[str, float]]:
    """An optimizer's memory as named tensors and named numbers, "0/exp_avg" and the like.

    Raises:
        TypeError: the optimizer remembers something else, which can't be stored.
    """
    tensors, numbers = {}, {}
    for index, entries in optimizer.state_dict()["state"].items():
        for name, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"{index}/{name}"] = value
            elif value is None or isinstance(value, (bool, int, float)):
                numbers[f"{index}/{name}"] = value
            else:
                raise TypeError(
                    f"{type(optimizer).__name__} keeps {name!r} as a {type(value).__name__}, which a "
                    "checkpoint can't hold: use another optimizer, or train without a checkpoint."
                )
    return tensors, numbers


def restore_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor], numbers: dict[str, float]) -> None:
    """Give an optimizer its memory back; its settings stay those it was made with."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in {**tensors, **numbers}.items():
        index, name = key.split("/", 1)
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
