"""How near a restored image is to the true one: PSNR and SSIM."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor


def psnr(x: Tensor, truth: Tensor, span: float = 2.0) -> Tensor:
    """Peak signal-to-noise ratio, 10 log10(span^2 / mean squared error): (B, *), (B, *) -> (B,), in dB.

    Infinite where both are equal.

    Args:
        x, truth: images of one shape.
        span: from black to white; 2 for images in [-1, 1].

    Raises:
        ValueError: different shapes, or span not above 0.
    """
    _check(x, truth, span)
    return 10 * (span**2 / (x - truth).square().flatten(1).mean(1)).log10()


def ssim(x: Tensor, truth: Tensor, span: float = 2.0, width: float = 1.5) -> Tensor:
    """Structural similarity: the mean over places and channels of
    (2 m n + a) (2 c + b) / ((m^2 + n^2 + a) (v + w + b)), with the means m and n, the variances v and w and
    the covariance c of both images under a Gaussian window around the place: (B, C, H, W) x 2 -> (B,).

    1 where both are equal; a = (0.01 span)^2, b = (0.03 span)^2. The window is cut off at 3.5 widths, and
    lies within the image.

    Args:
        x, truth: images of one shape.
        span: from black to white; 2 for images in [-1, 1].
        width: standard deviation of the window, in pixels.

    Raises:
        ValueError: different shapes, no images, span not above 0, or images smaller than the window.

    Source: Wang et al. 2004 (doi:10.1109/TIP.2003.819861), eq. (13).
    """
    _check(x, truth, span)
    if x.ndim != 4:
        raise ValueError(f"x has shape {tuple(x.shape)}; expected images (B, C, H, W)")
    reach = int(3.5 * width + 0.5)
    if min(x.shape[-2:]) < 2 * reach + 1:
        raise ValueError(
            f"images of {tuple(x.shape[-2:])} pixels are smaller than the window, {2 * reach + 1};"
            " lower width"
        )
    place = torch.arange(-reach, reach + 1, dtype=torch.float64, device=x.device)
    weights = (-0.5 * (place / width).square()).exp()
    local = partial(_windowed, weights=weights / weights.sum())
    # differences of squares: not in the short floats of a GPU's convolutions
    p, q = x.double(), truth.double()
    m, n = local(p), local(q)
    v, w, c = local(p.square()) - m**2, local(q.square()) - n**2, local(p * q) - m * n
    a, b = (0.01 * span) ** 2, (0.03 * span) ** 2
    each = (2 * m * n + a) * (2 * c + b) / ((m**2 + n**2 + a) * (v + w + b))
    return each.unflatten(0, x.shape[:2]).flatten(1).mean(1).to(x.dtype)


def _windowed(x: Tensor, weights: Tensor) -> Tensor:
    """Means under a window, the product of the weights along both axes: (B, C, H, W) -> (B C, 1, H', W')."""
    rows = F.conv2d(x.flatten(0, 1)[:, None], weights[None, None, :, None])
    return F.conv2d(rows, weights[None, None, None])


def _check(x: Tensor, truth: Tensor, span: float) -> None:
    if x.shape != truth.shape:
        raise ValueError(f"x has shape {tuple(x.shape)}, truth {tuple(truth.shape)}; expected one shape")
    if not span > 0:
        raise ValueError(f"span is {span}; expected the distance from black to white, above 0")
