"""Normalizing flows: exact densities by invertible maps."""

from coursekit.models.flows.base import StandardNormal
from coursekit.models.flows.flow import Bijector, Chain, Flow, Inverse

__all__ = ["Bijector", "Chain", "Flow", "Inverse", "StandardNormal"]
