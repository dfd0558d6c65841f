"""Normalizing flows: exact densities by invertible maps."""

from coursekit.models.flows.affine import ActNorm, ElementwiseAffine, Permutation
from coursekit.models.flows.autoregressive import IAF, MAF
from coursekit.models.flows.base import StandardNormal
from coursekit.models.flows.coupling import Coupling, CouplingStack
from coursekit.models.flows.dequantization import Dequantized, Logit, UniformNoise, VariationalNoise
from coursekit.models.flows.flow import Bijector, Chain, Flow, Inverse
from coursekit.models.flows.image_zoo import glow, image_noise, image_real_nvp, multiscale_real_nvp
from coursekit.models.flows.images import InvertibleConv, MaskedCoupling, checkerboard
from coursekit.models.flows.linear import LULinear
from coursekit.models.flows.reshape import Flatten, Split, Squeeze
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
    "CouplingStack",
    "Dequantized",
    "ElementwiseAffine",
    "Flatten",
    "Flow",
    "Inverse",
    "InvertibleConv",
    "LULinear",
    "Logit",
    "MaskedCoupling",
    "Permutation",
    "Shift",
    "Spline",
    "Split",
    "Squeeze",
    "StandardNormal",
    "Transform",
    "UniformNoise",
    "VariationalNoise",
    "checkerboard",
    "glow",
    "iaf",
    "image_noise",
    "image_real_nvp",
    "maf",
    "multiscale_real_nvp",
    "nice",
    "real_nvp",
    "spline_flow",
]
