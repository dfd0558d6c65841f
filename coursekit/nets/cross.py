"""Networks that read a sequence of symbols as their condition: by cross-attention, or as a prefix."""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from coursekit.nets.transformer import Block, KeyValueMemory, first_weights


def condition_tokens(c: Tensor | None, vocabulary: int, longest: int, rows: int) -> Tensor:
    """The condition as symbols, long (B, S).

    Args:
        c: integers in 0 .. vocabulary - 1, (B, S).
        vocabulary: number of symbols.
        longest: greatest S.
        rows: B.

    Raises:
        ValueError: c is missing, of another shape or kind, or holds an unknown symbol.
    """
    if c is None:
        raise ValueError("the network needs a condition c, symbols (B, S); got None")
    if c.is_floating_point() or c.ndim != 2 or len(c) != rows or not 1 <= c.shape[1] <= longest:
        raise ValueError(
            f"c is {c.dtype} of shape {tuple(c.shape)}; expected symbols, long ({rows}, S), S from"
            f" 1 to {longest}"
        )
    if len(c) and not 0 <= int(c.min()) <= int(c.max()) < vocabulary:
        raise ValueError(f"c holds {int(c.min())} to {int(c.max())}; expected symbols 0 .. {vocabulary - 1}")
    return c.long()


class TokenEmbedding(nn.Module):
    """A learnt vector for each symbol, plus one for each place: long (B, S), B -> (B, S, width).

    Args:
        vocabulary: number of symbols.
        longest: greatest S.
        width: length of a vector.
    """

    def __init__(self, vocabulary: int, longest: int, width: int):
        super().__init__()
        self.vocabulary, self.longest, self.width = vocabulary, longest, width
        self.symbol, self.place = nn.Embedding(vocabulary, width), nn.Embedding(longest, width)

    def forward(self, c: Tensor | None, rows: int) -> Tensor:
        c = condition_tokens(c, self.vocabulary, self.longest, rows)
        return self.symbol(c) + self.place.weight[: c.shape[1]]


class CrossAttention(nn.Module):
    """x + attention of norm(x) to a source: queries from x, keys and values from the source.

    (B, T, width), (B, S, width) -> (B, T, width). Every row of x sees all S rows of the source.

    Args:
        width: of both.
        heads: a divisor of width.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.3.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        if width % heads:
            raise ValueError(f"width is {width} and heads {heads}; heads must go into width")
        self.heads, self.norm = heads, nn.LayerNorm(width)
        self.q, self.kv = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def read(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a source, each (B, heads, S, width / heads)."""
        k, v = self.kv(source).chunk(2, -1)
        return self._split(k), self._split(v)

    def forward(self, x: Tensor, source: Tensor | tuple[Tensor, Tensor]) -> Tensor:
        """`source` is the source itself, or what `read` made of it."""
        k, v = self.read(source) if isinstance(source, Tensor) else source
        h = F.scaled_dot_product_attention(self._split(self.q(self.norm(x))), k, v)
        return x + self.out(rearrange(h, "b h t d -> b t (h d)"))

    def _split(self, x: Tensor) -> Tensor:
        return rearrange(x, "b t (h d) -> b h t d", h=self.heads)


class SourceMemory(KeyValueMemory):
    """A `KeyValueMemory` that also keeps what each block reads of the source, from the first step on."""

    source: list[tuple[Tensor, Tensor]] | None = None


