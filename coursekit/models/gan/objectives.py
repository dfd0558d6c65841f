"""What critic and generator minimize: a pair of losses on the critic's raw scores."""

from typing import Protocol

import torch.nn.functional as F
from torch import Tensor


class Objective(Protocol):
    """The losses of both players, means over raw scores a of any shape (logits, where D(x) = sigmoid(a))."""

    def critic(self, real: Tensor, fake: Tensor) -> Tensor: ...

    def generator(self, fake: Tensor) -> Tensor: ...


class Minimax:
    """The value of the two-player game, V(D, G) = E log D(x) + E log (1 - D(G(z))), D = sigmoid(a).

    The critic minimizes -V, the generator V's second term: its gradient, d log (1 - D) / da = -D, vanishes
    where the critic knows the fakes for what they are. The generator's loss is therefore called saturating.

    Source: Goodfellow et al. 2014 (arXiv:1406.2661), eq. (1).
    """

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """-E log D(x) - E log (1 - D(G(z))), nats."""
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """E log (1 - D(G(z))), nats."""
        return -F.softplus(fake).mean()


class NonSaturating(Minimax):
    """The critic of `Minimax`; the generator minimizes -E log D(G(z)), whose gradient is strong where D is 0.

    Source: Goodfellow et al. 2014 (arXiv:1406.2661), section 3.
    """

    def generator(self, fake: Tensor) -> Tensor:
        """-E log D(G(z)), nats."""
        return F.softplus(-fake).mean()


class LeastSquares:
    """Squared distance of the scores from 1 for data and 0 for fakes; the generator wants its fakes at 1.

    Source: Mao et al. 2017 (arXiv:1611.04076), eq. (9).
    """

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """1/2 E (a(x) - 1)^2 + 1/2 E a(G(z))^2."""
        return 0.5 * ((real - 1).square().mean() + fake.square().mean())

    def generator(self, fake: Tensor) -> Tensor:
        """1/2 E (a(G(z)) - 1)^2."""
        return 0.5 * (fake - 1).square().mean()


class Hinge:
    """The critic stops where a score is right by a margin of 1; the generator wants high scores.

    Source: Lim & Ye 2017 (arXiv:1705.02894); Miyato et al. 2018 (arXiv:1802.05957), eqs. (16) and (17).
    """

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """E max(0, 1 - a(x)) + E max(0, 1 + a(G(z)))."""
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """-E a(G(z))."""
        return -fake.mean()


class Wasserstein:
    """E a(x) - E a(G(z)), which over all a of slope at most K is at most K times the Wasserstein distance.

    Something must bound the slope: weight clipping (`GAN(clip=...)`), `GradientPenalty` or `spectral_norm`.

    Source: Arjovsky, Chintala & Bottou 2017 (arXiv:1701.07875), eq. (3).
    """

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """E a(G(z)) - E a(x): minus the estimate of the distance."""
        return fake.mean() - real.mean()

    def generator(self, fake: Tensor) -> Tensor:
        """-E a(G(z))."""
        return -fake.mean()
