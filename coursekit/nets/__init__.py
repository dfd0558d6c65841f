"""Networks, tensor to tensor: they know nothing of probability."""

from coursekit.nets.condition import condition_vector
from coursekit.nets.conv import ConvDecoder, ConvEncoder
from coursekit.nets.mlp import MLP

__all__ = ["MLP", "ConvDecoder", "ConvEncoder", "condition_vector"]
