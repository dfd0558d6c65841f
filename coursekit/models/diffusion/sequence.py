"""Diffusion the naive way: noise data step by step, keep the whole sequence, learn to go one step back."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from coursekit.models.diffusion.schedules import Linear, Schedule
from coursekit.models.diffusion.variances import posterior
from coursekit.protocols import Losses


class SequenceDenoiser(nn.Module):
    """x_{i-1} ~ N(x_i + net(x_i, t), beta-tilde_i I), regressed on stored pairs (x_i, x_{i-1}), t = i / T.

    Its best answer is that of DDPM, E[x_{i-1} | x_i]. But the closed form of x_i is not used: the pairs of a
    sequence depend on each other, and what is left to predict is small beside the target's noise.

    Args:
        net: (x_i, t, c) -> the change, (B, *).
        shape: of one x.
        schedule: beta_1 ... beta_T; None is `Linear()`.
    """

    def __init__(self, net: nn.Module, shape: Sequence[int], schedule: Schedule | None = None):
        super().__init__()
        self.net, self.shape, self.path = net, tuple(shape), schedule or Linear()
        self.steps = self.path.steps

    def sequences(self, x: Tensor) -> Tensor:
        """x_0, ..., x_T, each a step of q(x_i | x_{i-1}) from the one before: (B, *) -> (T + 1, B, *)."""
        out = [x]
        for beta in self.path.betas.to(x.dtype):
            out.append((1 - beta).sqrt() * out[-1] + beta.sqrt() * torch.randn_like(x))
        return torch.stack(out)

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; all T pairs of each row's sequence: T times the network's work of DDPM."""
        sequence = self.sequences(x)  # (T + 1, B, *)
        rows = sequence[1:].flatten(0, 1)  # (T B, *)
        t = torch.arange(1, self.steps + 1, device=x.device).to(x.dtype) / self.steps
        c = c if c is None else c.repeat(self.steps, *[1] * (c.ndim - 1))
        change = self.net(rows, t.repeat_interleave(len(x)), c)
        yield "model", (rows + change - sequence[:-1].flatten(0, 1)).square().mean()

    @torch.no_grad()
    def sample(self, n: int, c: Tensor | None = None, *, progress: bool = True) -> Tensor:
        """n draws, (n, *shape): T steps back from noise; the last one adds no noise."""
        x = self.path.prior_sample(n, self.shape, next(self.parameters()))
        times = torch.arange(self.steps, -1, -1, device=x.device).to(x.dtype) / self.steps
        variances = posterior(self.path, times[1:], times[:-1]).small
        for k in tqdm(range(self.steps), unit="step", delay=1, disable=not progress):
            noise = variances[k].sqrt() * torch.randn_like(x)
            x = x + self.net(x, times[k].expand(n), c) + noise
        return x
