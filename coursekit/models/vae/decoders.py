"""What p(x | z) can be: a network's output read as the parameters of a distribution."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal


class BernoulliDecoder(nn.Module):
    """p(x | z) = prod_i Bernoulli(x_i; sigmoid(net(z)_i)), for x in {0, 1}.

    Args:
        net: (z, c) -> logits, (B, D) -> (B, *) or flat.
        shape: event shape of x.
    """

    def __init__(self, net: nn.Module, shape: Sequence[int]):
        super().__init__()
        self.net, self.shape = net, tuple(shape)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Distribution:
        """p(x | z), (..., B, D) -> batch (..., B)."""
        logits = _apply(self.net, z, c, self.shape)
        return Independent(_Binary(logits=logits, validate_args=False), len(self.shape))


class GaussianDecoder(nn.Module):
    """p(x | z) = N(x; net(z), variance I): squared error with the weight 1 / (2 variance).

    Args:
        net: (z, c) -> mean, (B, D) -> (B, *) or flat.
        shape: event shape of x.
        variance: of each dimension of x around the mean, above 0; the start value if it is learnt.
        learn_variance: whether training fits the variance, one number for all dimensions.
    """

    def __init__(
        self, net: nn.Module, shape: Sequence[int], variance: float = 1.0, learn_variance: bool = False
    ):
        super().__init__()
        if not variance > 0:
            raise ValueError(f"variance is {variance}; expected a number above 0")
        self.net, self.shape = net, tuple(shape)
        self.learn_variance = learn_variance
        self.log_variance = nn.Parameter(torch.tensor(math.log(variance)), requires_grad=learn_variance)

    @property
    def variance(self) -> Tensor:
        """Variance of p(x | z) in each dimension, a scalar tensor."""
        return self.log_variance.exp()

    def forward(self, z: Tensor, c: Tensor | None = None) -> Distribution:
        """p(x | z), (..., B, D) -> batch (..., B)."""
        mean = _apply(self.net, z, c, self.shape)
        scale = (0.5 * self.log_variance).exp().expand_as(mean)
        return Independent(Normal(mean, scale, validate_args=False), len(self.shape), validate_args=False)


def _apply(net: nn.Module, z: Tensor, c: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    """net(z, c) with the batch axes of z, (..., B, D) -> (..., B, *shape); c belongs to the last of them."""
    batch = z.shape[:-1]
    if c is not None:
        c = c.expand(*batch[:-1], *c.shape).flatten(0, len(batch) - 1)
    return net(z.reshape(-1, z.shape[-1]), c).reshape(*batch, *shape)


class _Binary(Bernoulli):
    """Bernoulli that refuses grey values, for which its log_prob is not a probability."""

    def log_prob(self, value: Tensor) -> Tensor:
        if not torch.equal(value * value, value):
            odd = value[(value != 0) & (value != 1)][0].item()
            raise ValueError(
                f"x holds {odd:.4g}; a Bernoulli decoder needs 0 or 1:"
                " binarize the data (ImageSet.binarized()) or use GaussianDecoder"
            )
        return super().log_prob(value)
