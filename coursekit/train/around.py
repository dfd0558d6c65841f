"""What surrounds training and ends with it: precision, modes, compilation, random state."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn


def autocast(precision: str | None, device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """The context of "bf16" or "no"; None takes what `accelerate launch` was told.

    Raises:
        ValueError: another precision.
    """
    precision = precision or os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if precision not in ("no", "bf16"):
        raise ValueError(f"precision must be 'no' or 'bf16', got {precision!r}.")
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()


@contextlib.contextmanager
def mode(model: nn.Module, training: bool) -> Iterator[None]:
    """The model in training or evaluation mode; afterwards every module is in its own mode again."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training


@contextlib.contextmanager
def compiled(model: nn.Module, wanted: bool) -> Iterator[None]:
    """The model's parts run through torch.compile, in place, while this lasts."""
    parts = list(model.children()) if wanted else []
    for part in parts:
        part.compile()
    try:
        yield
    finally:
        for part in parts:
            part._compiled_call_impl = None


def own_noise(device: torch.device) -> contextlib.AbstractContextManager[None]:
    """A random state that ends with the run: the caller's comes back."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])


def seed_noise(device: torch.device, seed: int, step: int, rank: int) -> None:
    """Make noise a function of (seed, step, process), in another stream than that of the batches.

    It seeds only the generators in use: `torch.manual_seed` reaches for every kind of device, and is slow.
    """
    key = int.from_bytes(hashlib.blake2b(f"noise/{seed}/{step}/{rank}".encode(), digest_size=7).digest())
    torch.default_generator.manual_seed(key)
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        torch.cuda.default_generators[index].manual_seed(key)
    elif device.type != "cpu":
        torch.get_device_module(device).manual_seed(key)
