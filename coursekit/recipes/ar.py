"""Recipes of autoregressive models of text."""

import string
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from coursekit.data import Bytes, Characters, Vocabulary
from coursekit.models.ar import LanguageModel
from coursekit.nets import RNN, Transformer
from coursekit.recipes.registry import Recipe, register
from coursekit.train import Cosine

VOCABULARIES: dict[str, Vocabulary] = {
    "python_docs": Bytes(),
    "shakespeare": Characters("\n !$&',-.3:;?" + string.ascii_letters),
}
"""Texts with their symbols; those of Tiny Shakespeare are all its 65 characters."""

CELLS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def text(dataset: str, length: int, split: str) -> Any:
    """One of the texts of `VOCABULARIES`, in windows of `length`."""
    from coursekit import data

    if split not in ("train", "test"):
        raise ValueError(f"split: this recipe has 'train' and 'test', got {split!r}.")
    if dataset == "shakespeare":
        return data.text.shakespeare(split == "train", length, VOCABULARIES[dataset])
    return data.text.python_docs(split == "train", length)


def decayed(weight_decay: float, betas: Sequence[float]) -> Callable[[Sequence[Tensor], float], Optimizer]:
    """AdamW that pulls matrices towards 0, but neither biases nor norms."""

    def optimizer(parameters: Sequence[Tensor], lr: float) -> Optimizer:
        parameters = list(parameters)
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        return AdamW([group for group in groups if group["params"]], lr=lr, betas=tuple(betas), fused=True)

    return optimizer


def gpt(
    dataset: str = "python_docs",
    layers: int = 4,
    heads: int = 4,
    width: int = 128,
    context: int = 128,
    rotary: bool = False,
    dropout: float = 0.0,
    bias: bool = False,
    steps: int = 2000,
    batch_size: int = 32,
    lr: float = 1e-3,
    lr_floor: float = 0.1,
    warmup: int = 100,
    weight_decay: float = 0.1,
    betas: Sequence[float] = (0.9, 0.99),
    ema: float = 0.0,
) -> Recipe:
    """A GPT of bytes or characters, trained as nanoGPT's `train_shakespeare_char` is.

    AdamW with decay of matrices alone, warm-up and half a cosine, gradients of norm at most 1, windows of
    `context` + 1 symbols, the first of which is given. `gpt_shakespeare` has the sizes for a CPU in nanoGPT's
    description (published: 1.88 nats a character of the test part); those for a GPU (published: 1.4697) are

        coursekit train gpt_shakespeare --precision bf16 --folder runs/gpt-shakespeare-gpu
            --set layers=6 --set heads=6 --set width=384 --set context=256 --set batch_size=64
            --set dropout=0.2 --set steps=5000
        coursekit evaluate runs/gpt-shakespeare-gpu

    Args:
        lr_floor: the last step's learning rate as a share of `lr`.
        warmup: steps in which the learning rate rises to `lr`.
        betas: of AdamW.
    """
    _check(dataset)

    def make() -> nn.Module:
        net = Transformer(
            len(VOCABULARIES[dataset]),
            context,
            width,
            layers,
            heads,
            rotary=rotary,
            dropout=dropout,
            bias=bias,
        )
        return LanguageModel(net)

    data = partial(text, dataset, context + 1)
    options = {"optimizer": decayed(weight_decay, betas), "schedule": Cosine(warmup, lr_floor), "ema": ema}
    options |= {"clip_norm": 1.0, "vocabulary": VOCABULARIES[dataset]}
    return Recipe(make, data, steps, batch_size, lr, **options)


def char_rnn(
    dataset: str = "python_docs",
    cell: str = "lstm",
    width: int = 256,
    layers: int = 1,
    embedding: int = 0,
    dropout: float = 0.0,
    window: int = 128,
    steps: int = 2000,
    batch_size: int = 32,
    lr: float = 2e-3,
    ema: float = 0.0,
) -> Recipe:
    """A recurrent net of bytes or characters: "rnn", "gru" or "lstm", which reads one symbol at a time.

    Args:
        embedding: length of a symbol's learnt vector; 0 reads symbols one-hot.
        window: symbols of a training window that are scored, each window from an empty state.
    """
    _check(dataset)
    if cell not in CELLS:
        raise ValueError(f"cell must be one of {', '.join(CELLS)}, got {cell!r}.")

    def make() -> nn.Module:
        net = RNN(len(VOCABULARIES[dataset]), width, layers, CELLS[cell], embedding, dropout=dropout)
        return LanguageModel(net)

    data = partial(text, dataset, window + 1)
    options = {"schedule": Cosine(), "clip_norm": 1.0, "ema": ema, "vocabulary": VOCABULARIES[dataset]}
    return Recipe(make, data, steps, batch_size, lr, **options)


def _check(dataset: str) -> None:
    if dataset not in VOCABULARIES:
        raise ValueError(f"dataset must be one of {', '.join(VOCABULARIES)}, got {dataset!r}.")


register("gpt", gpt)
register("gpt_shakespeare", gpt, dataset="shakespeare", context=64, batch_size=12)
register("char_rnn", char_rnn)
