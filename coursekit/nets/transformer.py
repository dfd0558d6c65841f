"""A decoder-only transformer (Vaswani et al. 2017, arXiv:1706.03762), normalized before each part."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.nets.condition import condition_vector


class KeyValueMemory:
    """Keys and values of the tokens read so far, in memory that is taken once.

    Attributes:
        keys, values: for each block (B, heads, length, width / heads); beyond `read` nothing is written yet.
        length: number of tokens that it can hold.
        read: number of tokens read.
    """

    def __init__(self, layers: int, n: int, heads: int, length: int, size: int, like: Tensor):
        self.keys, self.values = (
            [like.new_empty(n, heads, length, size) for _ in range(layers)] for _ in range(2)
        )
        self.length, self.read = length, 0

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write those of T further tokens, (B, heads, T, size); returns all, (B, heads, read + T, size)."""
        stop = self.read + k.shape[2]
        keys, values = self.keys[layer], self.values[layer]
        keys[:, :, self.read : stop] = k
        values[:, :, self.read : stop] = v
        return keys[:, :, :stop], values[:, :, :stop]


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)): (B, T, width) -> (B, T, width).

    Args:
        width: of x; the hidden layer of the MLP is 4 times as wide.
        heads: number of attention heads, a divisor of width.
        dropout: share of attention weights and of each part's outputs that is dropped while training.
        bias: whether affine maps and norms have one.
        gelu: "none" for the exact GELU (Hendrycks & Gimpel 2016, arXiv:1606.08415), "tanh" for its
            approximation.
        causal: whether a place sees itself and those before it alone, or all of them.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        gelu: str = "none",
        causal: bool = True,
    ):
        super().__init__()
        self.heads, self.dropout, self.gelu, self.causal = heads, dropout, gelu, causal
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=bias), nn.LayerNorm(width, bias=bias)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias), nn.Linear(width, width, bias)
        self.up, self.down = nn.Linear(width, 4 * width, bias), nn.Linear(4 * width, width, bias)

    def forward(
        self,
        x: Tensor,
        rotation: tuple[Tensor, Tensor] | None = None,
        memory: KeyValueMemory | None = None,
        layer: int = 0,
    ) -> Tensor:
        x = x + self._drop(self.out(self._attend(self.qkv(self.norm1(x)), rotation, memory, layer)))
        return x + self._drop(self.down(F.gelu(self.up(self.norm2(x)), approximate=self.gelu)))

    def _attend(
        self,
        qkv: Tensor,
        rotation: tuple[Tensor, Tensor] | None,
        memory: KeyValueMemory | None,
        layer: int,
    ) -> Tensor:
        """softmax(q k^T / sqrt(d) + mask) v in every head: (B, T, 3 width) -> (B, T, width)."""
        shape = (*qkv.shape[:2], self.heads, -1)
        q, k, v = (part.view(shape).transpose(1, 2) for part in qkv.chunk(3, -1))  # (B, heads, T, size)
        if rotation is not None:
            q, k = rotate(q, *rotation), rotate(k, *rotation)
        if memory is not None:
            k, v = memory.extend(layer, k, v)
        new, before = q.shape[2], k.shape[2] - q.shape[2]
        mask = None
        if before and new > 1:  # row i sees the tokens before and the first i + 1 of the new ones
            mask = torch.ones(new, before + new, dtype=torch.bool, device=q.device).tril(before)
        dropout = self.dropout if self.training else 0.0
        is_causal = self.causal and new > 1 and not before
        h = F.scaled_dot_product_attention(q, k, v, mask, dropout, is_causal=is_causal)
        return h.transpose(1, 2).flatten(2)  # (B, T, width)

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


