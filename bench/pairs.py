"""Ratios of times that survive a machine whose speed wanders."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Block = Callable[[], Callable[[], None]]
"""Makes everything fresh and returns the work to be timed."""


@dataclass(frozen=True)
class Ratio:
    """Time of one side over that of the other: median and range over pairs of blocks."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"


def seconds(block: Block) -> float:
    """Wall time of one fresh block."""
    work = block()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ratio(one: Block, other: Block, pairs: int) -> Ratio:
    """Time of `one` over time of `other`, in adjacent pairs of blocks whose order alternates."""
    ratios = []
    for pair in range(pairs):
        if pair % 2:
            below, above = seconds(other), seconds(one)
        else:
            above, below = seconds(one), seconds(other)
        ratios.append(above / below)
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))
