"""Flows of vectors: NICE, RealNVP, a spline flow, MAF and IAF."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from coursekit.models.flows.affine import ActNorm, ElementwiseAffine
from coursekit.models.flows.autoregressive import IAF, MAF
from coursekit.models.flows.base import StandardNormal
from coursekit.models.flows.coupling import Coupling, CouplingStack
from coursekit.models.flows.flow import Flow
from coursekit.models.flows.linear import LULinear
from coursekit.models.flows.spline import Spline
from coursekit.models.flows.transforms import Affine, Shift, Transform
from coursekit.nets import MLP, MaskedMLP

RELU = partial(nn.ReLU, inplace=True)


def nice(dim: int, layers: int = 4, hidden: Sequence[int] = (64, 64), c_dim: int = 0) -> Flow:
    """Additive couplings, whose halves take turns, and a scale for each dimension at the end.

    Args:
        dim: D, at least 2.
        layers: number of couplings.
        hidden: widths of their perceptrons' hidden layers.
        c_dim: length of the condition, or number of classes; 0 for none.

    Source: Dinh, Krueger & Bengio 2015 (arXiv:1410.8516).
    """
    couplings = [_coupling(dim, Shift(), hidden, c_dim, i) for i in range(_count(layers))]
    return Flow([CouplingStack(couplings), ElementwiseAffine(dim)], StandardNormal(dim))


def real_nvp(
    dim: int,
    layers: int = 8,
    hidden: Sequence[int] = (64, 64),
    c_dim: int = 0,
    bound: float = 2.0,
    act_norm: bool = True,
) -> Flow:
    """Affine couplings, whose halves take turns, each after an ActNorm (RealNVP has batch norm there).

    Args:
        dim, layers, hidden, c_dim: as for `nice`.
        bound: of a coupling's log-scale, see `Affine`.
        act_norm: whether the ActNorm layers are there.

    Source: Dinh, Sohl-Dickstein & Bengio 2017 (arXiv:1605.08803).
    """
    couplings = [_coupling(dim, Affine(bound), hidden, c_dim, i) for i in range(_count(layers))]
    if not act_norm:
        return Flow([CouplingStack(couplings)], StandardNormal(dim))
    bijectors = [part for coupling in couplings for part in (ActNorm(dim), coupling)]
    return Flow(bijectors, StandardNormal(dim))


def spline_flow(
    dim: int,
    layers: int = 4,
    hidden: Sequence[int] = (64, 64),
    c_dim: int = 0,
    bins: int = 8,
    bound: float = 4.0,
    act_norm: bool = True,
    linear: bool = True,
) -> Flow:
    """Rational-quadratic spline couplings, whose halves take turns, each after an LU-linear map.

    Args:
        dim, layers, hidden, c_dim: as for `nice`.
        bins, bound: of the splines, see `Spline`; data outside +-bound is only shifted and scaled.
        act_norm: whether the flow begins with an ActNorm, which brings data into the splines' reach.
        linear: whether the linear maps are there.

    Source: Durkan, Bekasov, Murray & Papamakarios 2019 (arXiv:1906.04032), RQ-NSF (C).
    """
    bijectors: list[nn.Module] = [ActNorm(dim)] * act_norm
    for i in range(_count(layers)):
        bijectors += [LULinear(dim)] * linear
        bijectors.append(_coupling(dim, Spline(bins, bound), hidden, c_dim, i))
    return Flow(bijectors, StandardNormal(dim))


def maf(
    dim: int,
    layers: int = 5,
    hidden: Sequence[int] = (64, 64),
    c_dim: int = 0,
    order: str = "reversed",
    bound: float = 1.0,
    act_norm: bool = True,
) -> Flow:
    """Masked autoregressive layers, each after an ActNorm (the paper has batch norm there).

    Args:
        dim: D, at least 1; layers, hidden, c_dim: as for `nice`.
        order: of the dimensions: "reversed" turns it round from layer to layer, "random" has one drawn for
            each layer, always the same.
        bound: of a layer's log-scale, see `Affine`; less than a coupling's, since each layer scales
            every dimension.
        act_norm: whether the ActNorm layers are there.

    Source: Papamakarios, Pavlakou & Murray 2017 (arXiv:1705.07057).
    """
    return _autoregressive(MAF, dim, layers, hidden, c_dim, order, bound, act_norm)


def iaf(
    dim: int,
    layers: int = 5,
    hidden: Sequence[int] = (64, 64),
    c_dim: int = 0,
    order: str = "reversed",
    bound: float = 1.0,
    act_norm: bool = True,
) -> Flow:
    """As `maf`, with inverse autoregressive layers: samples in one pass a layer, densities in D.

    Source: Kingma et al. 2016 (arXiv:1606.04934).
    """
    return _autoregressive(IAF, dim, layers, hidden, c_dim, order, bound, act_norm)


def _autoregressive(
    kind: type[nn.Module],
    dim: int,
    layers: int,
    hidden: Sequence[int],
    c_dim: int,
    order: str,
    bound: float,
    act_norm: bool,
) -> Flow:
    if order not in ("reversed", "random"):
        raise ValueError(f"order must be 'reversed' or 'random', got {order!r}")
    bijectors: list[nn.Module] = []
    for i in range(_count(layers)):
        drawn = torch.randperm(dim, generator=torch.Generator().manual_seed(i))  # the same in every model
        turned = torch.arange(dim).flip(0) if i % 2 else torch.arange(dim)
        transform = Affine(bound)
        chosen = drawn if order == "random" else turned
        net = MaskedMLP(dim, transform.features, hidden, c_dim, chosen, RELU)
        bijectors += [ActNorm(dim)] * act_norm
        bijectors.append(kind(_gentle(net), transform))
    return Flow(bijectors, StandardNormal(dim))


def _coupling(dim: int, transform: Transform, hidden: Sequence[int], c_dim: int, i: int) -> Coupling:
    """The i-th coupling: the halves take turns."""
    if dim < 2:
        raise ValueError(f"dim is {dim}; a coupling needs at least 2 dimensions: take maf")
    first, second = dim - dim // 2, dim // 2
    kept, mapped = (second, first) if i % 2 else (first, second)
    net = MLP(kept, transform.features * mapped, hidden, c_dim, RELU)
    return Coupling(_gentle(net), transform, flip=bool(i % 2))


@torch.no_grad()
def _gentle(net: nn.Module) -> nn.Module:
    """Make the last layer's weights small and its biases zero: the layer starts near the identity."""
    net.layers[-1].weight.mul_(0.1)
    net.layers[-1].bias.zero_()
    return net


def _count(layers: int) -> int:
    if layers < 1:
        raise ValueError(f"layers is {layers}; expected at least 1")
    return layers
