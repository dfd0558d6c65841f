"""When to train: the times of a batch."""

from typing import Protocol

import torch
from torch import Tensor


class Times(Protocol):
    """Draws the times of a batch in [0, 1]: n -> (n,), made as `like`."""

    def __call__(self, n: int, like: Tensor) -> Tensor: ...


class UniformTimes:
    """t ~ U(first, last), one in each of n equal parts, in random order: less noise in the loss.

    Args:
        first, last: in [0, 1].

    Source: Kingma et al. 2021 (arXiv:2107.00630), appendix I.1.
    """

    def __init__(self, first: float = 0.0, last: float = 1.0):
        if not 0 <= first < last <= 1:
            raise ValueError(f"first is {first}, last is {last}; expected 0 <= first < last <= 1")
        self.first, self.last = first, last

    def __call__(self, n: int, like: Tensor) -> Tensor:
        u = torch.rand((), dtype=like.dtype, device=like.device)
        t = (torch.randperm(n, device=like.device) + u) / n
        return self.first + (self.last - self.first) * t


class LogitNormalTimes:
    """t = sigmoid(mean + std e), e ~ N(0, 1): more often the middle, where flow matching is hard.

    Args:
        mean, std: of logit t.

    Source: Esser et al. 2024 (arXiv:2403.03206), section 3.1.
    """

    def __init__(self, mean: float = 0.0, std: float = 1.0):
        self.mean, self.std = mean, std

    def __call__(self, n: int, like: Tensor) -> Tensor:
        e = torch.empty(n, dtype=like.dtype, device=like.device).normal_()
        return (self.mean + self.std * e).sigmoid()


class GridTimes:
    """One of 0, 1 / (levels - 1), ..., 1 for each row, all as likely.

    Args:
        levels: how many, at least 2.
    """

    def __init__(self, levels: int):
        self.levels = levels

    def __call__(self, n: int, like: Tensor) -> Tensor:
        return torch.randint(self.levels, (n,), device=like.device).to(like.dtype) / (self.levels - 1)
