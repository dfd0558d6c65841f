"""Autoregressive flows: every dimension mapped by what the ones before it say."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from coursekit.models.flows.flow import Inverse
from coursekit.models.flows.transforms import Affine, Transform
from coursekit.nets.masked import MaskedMLP


class MAF(nn.Module):
    """z_i = h(x_i; net_i(x_<i, c)): a density in one pass of the network, a sample in D; (B, D) -> (B, D).

    Args:
        net: (x, c) -> theta (B, P D), "(p d)"; the numbers of a dimension depend on those before it alone.
        transform: h, applied elementwise; None is `Affine`.

    Source: Papamakarios, Pavlakou & Murray 2017 (arXiv:1705.07057), eqs. (3) to (5).
    """

    def __init__(self, net: MaskedMLP, transform: Transform | None = None):
        super().__init__()
        self.net, self.transform = net, Affine() if transform is None else transform
        if net.out_features != self.transform.features:
            raise ValueError(
                f"the net has out_features={net.out_features}; {type(self.transform).__name__} needs"
                f" out_features={self.transform.features}"
            )

    def forward(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.transform.forward(x, self.net(x, c).to(x.dtype))

    def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x_i = h^-1(z_i; net_i(x_<i, c)), one dimension after the other, in the network's order."""
        return one_by_one(self.transform.inverse, self.net, z, c)


class IAF(Inverse):
    """x_i = h(z_i; net_i(z_<i, c)): a sample in one pass of the network, a density in D; (B, D) -> (B, D).

    Args:
        net, transform: as for `MAF`, whose inverse it is.

    Source: Kingma et al. 2016 (arXiv:1606.04934), eqs. (9) to (11).
    """

    def __init__(self, net: MaskedMLP, transform: Transform | None = None):
        super().__init__(MAF(net, transform))


Elementwise = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def one_by_one(h: Elementwise, net: MaskedMLP, given: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
    """Solve y_i = h(given_i; net_i(y_<i, c)) for y; also the sum of h's log-derivatives, (B,)."""
    y = torch.zeros_like(given)
    places = torch.arange(given.shape[1], device=given.device)
    for i in net.order:
        y = torch.where(places == i, h(given, net(y, c).to(y.dtype))[0], y)
    return y, h(given, net(y, c).to(y.dtype))[1]
