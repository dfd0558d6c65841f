"""Flows of images put together: RealNVP at one scale and at several, Glow, and noise that is learnt."""

import math
from collections.abc import Callable, Sequence

from torch import nn

from coursekit.models.flows.affine import ActNorm
from coursekit.models.flows.base import StandardNormal
from coursekit.models.flows.coupling import Coupling
from coursekit.models.flows.dequantization import Logit, VariationalNoise
from coursekit.models.flows.flow import Chain, Flow
from coursekit.models.flows.images import InvertibleConv, MaskedCoupling, checkerboard
from coursekit.models.flows.reshape import Flatten, Split, Squeeze
from coursekit.nets import Beside, ConvNet, GatedConvNet


def image_real_nvp(shape: Sequence[int], layers: int = 8, width: int = 32, c_dim: int = 0) -> Flow:
    """RealNVP at one scale: a density of images in [0, 1], made of checkerboard couplings.

    Args:
        shape: (C, H, W) of one image.
        layers: number of couplings.
        width: feature maps of their nets, `GatedConvNet`.
        c_dim: length of the condition; 0 for none.
    """
    return Flow([Logit(), *_checkerboards(shape, layers, width, c_dim)], StandardNormal(shape))


def multiscale_real_nvp(
    shape: Sequence[int],
    layers: Sequence[int] = (2, 2, 4),
    widths: Sequence[int] = (32, 48, 64),
    c_dim: int = 0,
) -> Flow:
    """RealNVP at several scales: a density of images in [0, 1].

    Checkerboard couplings at full size; at each further scale a squeeze and couplings of one half of the
    channels with the other. After each of the scales between, half of the channels is done.

    Args:
        shape: (C, H, W) of one image; H and W divisible by 2 once for each scale after the first.
        layers: number of couplings at each scale, two scales at least.
        widths: feature maps of their nets, `GatedConvNet`, at each scale.
        c_dim: length of the condition; 0 for none.

    Source: Dinh, Sohl-Dickstein & Bengio 2017 (arXiv:1605.08803), section 3.6; sizes as in P. Lippe's
    tutorial on flows of images (UvA Deep Learning Course).
    """
    if len(layers) != len(widths) or len(layers) < 2:
        raise ValueError(f"layers {tuple(layers)}, widths {tuple(widths)}; expected as many, at least 2 each")

    def couplings(channels: int, scale: int) -> list[nn.Module]:
        width = widths[scale]
        nets = (GatedConvNet(channels // 2, channels, width, c_dim=c_dim) for _ in range(layers[scale]))
        return [Coupling(net, flip=i % 2 == 1) for i, net in enumerate(nets)]

    first = [Logit(), *_checkerboards(shape, layers[0], widths[0], c_dim)]
    rest = _scales(shape, couplings, 1, len(layers))
    return Flow([*first, rest], StandardNormal(math.prod(shape)))


def glow(
    shape: Sequence[int],
    scales: int = 2,
    steps: int = 8,
    width: int = 64,
    c_dim: int = 0,
    learnt_prior: bool = True,
) -> Flow:
    """Glow: a density of images in [0, 1].

    At each scale a squeeze and steps of ActNorm, invertible 1x1 convolution and channel coupling; after each
    scale but the last, half of the channels is done.

    Args:
        shape: (C, H, W) of one image; H and W divisible by 2^scales.
        scales: number of scales, at least 1.
        steps: number of steps at each scale.
        width: feature maps of the couplings' nets, `ConvNet`.
        c_dim: length of the condition; 0 for none.
        learnt_prior: whether the half that is done early has a prior learnt from the other half: one more
            coupling before the split.

    Source: Kingma & Dhariwal 2018 (arXiv:1807.03039), section 3.
    """

    def coupling(channels: int) -> Coupling:
        return Coupling(ConvNet(channels // 2, channels, width, c_dim))

    def flow_steps(channels: int, scale: int) -> list[nn.Module]:
        bijectors: list[nn.Module] = []
        for _ in range(steps):
            bijectors += [ActNorm((channels, 1, 1)), InvertibleConv(channels), coupling(channels)]
        return bijectors + [coupling(channels)] * (learnt_prior and scale < scales - 1)

    return Flow([Logit(), _scales(shape, flow_steps, 0, scales)], StandardNormal(math.prod(shape)))


def image_noise(
    shape: Sequence[int], levels: int = 256, layers: int = 4, width: int = 16, c_dim: int = 0
) -> VariationalNoise:
    """Learnt noise for `Dequantized`: checkerboard couplings whose nets see the image.

    Args:
        shape, levels: of the images.
        layers, width: as for `image_real_nvp`.
        c_dim: length of the condition; 0 for none.
    """
    couplings = _checkerboards(shape, layers, width, context=shape[0] + c_dim)
    return VariationalNoise(Chain(couplings), levels, c_dim)


def _checkerboards(
    shape: Sequence[int], layers: int, width: int, c_dim: int = 0, context: int = 0
) -> list[nn.Module]:
    """Couplings with gated nets, the two checkerboards in turn; `context` channels are read beside x."""
    channels, height, breadth = shape
    nets = [GatedConvNet(channels + context, 2 * channels, width, c_dim=c_dim) for _ in range(layers)]
    return [
        MaskedCoupling(Beside(net) if context else net, checkerboard(height, breadth, i % 2 == 1))
        for i, net in enumerate(nets)
    ]


def _scales(
    shape: Sequence[int],
    bijectors: Callable[[int, int], list[nn.Module]],
    scale: int,
    scales: int,
) -> Chain:
    """Squeeze and `bijectors(channels, scale)`, then a split with the scales that remain: image to vector."""
    channels, height, width = shape
    if height % 2 or width % 2 or scales <= scale:
        raise ValueError(f"an image {tuple(shape)} can't be squeezed at scale {scale} of {scales}")
    here = (4 * channels, height // 2, width // 2)
    inner = [Squeeze(), *bijectors(here[0], scale)]
    if scale == scales - 1:
        return Chain([*inner, Flatten(here)])
    rest = _scales((2 * channels, *here[1:]), bijectors, scale + 1, scales)
    return Chain([*inner, Split(here, rest)])
