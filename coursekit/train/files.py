"""Files that are either wholly there or not there, and that tell when they were altered."""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a crash at any moment leaves the old content or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    _sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically; NaN and what JSON can't hold raise ValueError or TypeError."""
    write_atomically(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


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


def _sync_folder(folder: Path) -> None:
    """Make a rename durable, where the system lets a folder be opened (Windows does not)."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
