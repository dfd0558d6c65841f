"""The distribution from which the next symbol is drawn: temperature, top-k, nucleus."""

import torch
from torch import Tensor


def next_symbol(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """softmax(logits / temperature), cut down to likely symbols and divided by their sum: (*, V) -> (*, V).

    Args:
        logits: of the next symbol, (*, V).
        temperature: at least 0; 0 gives all to the greatest logit, 1 changes nothing.
        top_k: keep the k likeliest symbols alone.
        top_p: keep the fewest likeliest symbols whose probabilities reach top_p together, in (0, 1] (nucleus
            sampling, Holtzman et al. 2020, arXiv:1904.09751); measured after temperature and top_k.

    Raises:
        ValueError: an argument is out of range.
    """
    _check(temperature, top_k, top_p)
    if temperature == 0:
        return torch.zeros_like(logits).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
    p = (logits / temperature).softmax(-1)
    if top_k is not None and top_k < p.shape[-1]:
        likeliest = p.topk(top_k, -1)
        p = torch.zeros_like(p).scatter_(-1, likeliest.indices, likeliest.values)
        p = p / p.sum(-1, keepdim=True)
    if top_p is not None and top_p < 1:
        p_sorted, order = p.sort(-1, descending=True)
        p_sorted[p_sorted.cumsum(-1) - p_sorted >= top_p] = 0.0  # what comes before is enough already
        p = torch.zeros_like(p).scatter_(-1, order, p_sorted)
        p = p / p.sum(-1, keepdim=True)
    return p


def draw(p: Tensor) -> Tensor:
    """One symbol of each row, with probabilities p: (n, V) -> long (n,).

    It is the i with the greatest p_i / e_i, e_i = -log(uniform) ~ Exponential(1): e_i / p_i is the waiting
    time of a Poisson process of rate p_i, and process i is the first to fire with probability p_i / sum p.
    """
    return (p / torch.rand_like(p).log_().neg_()).argmax(-1)


def _check(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not temperature >= 0:
        raise ValueError(f"temperature is {temperature}; expected a number of at least 0")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k is {top_k}; expected at least 1 symbol, or None for all")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}; expected a number in (0, 1], or None for all")
