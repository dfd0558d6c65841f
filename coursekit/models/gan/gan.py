"""Generative adversarial networks (Goodfellow et al. 2014, arXiv:1406.2661)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.models.gan.objectives import NonSaturating, Objective
from coursekit.models.gan.penalties import Penalty
from coursekit.protocols import Losses


class GAN(nn.Module):
    """x = G(z; c) with z ~ N(0, I): a distribution that can be drawn from, but has no density to evaluate.

    The generator learns from a critic, which learns to tell data from fakes. Data come as the generator makes
    them: images in [-1, 1], as the sets of `coursekit.data` give them, for generators that end with a tanh.

    Args:
        generator: G, (z, c) -> x, (B, D) -> (B, *).
        critic: (x, c) -> raw scores, (B, *) -> (B,) or (B, 1), high for data.
        latent_dim: D, the length of z.
        objective: the losses of both; None takes `NonSaturating()`.
        penalties: terms that are added to the critic's loss.
        critic_steps: k, the critic's steps for each of the generator; the batch is cut into k equal parts,
            one for each step, and the generator's step has as many fakes as one part.
        clip: bound on the absolute value of each of the critic's parameters, kept from the beginning and
            after every step; None for none (arXiv:1701.07875, algorithm 1, has 0.01).

    Raises:
        ValueError: critic_steps is below 1, or clip is not positive.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        latent_dim: int,
        objective: Objective | None = None,
        penalties: Sequence[Penalty] = (),
        critic_steps: int = 1,
        clip: float | None = None,
    ):
        super().__init__()
        if critic_steps < 1 or (clip is not None and not clip > 0):
            raise ValueError(
                f"critic_steps is {critic_steps}, clip is {clip}; expected at least 1, and None or above 0"
            )
        self.generator, self.critic, self.latent_dim = generator, critic, latent_dim
        self.objective, self.penalties = objective or NonSaturating(), tuple(penalties)
        self.critic_steps, self.clip = critic_steps, clip
        self._clip()

    def latent(self, n: int, truncation: float | None = None) -> Tensor:
        """n draws of z from N(0, I), (n, D); each component within +-truncation, if that is given."""
        if truncation is not None and not truncation > 0:
            raise ValueError(f"truncation is {truncation}; expected None or a number above 0")
        like = next(self.generator.parameters())
        z = torch.empty(n, self.latent_dim, dtype=like.dtype, device=like.device)
        return z.normal_() if truncation is None else nn.init.trunc_normal_(z, a=-truncation, b=truncation)

    def decode(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """G(z; c): (B, D) -> (B, *)."""
        return self.generator(z, c)

    @torch.no_grad()
    def sample(self, n: int, c: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """n draws, (n, *).

        Args:
            n: how many.
            c: condition, as for the generator.
            truncation: bound on the components of z: less makes draws more typical and less diverse
                (Brock, Donahue & Simonyan 2019, arXiv:1809.11096, section 3.1); None for none.
        """
        return self.decode(self.latent(n, truncation), c)

    def scores(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """The critic's raw scores, (B, *) -> (B,)."""
        scores = self.critic(x, c)
        if scores.numel() != len(x):
            raise ValueError(f"the critic gave {tuple(scores.shape)}; expected one score a row, ({len(x)},)")
        return scores.reshape(len(x))

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """Two players: "critic" k times, each on its part of the batch, then "generator" on its last fakes.

        The generator's loss is made by the critic that has stepped. Algorithm 1 of the paper draws new fakes
        for it; to take the critic's last ones saves a pass.
        """
        k = self.critic_steps
        if len(x) % k:
            raise ValueError(f"a batch of {len(x)} can't be cut into critic_steps={k} equal parts")
        for real, given in zip(x.chunk(k), [None] * k if c is None else c.chunk(k), strict=True):
            fake = self.decode(self.latent(len(real)), given)
            yield "critic", self._critic_loss(real, fake.detach(), given)
            self._clip()
        yield "generator", self.objective.generator(self.scores(fake, given))

    def _critic_loss(self, real: Tensor, fake: Tensor, c: Tensor | None) -> Tensor:
        loss = self.objective.critic(self.scores(real, c), self.scores(fake, c))
        return loss + sum(penalty(self.scores, real, fake, c) for penalty in self.penalties)

    @torch.no_grad()
    def _clip(self) -> None:
        if self.clip is not None:
            for p in self.critic.parameters():
                p.clamp_(-self.clip, self.clip)
