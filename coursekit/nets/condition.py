"""The condition c as a vector: what every conditional network does first."""

import torch
import torch.nn.functional as F
from torch import Tensor


def condition_vector(c: Tensor | None, c_dim: int, like: Tensor) -> Tensor | None:
    """Labels (B,) become one-hot rows, vectors (B, c_dim) pass through, and None stays None where c_dim is 0.

    Args:
        c: integer labels in 0 .. c_dim - 1, (B,); or a float vector, (B, c_dim); or None.
        c_dim: number of classes or length of the vector; 0 for an unconditional network.
        like: gives the batch size, the precision and the device, (B, *).

    Raises:
        ValueError: c is there unasked, or missing, or of another shape, or holds an unknown label.
    """
    if c_dim == 0:
        if c is not None:
            raise ValueError(
                "got a condition c, but the network was built with c_dim=0; build it with c_dim > 0"
            )
        return None
    if c is None:
        raise ValueError(f"the network was built with c_dim={c_dim} and needs a condition c; got None")
    if not c.is_floating_point() and c.ndim == 1:
        if len(c) and not 0 <= int(c.min()) <= int(c.max()) < c_dim:
            raise ValueError(f"labels run from {int(c.min())} to {int(c.max())}; expected 0 to {c_dim - 1}")
        c = F.one_hot(c.long(), c_dim)  # (B,) -> (B, c_dim)
    if c.shape != (len(like), c_dim):
        raise ValueError(
            f"c has shape {tuple(c.shape)}; expected ({len(like)},) labels or ({len(like)}, {c_dim})"
        )
    return c.to(like)


def condition_image(c: Tensor | None, c_channels: int, like: Tensor) -> Tensor:
    """The condition as an image beside x: (B, c_channels, H, W), in x's precision.

    Raises:
        ValueError: c is missing, or not of that shape.
    """
    expected = (len(like), c_channels, *like.shape[2:])
    if c is None or c.shape != expected:
        raise ValueError(
            f"the network needs a condition c, an image of shape {expected};"
            f" got {'None' if c is None else tuple(c.shape)}"
        )
    return c.to(like)


def drop_condition(c: Tensor, drop: Tensor, c_dim: int) -> Tensor:
    """c with zeros, which mean "no condition", in the rows where `drop` holds; labels become one-hot rows.

    Args:
        c: labels (B,), vectors (B, c_dim), images (B, K, H, W) or symbols, long (B, S).
        drop: True for the rows that lose their condition, (B,).
        c_dim: number of classes; read only where c holds labels.

    Returns:
        (B, c_dim), (B, K, H, W) or (B, S).

    Source: Ho & Salimans 2021 (arXiv:2207.12598), who train one network with and without a condition.
    """
    if not c.is_floating_point() and c.ndim == 1:
        c = F.one_hot(c.long(), c_dim).to(torch.get_default_dtype())  # (B,) -> (B, c_dim)
    return c.masked_fill(drop.reshape(-1, *[1] * (c.ndim - 1)), 0)
