"""Files of a checkpoint, which tell when they were altered."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from coursekit.files import write_atomically


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it is truncated or altered.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the folder holds no checkpoint, or a part of one.")
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not readable as JSON ({error}): it was truncated or altered.") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} should hold a JSON object, not a {type(value).__name__}: it was altered.")
    return value


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write tensors as safetensors, atomically; returns the sha256 of the file."""
    for name, value in tensors.items():
        if not isinstance(value, Tensor):
            raise TypeError(
                f"{name!r} is a {type(value).__name__}; only tensors can be stored in {path.name}."
            )
    content = safetensors.save({name: t.detach().cpu().clone().contiguous() for name, t in tensors.items()})
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()


def read_tensors(path: Path, sha256: str) -> dict[str, Tensor]:
    """Read tensors, after checking the file against its recorded sha256.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it is truncated, altered, or another file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: copy the checkpoint folder again, with all its files.")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{path} was truncated or altered: its sha256 is {found[:12]}..., recorded was {sha256[:12]}... "
            f"({len(content)} bytes). Copy it again from its source, or train again."
        )
    try:
        return safetensors.load(content)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file ({error}).") from error
