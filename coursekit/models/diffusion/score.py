"""Score matching: the score of a density from samples alone (Hyvarinen 2005, JMLR 6:695-709)."""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from coursekit.models.diffusion.stochastic import langevin_step
from coursekit.protocols import Losses

ScoreFunction = Callable[[Tensor], Tensor]
"""s(x): (B, *) -> (B, *)."""


class ScoreModel(nn.Module):
    """s(x) = net(x, 0, c), an estimate of grad log p(x | c), at one level of noise or none.

    Args:
        net: (x, t, c) -> (B, *); t is always 0.
        shape: of one x.
        objective: what is minimized; None is `Denoising()`.
    """

    steps = 1000

    def __init__(self, net: nn.Module, shape: Sequence[int], objective: "Objective | None" = None):
        super().__init__()
        self.net, self.shape, self.objective = net, tuple(shape), objective or Denoising()

    def score(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """s(x): (B, *) -> (B, *)."""
        return self.net(x, x.new_zeros(len(x)), c)

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; the objective, averaged over the batch."""
        yield "model", self.objective(lambda y: self.score(y, c), x).mean()

    @torch.no_grad()
    def sample(
        self,
        n: int,
        c: Tensor | None = None,
        *,
        start: Tensor | None = None,
        steps: int | None = None,
        size: float = 1e-2,
        progress: bool = True,
    ) -> Tensor:
        """n chains of Langevin dynamics at their end, (n, *shape).

        Args:
            n: how many.
            c: condition, as for the network.
            start: where the chains begin, (n, *shape); None is N(0, I).
            steps: of each chain; None takes the model's own.
            size: of a step, above 0.
            progress: show a bar if it takes more than a second.
        """
        like = next(self.parameters())
        x = torch.empty(n, *self.shape, dtype=like.dtype, device=like.device).normal_()
        x = x if start is None else start.to(like)
        for _ in tqdm(range(steps or self.steps), unit="step", delay=1, disable=not progress):
            x = langevin_step(x, self.score(x, c), size, torch.randn_like(x))
        return x


class Objective(Protocol):
    """One number a row, whose mean is least at the score: (B,)."""

    def __call__(self, score: ScoreFunction, x: Tensor) -> Tensor: ...


class Explicit:
    """tr J_s(x) + |s(x)|^2 / 2, one pass back a dimension: half E |s - grad log p|^2 up to a constant.

    It is the trace that is explicit. The loss is the one often called implicit score matching, since it does
    without grad log p.

    Source: Hyvarinen 2005, theorem 1.
    """

    def __call__(self, score: ScoreFunction, x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        s = score(x)
        columns = s.flatten(1).sum(0)  # (D,), each the sum over rows, which don't meet
        trace = sum(_grad(column, x).flatten(1)[:, d] for d, column in enumerate(columns))
        return trace + 0.5 * s.square().flatten(1).sum(1)


class Sliced:
    """v^T J_s(x) v + |s(x)|^2 / 2, averaged over random directions v, E v v^T = I: unbiased for `Explicit`.

    Args:
        projections: directions a row.

    Source: Song et al. 2019 (arXiv:1905.07088), the variant with reduced variance.
    """

    def __init__(self, projections: int = 1):
        if projections < 1:
            raise ValueError(f"projections is {projections}; expected at least 1")
        self.projections = projections

    def __call__(self, score: ScoreFunction, x: Tensor) -> Tensor:
        x = x.detach().requires_grad_()
        s = score(x)
        trace = x.new_zeros(len(x))
        for _ in range(self.projections):
            v = torch.randn_like(x)
            trace = trace + (_grad((s * v).sum(), x) * v).flatten(1).sum(1)
        return trace / self.projections + 0.5 * s.square().flatten(1).sum(1)


class Denoising:
    """|s(x + sigma eps) + eps / sigma|^2 / 2: the score of the data with noise of deviation sigma.

    Args:
        sigma: above 0.

    Source: Vincent 2011 (doi:10.1162/NECO_a_00142), denoising score matching with Gaussian noise.
    """

    def __init__(self, sigma: float = 0.1):
        if not sigma > 0:
            raise ValueError(f"sigma is {sigma}; expected a standard deviation above 0")
        self.sigma = sigma

    def __call__(self, score: ScoreFunction, x: Tensor) -> Tensor:
        eps = torch.randn_like(x)
        return 0.5 * (score(x + self.sigma * eps) + eps / self.sigma).square().flatten(1).sum(1)


def _grad(y: Tensor, x: Tensor) -> Tensor:
    return torch.autograd.grad(y, x, create_graph=True)[0]
