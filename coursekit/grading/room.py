"""How much of what answers returned may be kept in memory."""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursekit.grading.limits import MEBIBYTE

EACH = 64  # bytes for an object, about


@dataclass
class Room:
    """For the values of one submission.

    Attributes:
        left: bytes; negative as soon as they did not suffice.
    """

    left: int = 32 * MEBIBYTE

    def holds(self, value: Any) -> bool:
        """Whether there is room for one more value, which then takes it."""
        self.left -= weight(value)
        return self.left >= 0


def weight(value: Any) -> int:
    """Bytes that a value takes in memory, at most."""
    torch = sys.modules.get("torch")
    if isinstance(value, np.ndarray) or (torch is not None and isinstance(value, torch.Tensor)):
        return EACH + value.nbytes
    if isinstance(value, str):
        return EACH + 4 * len(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    keys = sum(map(weight, value)) if isinstance(value, dict) else 0
    return EACH + keys + sum(map(weight, parts))
