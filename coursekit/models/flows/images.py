"""Bijectors of images: couplings under a mask of pixels, and 1x1 convolutions, which mix channels."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.models.flows.linear import LULinear, full_precision
from coursekit.models.flows.transforms import Affine, Transform


def checkerboard(height: int, width: int, odd: bool = False) -> Tensor:
    """True where row + column is even, or where it is odd: boolean (height, width)."""
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    return (rows + columns) % 2 == int(odd)


class MaskedCoupling(nn.Module):
    """z = h(x; (1 - m) net(m x, c)): the pixels that the mask m keeps tell how to map the others.

    Where its numbers are 0 a transform is the identity, so what m keeps stays. (B, C, H, W) -> the same.

    Args:
        net: (m x, c) -> theta, (B, C, H, W) -> (B, P C, H, W), with P = `transform.features`.
        mask: m, boolean (H, W), such as a `checkerboard`.
        transform: h, applied elementwise, as for `Coupling`.

    Source: Dinh, Sohl-Dickstein & Bengio 2017 (arXiv:1605.08803), eq. (9).
    """

    def __init__(self, net: nn.Module, mask: Tensor, transform: Transform | None = None):
        super().__init__()
        if mask.dtype != torch.bool or mask.ndim != 2:
            raise ValueError(f"mask is {mask.dtype} {tuple(mask.shape)}; expected a boolean one, (H, W)")
        self.net, self.transform = net, Affine() if transform is None else transform
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.transform.forward(x, self._theta(x, c))

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """h^-1(z; (1 - m) net(m z, c)): m z = m x."""
        return self.transform.inverse(z, self._theta(z, c))

    def _theta(self, x: Tensor, c: Tensor | None) -> Tensor:
        if x.ndim != 4 or x.shape[2:] != self.mask.shape:
            height, width = self.mask.shape
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (B, C, {height}, {width})")
        return self.net(x * self.mask, c).to(x.dtype) * ~self.mask


class InvertibleConv(LULinear):
    """A 1x1 convolution, z = W x at each pixel, W = P L U as in `LULinear`; (B, D, H, W) -> the same.

    log |det| = H W log |det W|.

    Args:
        dim: D, the number of channels.
        random: whether W starts as a random rotation (or reflection); else as the identity.

    Source: Kingma & Dhariwal 2018 (Glow, arXiv:1807.03039), section 3.2.
    """

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self._check(x)
        with full_precision(x):
            return F.conv2d(x, self.weight[:, :, None, None]), self._log_det(x)

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x = W^-1 z at each pixel."""
        self._check(z)
        return self.solve(z.flatten(2)).unflatten(2, z.shape[2:]), -self._log_det(z)

    def _log_det(self, x: Tensor) -> Tensor:
        return (x[0, 0].numel() * self.log_abs_det).expand(len(x))

    def _check(self, x: Tensor) -> None:
        if x.ndim != 4 or x.shape[1] != self.dim:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (B, {self.dim}, H, W)")
