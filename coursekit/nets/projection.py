"""A critic's last layer, which sees features of x beside the condition."""

from torch import Tensor, nn

from coursekit.nets.condition import condition_vector


class Projection(nn.Module):
    """score(h, c) = w . h + b + (V c) . h: an affine score, plus one that depends on x and c together.

    Args:
        features: length of h.
        c_dim: number of classes or length of the condition; 0 for none, then the second term is missing.

    Source: Miyato & Koyama 2018 (arXiv:1802.05637).
    """

    def __init__(self, features: int, c_dim: int = 0):
        super().__init__()
        self.features, self.c_dim = features, c_dim
        self.out = nn.Linear(features, 1)
        self.from_c = nn.Linear(c_dim, features, bias=False) if c_dim else None

    def forward(self, h: Tensor, c: Tensor | None = None) -> Tensor:
        """(B, features) -> (B,)."""
        c, scores = condition_vector(c, self.c_dim, h), self.out(h).squeeze(1)
        return scores if c is None else scores + (self.from_c(c) * h).sum(1)
