"""Trained models of the book's own, by name: from a checkout, or from where the package was installed from.

Each is a checkpoint's folder, whose config.json also says what trained it and what it scores.
"""

import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import nn

import coursekit
from coursekit.data.folders import cache_folder
from coursekit.files import write_json
from coursekit.recipes.checkpoint import CONFIG, TENSORS, load
from coursekit.train.files import read_json

SHELF = Path("book", "weights")
LARGEST = 2_000_000  # bytes of one model


def pretrained(name: str) -> nn.Module:
    """A trained model of the book's own, in evaluation mode on the CPU.

    Args:
        name: such as "classifier-glyphs": a folder in `book/weights`.

    Raises:
        FileNotFoundError: it is neither in a checkout nor to be had from where the package came from.
        ValueError: a file was truncated or altered, or the name can't be one.
    """
    return load(find(name))


def find(name: str) -> Path:
    """The folder of such a model; it is downloaded into the user's cache where there is no checkout."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise ValueError(f"name is {name!r}; expected small letters, digits and hyphens.")
    shelf = checkout() / SHELF
    if (shelf / name / CONFIG).is_file():
        return shelf / name
    address, commit = origin()
    kept = cache_folder() / "weights" / commit / name
    if not (kept / CONFIG).is_file():
        _download(name, shelf, address, kept)
    return kept


def checkout() -> Path:
    """The folder that holds the package: the root of the repository, if the package runs from one."""
    return Path(coursekit.__file__).parents[1]


def origin() -> tuple[str, str]:
    """Address and commit of the repository that the package was installed from; empty if from none."""
    try:
        text = metadata.distribution("dgm-coursekit").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        text = None
    facts = json.loads(text or "{}")
    if "vcs_info" not in facts:
        return "", ""
    return facts["url"].removesuffix("/").removesuffix(".git"), facts["vcs_info"]["commit_id"]


def ship(folder: str | Path, target: str | Path, metrics: dict[str, Any], data: dict[str, str]) -> None:
    """Copy a trained model to the shelf of weights, with what it was trained on and what it scores.

    Args:
        folder: of the training, as `recipes.train` left it.
        target: the new folder, such as book/weights/classifier-glyphs.
        metrics: JSON-able, by name.
        data: in words, by split.

    Raises:
        ValueError: the weights are larger than 2 MB, or the training is unfinished.
    """
    folder, target = Path(folder), Path(target)
    load(folder)
    content = (folder / TENSORS).read_bytes()
    if len(content) > LARGEST:
        raise ValueError(f"{folder / TENSORS} has {len(content):,} bytes; at most {LARGEST:,} are shipped.")
    config = read_json(folder / CONFIG) | {"data": data, "metrics": metrics}
    target.mkdir(parents=True, exist_ok=True)
    (target / TENSORS).write_bytes(content)
    write_json(target / CONFIG, config)


def _download(name: str, shelf: Path, address: str, kept: Path) -> None:
    """Fetch both files, config.json last: it says that the folder is whole."""
    reason = "the package was not installed from a repository's address"
    if address:
        kept.mkdir(parents=True, exist_ok=True)
        try:
            for file in (TENSORS, CONFIG):
                source = f"{address}/raw/{kept.parent.name}/{SHELF.as_posix()}/{name}/{file}"
                torch.hub.download_url_to_file(source, str(kept / file), progress=False)
        except OSError as error:
            reason = f"the download from {address} failed ({type(error).__name__}: {error})"
        else:
            return
    there = ", ".join(sorted(path.name for path in shelf.glob("*") if path.is_dir())) or "none"
    raise FileNotFoundError(
        f"The weights {name!r} are not in {shelf} (there: {there}), and {reason}. Run from a clone of the "
        f"repository, put the folder {name} with {CONFIG} and {TENSORS} into {kept.parent}, or train them "
        "anew with `coursekit train` and load them with recipes.load."
    )
