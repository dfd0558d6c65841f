"""Image-to-image translation with a conditional GAN (Isola et al. 2017, arXiv:1611.07004)."""

import torch
from torch import Tensor, nn

from coursekit.models.gan.objectives import NonSaturating, Objective
from coursekit.protocols import Losses


class Pix2Pix(nn.Module):
    """x = G(c): from a source image c to a target image x, learned from pairs.

    The critic minimizes the objective's critic loss over D(x, c) and D(G(c), c), each a mean over all patches
    of all images, and the generator

        adversarial * (objective's generator loss of D(G(c), c)) + l1 * E |x - G(c)|,

    the second a mean over pixels. The paper's G also gets noise, by dropout: see `nets.Translator`.

    Args:
        generator: G, c -> x, (B, K, H, W) -> (B, C, H, W) in [-1, 1].
        critic: D, (x, c) -> raw scores of any shape, such as `nets.PatchGAN`'s (B, 1, h, w).
        l1: weight of the L1 term, at least 0; 0 leaves the critic alone to teach.
        adversarial: weight of the critic's word, at least 0; 0 leaves regression, and no critic is trained.
        objective: the losses of both; None takes `NonSaturating()`.

    Raises:
        ValueError: a negative weight, or both are 0.

    Source: Isola et al. 2017, eqs. (1), (3) and (4); there l1 is 100.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        l1: float = 100.0,
        adversarial: float = 1.0,
        objective: Objective | None = None,
    ):
        super().__init__()
        if not (l1 >= 0 and adversarial >= 0 and l1 + adversarial > 0):
            raise ValueError(f"l1 is {l1}, adversarial {adversarial}; expected both at least 0, one above 0")
        self.generator, self.critic = generator, critic
        self.l1, self.adversarial = l1, adversarial
        self.objective = objective or NonSaturating()

    @torch.no_grad()
    def sample(self, n: int, c: Tensor | None = None) -> Tensor:
        """G(c) for n source images c, (n, K, H, W) -> (n, C, H, W); without noise in G one answer to each."""
        if len(self._source(c)) != n:
            raise ValueError(f"n is {n} and c holds {len(c)} images; expected one source for each draw")
        return self.generator(c)

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """Two players, "critic" and then "generator"; without an adversarial weight "generator" alone."""
        fake = self.generator(self._source(c))
        if fake.shape != x.shape:
            raise ValueError(
                f"of c {tuple(c.shape)} the generator made {tuple(fake.shape)}; expected the shape of x,"
                f" {tuple(x.shape)}"
            )
        if self.adversarial:
            yield "critic", self.objective.critic(self.critic(x, c), self.critic(fake.detach(), c))
        loss = self.l1 * (x - fake).abs().mean()
        if self.adversarial:
            loss = loss + self.adversarial * self.objective.generator(self.critic(fake, c))
        yield "generator", loss

    @staticmethod
    def _source(c: Tensor | None) -> Tensor:
        if c is None:
            raise ValueError("Pix2Pix needs a condition c, the source images (B, K, H, W); got None")
        return c
