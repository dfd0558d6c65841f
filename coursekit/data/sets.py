"""Finite sets that live as one tensor: no worker processes, no copies, batches by random indices."""

from collections.abc import Callable, Mapping, Sequence
from typing import Self

import torch
from torch import Tensor

from coursekit.data.walk import Walk, generator

Index = Tensor | slice | Sequence[int]


class TensorSet:
    """Plain tensors with the batch method of every data set here.

    Args:
        x: the items, (N, *).
        c: conditions or labels, (N, *), or None.
    """

    def __init__(self, x: Tensor, c: Tensor | None = None):
        if c is not None and len(c) != len(x):
            raise ValueError(
                f"x has {len(x)} items and c has {len(c)}: expected one condition for each item."
            )
        self.x, self.c = x, c
        self._walk = Walk(len(x), x.device)

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor | None]:
        """Batch number `step`: x (size, *) and c (size, *) or None, a pure function of its arguments."""
        rows = self._walk.indices(step, size, seed)
        c = None if self.c is None else self.c.index_select(0, rows)
        return self.x.index_select(0, rows), c

    def to(self, device: torch.device | str) -> Self:
        """The same set on another device."""
        return type(self)(self.x.to(device), None if self.c is None else self.c.to(device))


class ImageSet:
    """Images as one uint8 tensor, read as floats x = 2 k / (levels - 1) - 1 in [-1, 1].

    Args:
        images: grey values k = 0 .. levels - 1, uint8 (N, C, H, W).
        labels: long (N,) or None.
        factors: what else is known of each image, by name, each (N, ...).
        levels: number of grey values, 2 .. 256.
        classes: names of the labels.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor | None = None,
        factors: Mapping[str, Tensor] | None = None,
        levels: int = 256,
        classes: Sequence[str] = (),
    ):
        if images.dtype != torch.uint8 or images.ndim != 4:
            raise TypeError(f"images: expected uint8 (N, C, H, W), got {images.dtype} {tuple(images.shape)}.")
        if not 2 <= levels <= 256:
            raise ValueError(f"levels: expected 2 .. 256, got {levels}.")
        self.images, self.labels, self.factors = images, labels, dict(factors or {})
        self.levels, self.classes = levels, tuple(classes)
        for name, values in {"labels": labels, **self.factors}.items():
            if values is not None and len(values) != len(images):
                raise ValueError(f"{name}: {len(values)} values for {len(images)} images.")
        self.condition: str | None = None
        self._walk = Walk(len(images), images.device)

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        n, *shape = self.images.shape
        return f"{type(self).__name__}({n} images {tuple(shape)}, {self.levels} levels)"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape (C, H, W) of one image."""
        return tuple(self.images.shape[1:])

    @property
    def x(self) -> Tensor:
        """All images as floats in [-1, 1], (N, C, H, W)."""
        return self._read(self.images, 0, 0)

    @property
    def y(self) -> Tensor | None:
        """All labels, long (N,), or None."""
        return self.labels

    def _read(self, images: Tensor, step: int, seed: int) -> Tensor:
        return images.float().mul_(2 / (self.levels - 1)).sub_(1)

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor | None]:
        """Batch number `step`: floats (size, C, H, W) and None, or the condition that `conditioned` chose."""
        rows = self._walk.indices(step, size, seed)
        x = self._read(self.images.index_select(0, rows), step, seed)
        return x, None if self.condition is None else self._named(self.condition).index_select(0, rows)

    def conditioned(self, on: str = "class") -> Self:
        """The same set for a conditional model: every batch is (x, c), c the labels ("class") or a factor.

        Raises:
            ValueError: the set has no labels, or no factor of that name.
        """
        self._named(on)
        other = self._with(lambda values: values)
        other.condition = on
        return other

    def _named(self, name: str) -> Tensor:
        known = self.factors | ({} if self.labels is None else {"class": self.labels})
        if name not in known:
            raise ValueError(f"conditioned(on={name!r}): this set has {', '.join(known) or 'no labels'}.")
        return known[name]

    def _with(self, pick: Callable[[Tensor], Tensor]) -> Self:
        labels = None if self.labels is None else pick(self.labels)
        factors = {name: pick(values) for name, values in self.factors.items()}
        other = type(self)(pick(self.images), labels, factors, self.levels, self.classes)
        other.condition = self.condition
        return other

    def __getitem__(self, index: Index) -> Self:
        """The subset at a mask (N,), at indices, or at a slice; `factors` go along."""
        if isinstance(index, int):
            raise TypeError(
                f"An ImageSet is indexed by a slice, a mask or indices: write s[{index}:{index + 1}]."
            )
        rows = index if isinstance(index, slice) else torch.as_tensor(index, device=self.images.device)
        return self._with(lambda values: values[rows])

    def to(self, device: torch.device | str) -> Self:
        """The same set on another device."""
        return self._with(lambda values: values.to(device))

    def discrete(self, levels: int | None = None) -> "DiscreteSet":
        """The same images as whole numbers k = 0 .. levels - 1, for models of discrete data.

        Args:
            levels: None keeps all; fewer cuts the range from black to white into that many equal parts.

        Raises:
            ValueError: the set has fewer levels than that, or levels is below 2.
        """
        levels = self.levels if levels is None else levels
        if not 2 <= levels <= self.levels:
            raise ValueError(
                f"discrete(levels={levels}): expected 2 .. {self.levels}, as many as the set has."
            )
        images = (self.images.int() * levels // self.levels).to(torch.uint8)
        other = DiscreteSet(images, self.labels, self.factors, levels, self.classes)
        other.condition = self.condition
        return other

    def binarized(self, threshold: float | None = None) -> "BinarySet":
        """The same images as zeros and ones.

        Args:
            threshold: None draws each pixel anew at every batch, 1 with probability k / (levels - 1) (dynamic
                binarization, as in arXiv:1509.00519); a number in [0, 1) gives 1 to all that is above.
        """
        other = BinarySet(self.images, self.labels, self.factors, self.levels, self.classes, threshold)
        other.condition = self.condition
        return other


class DiscreteSet(ImageSet):
    """An ImageSet whose x is the level itself, 0., 1., .. levels - 1; made by `ImageSet.discrete`."""

    def _read(self, images: Tensor, step: int, seed: int) -> Tensor:
        return images.float()


class BinarySet(ImageSet):
    """An ImageSet whose x is in {0., 1.}; made by `ImageSet.binarized`.

    With threshold None, `batch` draws fresh pixels from (step, seed), the same on every device of one kind,
    and `x` is one fixed draw, so that a likelihood measured on it can be repeated.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor | None = None,
        factors: Mapping[str, Tensor] | None = None,
        levels: int = 256,
        classes: Sequence[str] = (),
        threshold: float | None = None,
    ):
        super().__init__(images, labels, factors, levels, classes)
        if threshold is not None and not 0 <= threshold < 1:
            raise ValueError(f"threshold: expected None or a number in [0, 1), got {threshold}.")
        self.threshold = threshold

    def _read(self, images: Tensor, step: int, seed: int) -> Tensor:
        if self.threshold is not None:
            return self._ones(images > self.threshold * (self.levels - 1))
        draw = generator(seed, step, 1, device=images.device)
        dice = torch.rand(images.shape, generator=draw, device=images.device)
        return self._ones(dice < images.float().div_(self.levels - 1))

    @staticmethod
    def _ones(mask: Tensor) -> Tensor:
        return mask.view(torch.uint8).float()  # much faster than from bool

    def _with(self, pick: Callable[[Tensor], Tensor]) -> Self:
        other = super()._with(pick)
        other.threshold = self.threshold
        return other
