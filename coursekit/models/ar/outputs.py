"""What p(x_i | x_<i) can be: P numbers of a network read as the distribution of one subpixel."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Bernoulli, Categorical, Distribution


class BernoulliOutput:
    """Bernoulli(sigmoid(a)) for x in {0, 1}, from P = 1 number a."""

    features, levels = 1, 2

    def __call__(self, parameters: Tensor) -> Distribution:
        """(..., 1) -> batch shape (...)."""
        return _Binary(logits=parameters.squeeze(-1), validate_args=False)


class CategoricalOutput:
    """softmax(a) over x in 0 .. levels - 1, from P = levels numbers a: no order among the levels is built in.

    Args:
        levels: number of grey values, at least 2.
    """

    def __init__(self, levels: int = 256):
        if levels < 2:
            raise ValueError(f"levels is {levels}; expected at least 2")
        self.levels, self.features = levels, levels

    def __call__(self, parameters: Tensor) -> Distribution:
        """(..., levels) -> batch shape (...)."""
        return _Levels(logits=parameters, validate_args=False)


class LogisticMixtureOutput:
    """A mixture of K logistic distributions on [-1, 1], rounded to the levels; P = 3 K numbers.

    They are the logits of the weights pi, the means mu and the log-scales log s, side by side.

    Args:
        components: K, at least 1.
        levels: number of grey values, at least 2.

    Source: Salimans, Karpathy, Chen & Kingma 2017 (PixelCNN++, arXiv:1701.05517), eq. (2). There the channels
    of a pixel share their weights, and G and B add linear terms; here each subpixel has its own.
    """

    def __init__(self, components: int = 5, levels: int = 256):
        if components < 1 or levels < 2:
            raise ValueError(f"components is {components}, levels is {levels}; expected at least 1 and 2")
        self.components, self.levels, self.features = components, levels, 3 * components

    def __call__(self, parameters: Tensor) -> Distribution:
        """(..., 3 K) -> batch shape (...)."""
        logits, mean, log_scale = parameters.chunk(3, -1)
        return DiscretizedLogisticMixture(logits, mean, log_scale, self.levels)


class DiscretizedLogisticMixture(Distribution):
    """P(k) = sum_j pi_j [sigmoid((x_k + d - mu_j) / s_j) - sigmoid((x_k - d - mu_j) / s_j)].

    x_k = 2 k / (L - 1) - 1 is a level's place in [-1, 1], d = 1 / (L - 1) half a bin; the first bin reaches
    down to minus infinity and the last one up to infinity, so the L probabilities sum to one.

    Args:
        logits: of pi, (..., K).
        mean: mu, (..., K).
        log_scale: log s, (..., K), kept within -7 and 30.
        levels: L, the number of grey values.
    """

    arg_constraints: ClassVar[dict] = {}

    def __init__(self, logits: Tensor, mean: Tensor, log_scale: Tensor, levels: int = 256):
        super().__init__(logits.shape[:-1], validate_args=False)
        self.log_weight = logits.log_softmax(-1)
        self.loc, self.log_scale, self.levels = mean, log_scale.clamp(-7.0, 30.0), levels

    def log_prob(self, value: Tensor) -> Tensor:
        """log P(value), nats; value in 0 .. L - 1, broadcast against the batch shape (...).

        With a = (x + d - mu) / s and b = (x - d - mu) / s, log [sigmoid(a) - sigmoid(b)] is computed as
        log sigmoid(a) + log sigmoid(-b) + log(1 - exp(-2 d / s)), which neither cancels nor underflows.
        """
        check_levels(value, self.levels)
        k, top = value[..., None], self.levels - 1
        scale, x = self.log_scale.exp(), 2 * k / top - 1
        below = F.logsigmoid((x + 1 / top - self.loc) / scale)  # log of the mass below the bin's upper edge
        above = F.logsigmoid((self.loc - x + 1 / top) / scale)  # log of the mass above its lower edge
        both = below + above + (-(-2 / top / scale).expm1()).log()
        log_p = torch.where(k == 0, below, torch.where(k == top, above, both))
        return (self.log_weight + log_p).logsumexp(-1)

    def sample(self, sample_shape: torch.Size = torch.Size()) -> Tensor:  # noqa: B008  (as in torch)
        """Levels, sample shape + batch shape: a component, then a logistic number, then the nearest level."""
        j = Categorical(logits=self.log_weight, validate_args=False).sample(sample_shape)[..., None]
        mean, log_scale = (
            part.expand(*j.shape[:-1], -1).gather(-1, j).squeeze(-1) for part in (self.loc, self.log_scale)
        )
        x = mean + log_scale.exp() * torch.rand_like(mean).logit()
        return ((x + 1) / 2 * (self.levels - 1)).round().clamp(0, self.levels - 1)


class _Binary(Bernoulli):
    """Bernoulli that refuses grey values, for which its log_prob is not a probability."""

    def log_prob(self, value: Tensor) -> Tensor:
        check_levels(value, 2)
        return super().log_prob(value)


class _Levels(Categorical):
    """Categorical over levels, which are floats as all images are."""

    def log_prob(self, value: Tensor) -> Tensor:
        check_levels(value, self.logits.shape[-1])
        return super().log_prob(value.long())

    def sample(self, sample_shape: torch.Size = torch.Size()) -> Tensor:  # noqa: B008  (as in torch)
        return super().sample(sample_shape).to(self.logits.dtype)


def check_levels(value: Tensor, levels: int) -> None:
    """Refuse what is no whole number in 0 .. levels - 1."""
    odd = (value != value.round()) | (value < 0) | (value > levels - 1)
    if odd.any():
        how = "ImageSet.binarized()" if levels == 2 else f"ImageSet.discrete(levels={levels})"
        raise ValueError(
            f"x holds {value[odd][0].item():.4g}; expected whole numbers in 0 .. {levels - 1}: take {how}"
        )