class EncoderDecoder(nn.Module):
    """Logits of y_i from y_<i and all of c: tokens (B, T), c long (B, S) -> (B, T, vocabulary).

    Blocks without a mask read the source c; causal blocks, each after a `CrossAttention` to what came out of
    those, read the tokens. As the net of `models.ar.LanguageModel` it makes a model of p(y | c).

    Args:
        vocabulary: number of symbols of y.
        source_vocabulary: number of symbols of c.
        context: greatest T.
        source_context: greatest S.
        width: of the vector at each place.
        layers: number of blocks, of each kind.
        heads: attention heads, a divisor of width.

    Raises:
        ValueError: heads do not go into width; when called, more tokens than the context or the memory hold.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), normalized before each part.
    """

    def __init__(
        self,
        vocabulary: int,
        source_vocabulary: int,
        context: int = 128,
        source_context: int = 128,
        width: int = 128,
        layers: int = 2,
        heads: int = 4,
    ):
        super().__init__()
        if width % heads:
            raise ValueError(f"width is {width} and heads {heads}; heads must go into width")
        self.vocabulary, self.source_vocabulary = vocabulary, source_vocabulary
        self.context, self.source_context = context, source_context
        self.width, self.layers, self.heads = width, layers, heads
        self.source = TokenEmbedding(source_vocabulary, source_context, width)
        self.encoder = nn.ModuleList(Block(width, heads, causal=False) for _ in range(layers))
        self.source_norm = nn.LayerNorm(width)
        self.embed = TokenEmbedding(vocabulary, context, width)
        self.cross = nn.ModuleList(CrossAttention(width, heads) for _ in range(layers))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        first_weights(self, layers)

    def memory(self, n: int, length: int) -> SourceMemory:
        """An empty memory for n rows of at most `length` tokens."""
        length, size = min(length, self.context), self.width // self.heads
        return SourceMemory(self.layers, n, self.heads, length, size, self.embed.symbol.weight)

    def encode(self, c: Tensor | None, rows: int) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of a source of so many rows, for each block."""
        h = self.source(c, rows)
        for block in self.encoder:
            h = block(h)
        h = self.source_norm(h)
        return [cross.read(h) for cross in self.cross]

    def forward(self, tokens: Tensor, c: Tensor | None = None, memory: SourceMemory | None = None) -> Tensor:
        """Logits of the symbol after each token, (B, T) -> (B, T, V); a memory is read and extended."""
        start = 0 if memory is None else memory.read
        stop = start + tokens.shape[1]
        limit = self.context if memory is None else memory.length
        if stop > limit:
            raise ValueError(f"{stop} tokens; expected at most {limit}, of a context of {self.context}")
        fresh = memory is None or memory.source is None
        source = self.encode(c, len(tokens)) if fresh else memory.source
        h = self.embed.symbol(tokens) + self.embed.place.weight[start:stop]  # (B, T, width)
        for layer, (cross, block) in enumerate(zip(self.cross, self.blocks, strict=True)):
            h = block(cross(h, source[layer]), None, memory, layer)
        if memory is not None:
            memory.read, memory.source = stop, source
        return F.linear(self.norm(h), self.embed.symbol.weight)


class Prefix(nn.Module):
    """A net of one sequence that reads the condition first: net([c, tokens]), from the first token on.

    tokens (B, T), c long (B, S) -> (B, T, V). As the net of `models.ar.LanguageModel` it makes a model of
    p(y | c): every y_i sees all of c, since c comes before it.

    Args:
        net: causal, with `vocabulary` for c and y, `context` and `memory`, such as `Transformer`.
        source_context: greatest S; what is left of the net's context is for the tokens.

    Raises:
        ValueError: a net without a context, or with a condition of its own, or no room for the tokens.
    """

    def __init__(self, net: nn.Module, source_context: int):
        super().__init__()
        if net.context is None or getattr(net, "c_dim", 0):
            raise ValueError(f"{type(net).__name__} must have a context, and no condition of its own")
        if not 0 < source_context < net.context:
            raise ValueError(f"source_context is {source_context}; expected 1 to {net.context - 1}")
        self.net, self.source_context = net, source_context
        self.vocabulary, self.context = net.vocabulary, net.context - source_context

    def memory(self, n: int, length: int) -> KeyValueMemory:
        """An empty memory for n rows of at most `length` tokens, and the condition."""
        return self.net.memory(n, self.source_context + length)

    def forward(
        self, tokens: Tensor, c: Tensor | None = None, memory: KeyValueMemory | None = None
    ) -> Tensor:
        """Logits of the symbol after each token, (B, T) -> (B, T, V); a memory is read and extended."""
        if memory is not None and memory.read:  # it holds the condition already
            return self.net(tokens, None, memory)
        c = condition_tokens(c, self.vocabulary, self.source_context, len(tokens))
        return self.net(torch.cat([c, tokens], 1), None, memory)[:, c.shape[1] :]
