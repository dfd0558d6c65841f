"""Small models for the tests of training, each with one property that matters there."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.protocols import Losses


def points(n: int = 96, dims: int = 4, seed: int = 0) -> Tensor:
    """Fixed random rows, (n, dims)."""
    return torch.randn(n, dims, generator=torch.Generator().manual_seed(seed))


class Regression(nn.Module):
    """Predicts a row's sum: no noise and no batch statistics."""

    def __init__(self, dims: int = 4):
        super().__init__()
        torch.manual_seed(1)
        self.net = nn.Sequential(nn.Linear(dims, 16), nn.Tanh(), nn.Linear(16, 1))

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        yield "model", (self.net(x)[:, 0] - x.sum(1)).square().mean()


class Noisy(Regression):
    """Adds noise to its input, drops units, and keeps running statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.2), nn.Linear(16, 1))

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        yield from super().losses(x + 0.1 * torch.randn_like(x), c)


class Duel(nn.Module):
    """Two players: the generator's loss sees the critic after the critic's step."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.generator = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 4))
        self.critic = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        fake = self.generator(torch.randn(len(x), 2))
        yield "critic", F.softplus(-self.critic(x)).mean() + F.softplus(self.critic(fake.detach())).mean()
        yield "generator", F.softplus(-self.critic(fake)).mean()


class Lazy(Regression):
    """Sets its first weights from its first batch, as some normalizing layers do."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(4))
        self.register_buffer("started", torch.tensor(False))

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        if not self.started:
            self.shift.data.copy_(x.mean(0))
            self.started.fill_(True)
        yield from super().losses(x - self.shift, c)


class Probe(Regression):
    """Keeps what it drew, in a parameter without gradient: processes agree on that at step one alone."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn_here = nn.Parameter(torch.zeros(3), requires_grad=False)

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        yield from super().losses(x, c)
        self.drawn_here.copy_(torch.randn(3))


MODELS = {"regression": Regression, "noisy": Noisy, "duel": Duel, "lazy": Lazy, "probe": Probe}
