"""Name a simple relation between a wrong value and the expected one: the sign, a factor, a shift ..."""

import math
from collections.abc import Callable

import numpy as np

Array = np.ndarray
RATIOS = {-1.0: "minus", 2.0: "twice", 0.5: "half of"}
RATIOS |= {1 / math.log(2): "1 / log(2) times", math.log(2): "log(2) times"}


def relation(came: Array, wanted: Array) -> str:
    """A sentence that begins with a blank, or "" where no simple relation holds; the shapes are equal."""
    usable = came.dtype.kind in "fc" and wanted.dtype.kind in "fc" and came.size
    if not usable or not (np.isfinite(came).all() and np.isfinite(wanted).all()) or not wanted.any():
        return ""
    came, wanted = _real(came), _real(wanted)
    with np.errstate(all="ignore"):
        return next((f" {sentence}" for rule in RULES if (sentence := rule(came, wanted))), "")


def _real(array: Array) -> Array:
    return array.real if array.dtype.kind == "c" and not array.imag.any() else array


def _alike(one: Array, other: Array) -> bool:
    return bool(np.isfinite(one).all() and np.allclose(one, other, rtol=1e-4, atol=1e-7))


def _one_number(array: Array) -> bool:
    """Whether there is in truth only one number in it, and perhaps zeros."""
    numbers = array[array != 0].ravel()
    return np.allclose(numbers, numbers[:1])


def _generic(array: Array) -> bool:
    """Whether some number has more digits than such as 0, 1, 0.5 and 2, which have too many relations."""
    return bool((np.abs(4 * array - np.round(4 * array)) > 1e-6).any())


def _factor(came: Array, wanted: Array) -> str:
    at = np.unravel_index(np.argmax(np.abs(wanted)), wanted.shape)
    ratio = (came[at] / wanted[at]).real
    if not _alike(came, ratio * wanted) or abs(ratio) < 1e-6 or f"{ratio:.4g}" == "1":
        return ""
    words = next((words for known, words in RATIOS.items() if math.isclose(ratio, known, rel_tol=1e-4)), "")
    if not words and _one_number(wanted):
        return ""
    ending = ": look at the signs." if words == "minus" else "."
    return f"Yours is {words or f'{ratio:.4g} times'} the expected one{ending}"


def _offset(came: Array, wanted: Array) -> str:
    gap = came - wanted
    if wanted.size < 3 or _one_number(wanted) or not _alike(gap, np.full_like(gap, gap.mean())):
        return ""
    words = "large" if gap.mean() > 0 else "small"
    return f"Yours is too {words} by {abs(gap.mean()):.4g} everywhere."


def _function(came: Array, wanted: Array) -> str:
    if _one_number(wanted) and not (_generic(came) or _generic(wanted)):
        return ""
    functions: dict[str, Callable[[Array], Array]] = {
        "the square": np.square,
        "the square root": np.sqrt,
        "the exponential": np.exp,
        "the logarithm": np.log,
        "one over": np.reciprocal,
    }
    for words, function in functions.items():
        if _alike(came, function(wanted)):
            return f"Yours is {words}{'' if words == 'one over' else ' of'} the expected one."
    return ""


def _order(came: Array, wanted: Array) -> str:
    if wanted.ndim == 0 or wanted.size < 3:
        return ""
    if wanted.ndim == 2 and came.shape == wanted.T.shape and _alike(came, wanted.T):
        return "Yours is the transpose of the expected one."
    if _alike(came, wanted[::-1]):
        return "Yours is the expected one in reverse order."
    if len(wanted) > 3 and (_alike(came[1:], wanted[:-1]) or _alike(came[:-1], wanted[1:])):
        return "Yours is the expected one, shifted by one place."
    return ""


RULES = (_factor, _offset, _function, _order)