class Transformer(nn.Module):
    """GPT: embeddings, blocks of causal attention and MLP, logits by the same embeddings:
    tokens (B, T) -> (B, T, vocabulary), T at most `context`.

    Logits at t depend on the tokens up to t. The affine map to logits is the transposed table of embeddings
    (weight tying, Press & Wolf 2017, arXiv:1608.05859); first weights and shapes are those of GPT-2
    (Radford et al. 2019), whose trained weights `load_gpt2` puts in.

    Args:
        vocabulary: number of symbols V.
        context: greatest T.
        width: of the vector at each position.
        layers: number of blocks.
        heads: attention heads in each block, a divisor of width.
        c_dim: length of the condition, of which an affine map is added at every position; 0 for none.
        rotary: positions as rotations of queries and keys (Su et al. 2021, arXiv:2104.09864), else as learnt
            vectors.
        dropout: share dropped of embeddings, attention weights and each part's outputs, while training.
        bias: whether affine maps and norms have one.
        gelu: "none" for the exact GELU, "tanh" for the approximation that GPT-2 uses.
    """

    def __init__(
        self,
        vocabulary: int,
        context: int = 128,
        width: int = 128,
        layers: int = 4,
        heads: int = 4,
        c_dim: int = 0,
        rotary: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        gelu: str = "none",
    ):
        super().__init__()
        if gelu not in ("none", "tanh"):
            raise ValueError(f"gelu must be 'none', the exact one, or 'tanh', got {gelu!r}")
        if width % heads or (rotary and width // heads % 2):
            even = " an even number of times" if rotary else ""
            raise ValueError(f"width is {width} and heads {heads}; heads must go into width{even}")
        self.vocabulary, self.context, self.width = vocabulary, context, width
        self.layers, self.heads, self.c_dim = layers, heads, c_dim
        self.rotary, self.dropout, self.bias, self.gelu = rotary, dropout, bias, gelu
        self.embed = nn.Embedding(vocabulary, width)
        self.position = None if rotary else nn.Embedding(context, width)
        self.condition = nn.Linear(c_dim, width, bias=False) if c_dim else None
        self.blocks = nn.ModuleList(Block(width, heads, dropout, bias, gelu) for _ in range(layers))
        self.norm = nn.LayerNorm(width, bias=bias)
        first_weights(self, layers)
        if rotary:
            cos, sin = rotations(context, width // heads)
            self.register_buffer("cos", cos, persistent=False)
            self.register_buffer("sin", sin, persistent=False)

    def memory(self, n: int, length: int) -> KeyValueMemory:
        """An empty memory for n rows of at most `length` tokens."""
        length, size = min(length, self.context), self.width // self.heads
        return KeyValueMemory(self.layers, n, self.heads, length, size, self.embed.weight)

    def forward(
        self, tokens: Tensor, c: Tensor | None = None, memory: KeyValueMemory | None = None
    ) -> Tensor:
        """Logits of the symbol after each token, (B, T) -> (B, T, V); a memory is read and extended.

        Raises:
            ValueError: tokens, with those in the memory, are more than the context or the memory's length.
        """
        start = 0 if memory is None else memory.read
        stop = start + tokens.shape[1]
        limit = self.context if memory is None else memory.length
        if stop > limit:
            raise ValueError(f"{stop} tokens; expected at most {limit}, of a context of {self.context}")
        h = self.embed(tokens)  # (B, T, width)
        if self.position is not None:
            h = h + self.position.weight[start:stop]
        c = condition_vector(c, self.c_dim, h)
        if c is not None:
            h = h + self.condition(c)[:, None]
        h = F.dropout(h, self.dropout, self.training) if self.dropout else h
        rotation = (self.cos[start:stop], self.sin[start:stop]) if self.rotary else None
        for layer, block in enumerate(self.blocks):
            h = block(h, rotation, memory, layer)
        if memory is not None:
            memory.read = stop
        return F.linear(self.norm(h), self.embed.weight)


def first_weights(net: nn.Module, layers: int) -> None:
    """N(0, 0.02^2); the maps that add to x are narrower, since 2 `layers` of them add up."""

    def fill(module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
        if isinstance(module, Block):
            for last in (module.out, module.down):
                nn.init.normal_(last.weight, std=0.02 / math.sqrt(2 * layers))

    net.apply(fill)  # parts before the whole


def rotations(context: int, size: int) -> tuple[Tensor, Tensor]:
    """cos and sin of t theta_i, theta_i = 10000^(-2 i / size), t = 0, 1, ...: (context, size / 2) each."""
    theta = 10000.0 ** (-torch.arange(0, size, 2) / size)
    angle = torch.arange(context)[:, None] * theta  # (context, size / 2)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pair (x_i, x_{i + size / 2}) by the i-th angle: (..., T, size) -> (..., T, size)."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)
