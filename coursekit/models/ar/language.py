"""Autoregressive models of sequences of symbols."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from coursekit.models.ar.next_symbol import draw, next_symbol
from coursekit.protocols import Losses


class LanguageModel(nn.Module):
    """p(x) = prod_t p(x_t | x_1, ..., x_{t-1}), each factor a softmax over V symbols: the chain rule, exact.

    Args:
        net: (tokens (B, T), c) -> logits (B, T, V) of the symbol after each token, from the tokens up to it
            alone, such as `nets.RNN` and `nets.Transformer`. It has `vocabulary`, V; `context`, the greatest
            T or None; and `memory(n, length)`, with which it reads on where it stopped.
        begin: a symbol put in front of every x, so that x_1 is scored too, and p(x) sums to one over all x of
            a length. None: x_1 is given, the product runs from t = 2.
        length: how many symbols `sample` draws unless told otherwise.
    """

    def __init__(self, net: nn.Module, begin: int | None = None, length: int = 128):
        super().__init__()
        if begin is not None and not 0 <= begin < net.vocabulary:
            raise ValueError(f"begin is {begin}; expected a symbol, 0 .. {net.vocabulary - 1}, or None")
        self.net, self.begin, self.length = net, begin, length

    @property
    def given(self) -> int:
        """Number of first symbols of x that are not scored, 0 with `begin` and 1 without."""
        return 1 if self.begin is None else 0

    def logits(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Logits of every scored symbol of x given those before it: long (B, T) -> (B, T - given, V).

        Raises:
            ValueError: x holds no symbols 0 .. V - 1, or is too short to be scored or too long for the net.
        """
        self._check(x)
        if self.begin is not None:
            x = F.pad(x, (1, 0), value=self.begin)
        return self.net(x[:, :-1], c)

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """log p(x | c), exact: long (B, T) -> (B,), nats."""
        logits, targets = self.logits(x, c), x[:, self.given :]
        costs = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        return -costs.view_as(targets).sum(1)

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; mean of -log p(x_t | x_<t, c), nats a symbol."""
        logits, targets = self.logits(x, c), x[:, self.given :]
        yield "model", F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    @torch.no_grad()
    def sample(
        self,
        n: int,
        c: Tensor | None = None,
        *,
        length: int | None = None,
        prompt: Tensor | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: int | None = None,
        cached: bool = True,
        progress: bool = True,
    ) -> Tensor:
        """n sequences, the prompt and what follows it, drawn symbol by symbol: long (n, P + length).

        Beyond a net's context a symbol is drawn given the last `context` ones, which are then read anew each
        time: what the memory holds was read with another beginning.

        Args:
            length: how many symbols are drawn; None takes the model's.
            prompt: first symbols, long (P,) for all rows or (n, P); needed where the model has no `begin`.
            temperature, top_k, top_p: as for `next_symbol`.
            stop: a row in which this symbol was drawn is filled up with it; drawing ends when all rows are.
            cached: whether the net remembers what it read, or reads everything again for each symbol, which
                gives the same symbols, slowly.
            progress: show a progress bar.

        Raises:
            ValueError: an argument is out of range, or there is nothing to begin with.
        """
        tokens, start = self._first(n, prompt, self.length if length is None else length)
        total, first = tokens.shape[1], 1 - self.given
        context = self.net.context or total
        memory = self.net.memory(n, total) if cached else None
        read, done = 0, torch.zeros(n, dtype=torch.bool, device=tokens.device)
        for t in tqdm(range(start, total), unit="symbol", disable=not progress):
            if memory is not None and t <= context:
                logits, read = self.net(tokens[:, read:t], c, memory)[:, -1], t
            else:
                logits = self.net(tokens[:, max(0, t - context) : t], c)[:, -1]
            symbols = draw(next_symbol(logits, temperature, top_k, top_p))
            if stop is not None:
                symbols = symbols.masked_fill(done, stop)
                done |= symbols == stop
            tokens[:, t] = symbols
            if stop is not None and done.all():
                total = t + 1
                break
        return tokens[:, first:total]

    def _first(self, n: int, prompt: Tensor | None, length: int) -> tuple[Tensor, int]:
        """Room for everything, with `begin` and prompt written: (n, start + length), start."""
        device = next(self.net.parameters()).device
        prompt = torch.empty(0, dtype=torch.long, device=device) if prompt is None else prompt.to(device)
        rows = prompt.expand(n, -1) if prompt.ndim == 1 else prompt
        if rows.ndim != 2 or len(rows) != n or length < 0:
            raise ValueError(
                f"prompt {tuple(prompt.shape)}, length {length}; expected (P,) or ({n}, P), and at least 0"
            )
        if rows.shape[1]:
            self._check_symbols(rows, "prompt")
        if self.begin is not None:
            rows = F.pad(rows, (1, 0), value=self.begin)
        start = rows.shape[1]
        if not start:
            raise ValueError("nothing to begin with: pass a prompt, or build the model with `begin`")
        return F.pad(rows, (0, length)), start

    def _check(self, x: Tensor) -> None:
        if x.ndim != 2 or x.shape[1] <= self.given:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (B, T), T at least {self.given + 1}")
        self._check_symbols(x, "x")

    def _check_symbols(self, x: Tensor, name: str) -> None:
        if x.dtype != torch.long:
            raise ValueError(f"{name} is of {x.dtype}; expected symbols as torch.long")
        if x.numel() and not 0 <= int(x.min()) <= int(x.max()) < self.net.vocabulary:
            last = self.net.vocabulary - 1
            raise ValueError(f"{name} holds symbols {int(x.min())} to {int(x.max())}; expected 0 .. {last}")
