"""Ratios of times that survive a machine whose speed wanders."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

Block = Callable[[], Callable[[], None]]
"""Makes everything fresh and returns the work to be timed."""

Loss = Callable[[Tensor], Tensor]
"""The loss of a batch."""


@dataclass(frozen=True)
class Ratio:
    """Time of one side over that of the other: median and range, over pairs of blocks or over processes."""

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


def launched(module: str, arguments: list[str], launches: int) -> Ratio:
    """What a module prints in processes of their own: the median of their medians, and the range of these."""
    command = [sys.executable, "-m", module, *arguments]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(launches)]
    medians = [float(run.stdout) for run in runs]
    return Ratio(statistics.median(medians), min(medians), max(medians))


def training(
    make: Callable[[], tuple[nn.Module, Loss]],
    draw: Callable[[], Tensor],
    steps: int,
    optimizer: type[Optimizer] = Adam,
) -> Block:
    """Training steps on one batch; three before, which don't count.

    Args:
        make: builds a model, and what gives its loss on a batch.
        draw: gives the batch.
        steps: how many are timed.
        optimizer: its class.
    """

    def block() -> Callable[[], None]:
        torch.manual_seed(0)
        (model, loss_of), x = make(), draw()
        stepping = optimizer(model.train().parameters(), lr=1e-4, fused=True)

        def work(steps: int = steps) -> None:
            for _ in range(steps):
                loss = loss_of(x)
                stepping.zero_grad(set_to_none=True)
                loss.backward()
                stepping.step()

        work(3)
        return work

    return block
