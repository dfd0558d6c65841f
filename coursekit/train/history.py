"""What a training run leaves behind: named series of numbers over the steps."""

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class History:
    """Named series over training steps; a loss is the mean over the steps since the entry before.

    Attributes:
        records: one dict a logged step, {"step": 20, "model": 131.7}, in order of the steps.
        seconds: wall time spent in training, all resumed parts together.
    """

    def __init__(self, records: list[dict[str, float]] | None = None, seconds: float = 0.0):
        self.records = records or []
        self.seconds = seconds

    @property
    def names(self) -> list[str]:
        """The names of the series, in order of appearance."""
        return list(dict.fromkeys(name for record in self.records for name in record if name != "step"))

    @property
    def steps(self) -> list[int]:
        """The steps at which anything was logged."""
        return [int(record["step"]) for record in self.records]

    def series(self, name: str) -> tuple[list[int], list[float]]:
        """Steps and values of one series."""
        if name not in self.names:
            raise KeyError(f"No series {name!r} was logged; there are {', '.join(self.names) or 'none'}.")
        rows = [record for record in self.records if name in record]
        return [int(row["step"]) for row in rows], [row[name] for row in rows]

    def __getitem__(self, name: str) -> list[float]:
        return self.series(name)[1]

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append values at a step, which may not lie before the last one."""
        if self.records and step < self.records[-1]["step"]:
            raise ValueError(f"step {step} lies before the last logged step, {self.records[-1]['step']}.")
        if not self.records or self.records[-1]["step"] < step:
            self.records.append({"step": step})
        self.records[-1].update({name: torch.as_tensor(value).item() for name, value in values.items()})

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {self[name][-1]:.4g}" for name in self.names)
        return f"History({self.steps[-1] if self.records else 0} steps, {self.seconds:.1f} s; {last})"

    def to_json(self) -> dict[str, Any]:
        """The history as a JSON-able dict; `History(**d)` is its inverse."""
        return {"records": self.records, "seconds": self.seconds}


class LossWindow:
    """Collects losses without waiting for the device, and says exactly which one was not finite.

    `values` holds the numbers of the present logging interval; those still on the device wait in a list
    until `settle` fetches them all at once.
    """

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = defaultdict(list)
        self._waiting: list[tuple[int, str, Tensor]] = []

    def add(self, step: int, player: str, loss: Tensor) -> None:
        """Remember a loss; a CPU's is checked at once, before it can harm the parameters."""
        if loss.device.type == "cpu":
            self._take(step, player, loss.item(), found=step)
        else:
            self._waiting.append((step, player, loss.detach()))

    def settle(self) -> None:
        """Fetch what still lies on the device: one wait for all."""
        if not self._waiting:
            return
        numbers = torch.stack([loss.float() for *_, loss in self._waiting]).tolist()
        waiting, self._waiting = self._waiting, []
        for (step, player, _), value in zip(waiting, numbers, strict=True):
            self._take(step, player, value, found=waiting[-1][0])

    def means(self) -> dict[str, float]:
        """Mean loss of each player over the interval, which ends here."""
        self.settle()
        means = {player: sum(values) / len(values) for player, values in self.values.items()}
        self.values.clear()
        return means

    def _take(self, step: int, player: str, value: float, found: int) -> None:
        if not math.isfinite(value):
            late = "" if found == step else f" (noticed at step {found}; the parameters have changed since)"
            raise FloatingPointError(
                f"The loss of player {player!r} became {value} at step {step}{late}. Try a smaller lr, "
                "clip_norm=1.0, a warm-up (schedule=Cosine(warmup=500)), precision='no' if it was 'bf16', "
                "and look for data outside the range that the model expects."
            )
        self.values[player].append(value)
