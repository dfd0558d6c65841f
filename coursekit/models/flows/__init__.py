"""Normalizing flows: exact densities by invertible maps."""

from coursekit.models.flows.affine import ActNorm, ElementwiseAffine, Permutation
from coursekit.models.flows.autoregressive import IAF, MAF
from coursekit.models.flows.base import StandardNormal
from coursekit.models.flows.coupling import Coupling
from coursekit.models.flows.flow import Bijector, Chain, Flow, Inverse
from coursekit.models.flows.linear import LULinear
from coursekit.models.flows.spline import Spline
from coursekit.models.flows.transforms import Affine, Shift, Transform
from coursekit.models.flows.zoo import iaf, maf, nice, real_nvp, spline_flow

__all__ = [
    "IAF",
    "MAF",
    "ActNorm",
    "Affine",
    "Bijector",
    "Chain",
    "Coupling",
    "ElementwiseAffine",
    "Flow",
    "Inverse",
    "LULinear",
    "Permutation",
    "Shift",
    "Spline",
    "StandardNormal",
    "Transform",
    "iaf",
    "maf",
    "nice",
    "real_nvp",
    "spline_flow",
]
