"""Networks, tensor to tensor: they know nothing of probability."""

from coursekit.nets.condition import condition_vector
from coursekit.nets.conv import ConvDecoder, ConvEncoder
from coursekit.nets.gpt2 import load_gpt2
from coursekit.nets.mlp import MLP
from coursekit.nets.rnn import RNN, RNNMemory
from coursekit.nets.transformer import Block, KeyValueMemory, Transformer

__all__ = [
    "MLP",
    "RNN",
    "Block",
    "ConvDecoder",
    "ConvEncoder",
    "KeyValueMemory",
    "RNNMemory",
    "Transformer",
    "condition_vector",
    "load_gpt2",
]
