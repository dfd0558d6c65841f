"""The global random states of Python, numpy and torch: look at them, set them, put them back."""

import contextlib
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np


def states() -> dict[str, Any]:
    """The state of each library's global generator, by the library's name; torch only where it is loaded."""
    found = {"Python": random.getstate(), "numpy": np.random.get_state(legacy=False)}  # noqa: NPY002
    torch = sys.modules.get("torch")
    return found | ({"torch": torch.get_rng_state()} if torch is not None else {})


def restore(found: dict[str, Any]) -> None:
    """Put back what `states` returned."""
    random.setstate(found["Python"])
    np.random.set_state(found["numpy"])  # noqa: NPY002
    if "torch" in found:
        sys.modules["torch"].set_rng_state(found["torch"])


def changed(found: dict[str, Any]) -> list[str]:
    """The libraries whose state is another than what `states` returned."""
    now = states()
    return [name for name, state in found.items() if _bytes(state) != _bytes(now[name])]


def seed(value: int) -> None:
    """Seed all of them with a number of at least 0."""
    random.seed(value)
    np.random.seed(value % 2**32)  # noqa: NPY002
    if "torch" in sys.modules:
        sys.modules["torch"].random.default_generator.manual_seed(value)


@contextlib.contextmanager
def seeded(value: int) -> Iterator[None]:
    """Seed them for a while; afterwards they are as before."""
    before = states()
    seed(value)
    try:
        yield
    finally:
        restore(before)


def _bytes(state: Any) -> Any:
    if isinstance(state, dict):
        return {key: _bytes(value) for key, value in state.items()}
    return state if isinstance(state, tuple | int | str | float) else np.asarray(state).tobytes()
