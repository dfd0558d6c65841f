"""The real handwritten digits that ship inside scikit-learn."""

import torch

from coursekit.data.sets import ImageSet
from coursekit.data.walk import generator


def digits(train: bool = True) -> ImageSet:
    """1,797 real handwritten digits, 8 x 8 pixels with 17 grey levels, strokes +1 on -1; no download.

    The set has no official split: a fixed shuffle puts 1,497 images into training and 300 into test.
    Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits (UCI), as in scikit-learn.

    Args:
        train: the training part, else the test part.
    """
    from sklearn.datasets import load_digits

    source = load_digits()
    images = torch.from_numpy(source.images).to(torch.uint8)[:, None]
    labels = torch.from_numpy(source.target).long()
    order = torch.randperm(len(images), generator=generator(0))
    rows = order[:-300] if train else order[-300:]
    return ImageSet(images[rows], labels[rows], levels=17, classes=tuple("0123456789"))
