"""Coupling layers: one half of x stays, and tells a network how to map the other half
(Dinh, Krueger & Bengio 2015, arXiv:1410.8516; Dinh, Sohl-Dickstein & Bengio 2017, arXiv:1605.08803)."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from coursekit.models.flows.transforms import Affine, Transform

Parts = tuple[Tensor, Tensor]
"""The halves of x, (B, D1, ...) and (B, D2, ...)."""


def cut(x: Tensor) -> Parts:
    """Vectors in the middle of their dimensions, images of their channels; the first may be one longer."""
    if x.ndim < 2 or x.shape[1] < 2:
        raise ValueError(f"x has shape {tuple(x.shape)}; a coupling needs two parts, (B, 2 or more, ...)")
    first, second = x.chunk(2, 1)
    return first, second


class Coupling(nn.Module):
    """x = (x1, x2) -> (x1, h(x2; net(x1, c))): a triangular Jacobian, inverted with one pass of the network.

    Vectors (B, D) are cut in the middle of their dimensions, images (B, C, H, W) of their channels; of an odd
    number the first part is the greater one.

    Args:
        net: (x1, c) -> theta, which has `transform.features` numbers for each one of x2, along axis 1.
        transform: h, applied elementwise: `Shift` (additive coupling), `Affine` or `Spline`.
        flip: whether the second part stays and the first one is mapped.
    """

    def __init__(self, net: nn.Module, transform: Transform | None = None, flip: bool = False):
        super().__init__()
        self.net, self.transform = net, Affine() if transform is None else transform
        self.flip = flip

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self._apply_to_part(self.transform.forward, x, c)

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(z1, h^-1(z2; net(z1, c)))."""
        return self._apply_to_part(self.transform.inverse, z, c)

    def of_parts(
        self, h: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], parts: Parts, c: Tensor | None
    ) -> tuple[Parts, Tensor]:
        """Both parts, one of them mapped by h, which is `transform.forward` or its inverse; log |det|."""
        first, second = parts
        if self.flip:
            first, log_det = h(first, self._theta(second, first, c))
        else:
            second, log_det = h(second, self._theta(first, second, c))
        return (first, second), log_det

    def _apply_to_part(self, h, x: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
        parts, log_det = self.of_parts(h, cut(x), c)
        return torch.cat(parts, 1), log_det

    def _theta(self, kept: Tensor, mapped: Tensor, c: Tensor | None) -> Tensor:
        theta, features = self.net(kept, c).to(kept.dtype), self.transform.features
        if theta.shape[1] != features * mapped.shape[1]:
            raise ValueError(
                f"the net gives {theta.shape[1]} numbers; {type(self.transform).__name__} needs {features}"
                f" for each of {mapped.shape[1]}, {features * mapped.shape[1]} in all"
            )
        return theta


class CouplingStack(nn.Module):
    """f = f_K o ... o f_1, couplings with nothing between: x is cut before the first, joined after the last.

    The same map as a `Chain` of them, in fewer operations.

    Args:
        couplings: f_1, ..., f_K, at least one; flipped ones and others should take turns.
    """

    def __init__(self, couplings: Sequence[Coupling]):
        super().__init__()
        if not couplings:
            raise ValueError("couplings is empty; expected at least one")
        self.couplings = nn.ModuleList(couplings)

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self._in_turn([(f, f.transform.forward) for f in self.couplings], x, c)

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The couplings' inverses, from the last one to the first."""
        return self._in_turn([(f, f.transform.inverse) for f in reversed(self.couplings)], z, c)

    def _in_turn(self, maps: list, x: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
        parts, changes = cut(x), []
        for coupling, h in maps:
            parts, log_det = coupling.of_parts(h, parts, c)
            changes.append(log_det)
        return torch.cat(parts, 1), torch.stack(changes).sum(0)
