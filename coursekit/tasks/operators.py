"""Measurements of images, y = A(x) + noise: what is lost before anyone can ask for it back."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from coursekit.tasks.linear import LinearOperator, Operator, reflection


class Mask(LinearOperator):
    """y = m * x: pixels are seen, where m is 1, or hidden, where it is 0; y has the shape of x.

    Args:
        kept: m, of bools or of zeros and ones, (C, H, W).

    Raises:
        ValueError: another shape, or other numbers.
    """

    def __init__(self, kept: Tensor):
        if kept.ndim != 3 or not ((kept == 0) | (kept == 1)).all():
            raise ValueError(
                f"kept has shape {tuple(kept.shape)} and is {kept.dtype}; expected (C, H, W), of bools or of"
                " zeros and ones"
            )
        super().__init__(kept.shape, kept.shape)
        self.kept = kept.double()

    def forward(self, x: Tensor) -> Tensor:
        return self.kept.to(x) * x

    adjoint = project = forward

    def measure(self, x: Tensor, noise: float, generator: torch.Generator | None = None) -> Tensor:
        """m * (x + noise * eps): what is hidden has no noise either, so that no residual is counted there."""
        return self.forward(super().measure(x, noise, generator))

    @property
    def values(self) -> Tensor:
        return self.kept


class Crop(LinearOperator):
    """y is a window of x; to ask for the rest is uncropping.

    Args:
        shape: (C, H, W) of x.
        box: top, left, height and width of the window, in pixels.
    """

    def __init__(self, shape: Sequence[int], box: Sequence[int]):
        top, left, height, width = box
        if min(top, left) < 0 or min(height, width) < 1 or top + height > shape[1] or left + width > shape[2]:
            raise ValueError(f"box is {tuple(box)}; expected a window within images of shape {tuple(shape)}")
        super().__init__(shape, (shape[0], height, width))
        self.box = tuple(box)
        self.rows, self.columns = slice(top, top + height), slice(left, left + width)

    def forward(self, x: Tensor) -> Tensor:
        return x[..., self.rows, self.columns]

    def adjoint(self, y: Tensor) -> Tensor:
        x = y.new_zeros(len(y), *self.shape)
        x[..., self.rows, self.columns] = y
        return x

    project = adjoint

    @property
    def values(self) -> Tensor:
        return self.adjoint(torch.ones(1, *self.y_shape, dtype=torch.float64, device="cpu"))[0]


class Downsample(LinearOperator):
    """y is the mean of each block of factor x factor pixels; to ask for the pixels is super-resolution.

    Args:
        shape: (C, H, W) of x.
        factor: k, a divisor of H and W.
    """

    def __init__(self, shape: Sequence[int], factor: int):
        channels, height, width = shape
        if factor < 1 or height % factor or width % factor:
            raise ValueError(f"factor is {factor}; expected a divisor of the sides of {tuple(shape)}")
        super().__init__(shape, (channels, height // factor, width // factor))
        self.factor = factor
        self.basis = reflection(torch.full((factor**2,), 1 / factor, dtype=torch.float64, device="cpu"))

    def forward(self, x: Tensor) -> Tensor:
        return self._blocks(x).mean(-1)

    def adjoint(self, y: Tensor) -> Tensor:
        return self._enlarged(y) / self.factor**2

    def picture(self, y: Tensor) -> Tensor:
        return self._enlarged(y)

    def rotate(self, x: Tensor) -> Tensor:
        k = self.factor
        return rearrange(self._blocks(x) @ self.basis.to(x), "b c h w (i j) -> b c (h i) (w j)", i=k)

    unrotate = rotate  # a reflection is its own inverse

    def project(self, y: Tensor) -> Tensor:
        z = y.new_zeros(len(y), *self.shape)
        z[..., :: self.factor, :: self.factor] = y  # the block's mean direction is its first coordinate
        return z

    @property
    def values(self) -> Tensor:
        ones = torch.ones(1, *self.y_shape, dtype=torch.float64, device="cpu")
        return self.project(ones / self.factor)[0]

    def _blocks(self, x: Tensor) -> Tensor:
        k = self.factor
        return rearrange(x, "b c (h i) (w j) -> b c h w (i j)", i=k, j=k)

    def _enlarged(self, y: Tensor) -> Tensor:
        return y.repeat_interleave(self.factor, -2).repeat_interleave(self.factor, -1)


class Grey(LinearOperator):
    """y = sum_c w_c x_c, one channel; to ask for the colours is colorization.

    Args:
        shape: (C, H, W) of x.
        weights: w, (C,), not all 0; the default is that of ITU-R BT.601, for red, green and blue.
    """

    def __init__(self, shape: Sequence[int], weights: Sequence[float] = (0.299, 0.587, 0.114)):
        if len(weights) != shape[0] or not any(weights):
            raise ValueError(f"weights are {tuple(weights)}; expected one for each of {shape[0]} channels")
        super().__init__(shape, (1, *shape[1:]))
        self.weights = tuple(weights)
        self.w = torch.tensor(self.weights, dtype=torch.float64, device="cpu")
        self.basis = reflection(self.w / self.w.norm())

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bchw,c->bhw", x, self.w.to(x))[:, None]

    def adjoint(self, y: Tensor) -> Tensor:
        return y * self.w.to(y)[:, None, None]

    def picture(self, y: Tensor) -> Tensor:
        return (y / self.w.sum().to(y)).expand(-1, self.shape[0], -1, -1)

    def rotate(self, x: Tensor) -> Tensor:
        return torch.einsum("bchw,cd->bdhw", x, self.basis.to(x))

    unrotate = rotate  # a reflection is its own inverse

    def project(self, y: Tensor) -> Tensor:
        return torch.cat([y, y.new_zeros(len(y), self.shape[0] - 1, *self.shape[1:])], 1)

    @property
    def values(self) -> Tensor:
        return self.project(self.w.norm().expand(1, *self.y_shape))[0]


class Blur(LinearOperator):
    """y is x under a Gaussian of standard deviation `width` pixels; what leaves at one side returns at the
    other, so that the blur is a product in Fourier space.

    Args:
        shape: (C, H, W) of x.
        width: above 0.
    """

    def __init__(self, shape: Sequence[int], width: float):
        if not width > 0:
            raise ValueError(f"width is {width}; expected a standard deviation in pixels, above 0")
        super().__init__(shape, shape)
        self.width = width
        rows, columns = (self._transfer(side) for side in shape[1:])
        self.transfer = rows[:, None] * columns  # (H, W), real, since the Gaussian is even

    def _transfer(self, side: int) -> Tensor:
        place = torch.arange(side, dtype=torch.float64, device="cpu")
        weights = (-0.5 * (torch.minimum(place, side - place) / self.width).square()).exp()
        return torch.fft.fft(weights / weights.sum()).real

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.ifft2(torch.fft.fft2(x) * self.transfer.to(x)).real

    adjoint = forward  # the Gaussian is even

    def rotate(self, x: Tensor) -> Tensor:
        """The Hartley transform, real, orthogonal and its own inverse."""
        z = torch.fft.fft2(x, norm="ortho")
        return z.real - z.imag

    unrotate = rotate

    def project(self, y: Tensor) -> Tensor:
        return self.rotate(y) * self.transfer.sign().to(y)

    def picture(self, y: Tensor) -> Tensor:
        return y

    @property
    def values(self) -> Tensor:
        return self.transfer.abs().expand(self.shape)


class Exposure(Operator):
    """What a sensor keeps of a scene that is too bright: light = (x + 1) / 2, times `gain`, cut off at 1.

    y = 2 min(gain (x + 1) / 2, 1) - 1, and not below -1; not linear. To ask for the light is high dynamic
    range from a single picture.

    Args:
        shape: (C, H, W) of x.
        gain: above 0; 1 cuts off what is above 1.
    """

    def __init__(self, shape: Sequence[int], gain: float):
        if not gain > 0:
            raise ValueError(f"gain is {gain}; expected above 0")
        super().__init__(shape, shape)
        self.gain = gain

    def forward(self, x: Tensor) -> Tensor:
        return (self.gain * (x + 1) - 1).clamp(-1, 1)

    def picture(self, y: Tensor) -> Tensor:
        return y


def hole(shape: Sequence[int], side: int) -> Mask:
    """A square of `side` pixels in the middle is hidden: inpainting."""
    if not 0 <= side <= min(shape[1:]):
        raise ValueError(f"side is {side}; expected 0 to {min(shape[1:])}, the image's shorter side")
    kept = torch.ones(*shape, device="cpu")
    top, left = ((length - side) // 2 for length in shape[1:])
    kept[:, top : top + side, left : left + side] = 0
    return Mask(kept)


def random_pixels(shape: Sequence[int], share: float, seed: int = 0) -> Mask:
    """Each pixel is seen with probability `share`, all of its channels together: completion."""
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; expected a part of all pixels, 0 to 1")
    draw = torch.Generator("cpu").manual_seed(seed)
    drawn = torch.rand(1, *shape[1:], device="cpu", generator=draw)
    return Mask((drawn < share).expand(*shape))


def window(shape: Sequence[int], side: int) -> Crop:
    """Only a square of `side` pixels in the middle is seen: uncropping."""
    return Crop(shape, ((shape[1] - side) // 2, (shape[2] - side) // 2, side, side))


OPERATORS: dict[str, Callable[..., Operator]] = {
    "blur": Blur,
    "crop": Crop,
    "downsample": Downsample,
    "exposure": Exposure,
    "grey": Grey,
    "hole": hole,
    "random_pixels": random_pixels,
    "window": window,
}
"""Every operator, by the name that `make_operator` and recipes know it by."""


def make_operator(name: str, shape: Sequence[int], **keywords: Any) -> Operator:
    """The operator of a name, for images of one shape, (C, H, W), such as ("blur", shape, width=2.0)."""
    if name not in OPERATORS:
        raise ValueError(f"no operator is called {name!r}; there are {', '.join(OPERATORS)}")
    return OPERATORS[name](tuple(shape), **keywords)
