"""Recurrent networks over sequences of symbols."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.nets.condition import condition_vector


@dataclass
class RNNMemory:
    """The hidden state after what was read so far; None before the first symbol."""

    state: Any = None


class RNN(nn.Module):
    """h_t = cell(x_t, h_{t-1}), logits_t = W h_t + b: tokens (B, T) -> (B, T, vocabulary).

    Logits at t depend on the tokens up to t, through a state of fixed size; there is no limit to T.

    Args:
        vocabulary: number of symbols V.
        width: length of h in each layer.
        layers: number of cells on top of each other.
        cell: `nn.RNN` (tanh), `nn.GRU` (Cho et al. 2014, arXiv:1406.1078) or `nn.LSTM` (Hochreiter &
            Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735).
        embedding: length of a learnt vector for each symbol; 0 reads symbols one-hot.
        c_dim: length of the condition, which is appended to the input at every t; 0 for none.
        dropout: share of outputs dropped between layers and before the last affine map, while training.
    """

    context = None

    def __init__(
        self,
        vocabulary: int,
        width: int = 256,
        layers: int = 1,
        cell: type[nn.RNNBase] = nn.LSTM,
        embedding: int = 0,
        c_dim: int = 0,
        dropout: float = 0.0,
    ):
        super().__init__()
        if cell not in (nn.RNN, nn.GRU, nn.LSTM):
            raise ValueError(f"cell must be nn.RNN, nn.GRU or nn.LSTM, got {cell!r}")
        self.vocabulary, self.width, self.layers = vocabulary, width, layers
        self.embedding, self.c_dim = embedding, c_dim
        self.embed = nn.Embedding(vocabulary, embedding) if embedding else None
        between = dropout if layers > 1 else 0.0
        features = (embedding or vocabulary) + c_dim
        self.cell = cell(features, width, layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, vocabulary)

    def memory(self, n: int, length: int) -> RNNMemory:
        """An empty memory; neither the number of rows n nor the length matters to a recurrent network."""
        return RNNMemory()

    def forward(self, tokens: Tensor, c: Tensor | None = None, memory: RNNMemory | None = None) -> Tensor:
        """Logits of the symbol after each token, (B, T) -> (B, T, V); a memory is read and extended."""
        if self.embed is None:
            h = F.one_hot(tokens, self.vocabulary).to(self.out.weight.dtype)  # (B, T) -> (B, T, V)
        else:
            h = self.embed(tokens)
        c = condition_vector(c, self.c_dim, h)
        if c is not None:
            h = torch.cat([h, c[:, None].expand(-1, h.shape[1], -1)], -1)
        h, state = self.cell(h, None if memory is None else memory.state)
        if memory is not None:
            memory.state = state
        return self.out(self.dropout(h))
