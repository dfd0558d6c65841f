"""A classifier of images: a model of labels, whose features judge models of images."""

import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.protocols import Losses


class Classifier(nn.Module):
    """p(y | x) = softmax(W relu(f(x)) + b), trained by maximum likelihood.

    Args:
        net: f, x -> (B, D).
        features: D.
        classes: Y, the number of labels.
        dropout: share of the features that a training step leaves out, in [0, 1).
    """

    def __init__(self, net: nn.Module, features: int, classes: int, dropout: float = 0.0):
        super().__init__()
        self.net, self.classes, self.dropout = net, classes, nn.Dropout(dropout)
        self.head = nn.Linear(features, classes)

    def features(self, x: Tensor) -> Tensor:
        """relu(f(x)), what the labels are read from: (B, *) -> (B, D)."""
        return F.relu(self.net(x))

    def forward(self, x: Tensor) -> Tensor:
        """Logits, (B, *) -> (B, Y)."""
        return self.head(self.dropout(self.features(x)))

    def probabilities(self, x: Tensor) -> Tensor:
        """p(y | x), (B, *) -> (B, Y)."""
        return self(x).softmax(1)

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model": -log p(c | x), averaged over the batch; c are labels, (B,)."""
        if c is None:
            raise ValueError(
                "a classifier learns from labels: train it on data.conditioned(), not on x alone"
            )
        yield "model", F.cross_entropy(self(x), c)
