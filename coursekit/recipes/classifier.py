"""The recipe of the classifier whose features judge samples."""

from typing import Any

from torch import nn

from coursekit.models.classifier import Classifier
from coursekit.nets import ConvFeatures
from coursekit.recipes.images import images, shape_of
from coursekit.recipes.registry import Recipe, register
from coursekit.train import Cosine


def classifier(
    dataset: str = "glyphs",
    features: int = 64,
    width: int = 32,
    dropout: float = 0.3,
    steps: int = 3000,
    batch_size: int = 128,
    lr: float = 1e-3,
    ema: float = 0.0,
) -> Recipe:
    """A convolutional classifier of ten classes, trained on images with their labels."""
    shape = shape_of(dataset)

    def make() -> nn.Module:
        return Classifier(ConvFeatures(shape, features, width), features, 10, dropout)

    def data(split: str) -> Any:
        return images(dataset, split).conditioned()

    return Recipe(make, data, steps, batch_size, lr, schedule=Cosine(), ema=ema)


register("classifier", classifier)
