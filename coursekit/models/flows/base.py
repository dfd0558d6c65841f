"""What a flow maps data to."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class StandardNormal(nn.Module):
    """z ~ N(0, I), log p(z) = -|z|^2 / 2 - (D / 2) log 2 pi.

    It is the base of multi-scale flows too: a latent x2 that is factored out early with a prior
    N(mean(x1), scale(x1)^2) is the same model as one more affine map, (x2 - mean) / scale, to this base.

    Args:
        shape: shape of one z, or its length.
    """

    def __init__(self, shape: int | Sequence[int]):
        super().__init__()
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.log_norm = 0.5 * math.prod(self.shape) * math.log(2 * math.pi)
        self.register_buffer("zero", torch.zeros(()), persistent=False)  # knows device and precision

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z), exact: (B, *) -> (B,), nats."""
        if tuple(z.shape[1:]) != self.shape:
            raise ValueError(f"z has shape {tuple(z.shape)}; expected (B, {', '.join(map(str, self.shape))})")
        return -0.5 * z.flatten(1).square().sum(1) - self.log_norm

    def sample(self, n: int, temperature: float = 1.0) -> Tensor:
        """n draws from N(0, temperature^2 I), (n, *)."""
        if not temperature >= 0:
            raise ValueError(f"temperature is {temperature}; expected a number of at least 0")
        return temperature * torch.randn(n, *self.shape, dtype=self.zero.dtype, device=self.zero.device)
