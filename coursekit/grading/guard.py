"""Call an answer, and name what it does to its caller: exceptions, changed arguments or random states."""

import inspect
import linecache
import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from coursekit.grading import randomness
from coursekit.grading.compare import family
from coursekit.grading.problem import Problem

PACKAGE = str(Path(__file__).parents[1])
LIBRARIES = (PACKAGE, *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
LONGEST = 500  # characters of an exception's message


class Guard:
    """A function that returns a value, or a `Problem` where the wrapped function misbehaves.

    The wrapped function works on copies of the arguments. A problem is an exception, an argument changed in
    place, or a changed global random state of Python, numpy or torch. A function with a parameter called
    `seed` may set these states. They are put back after each call.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        given, named = copy(list(args)), copy(keywords)
        before = randomness.states()
        try:
            value = self.function(*given, **named)
            moved = randomness.changed(before)
        except (Exception, SystemExit) as error:
            return Problem("exception", explain(error))
        finally:
            randomness.restore(before)
        names = [self._name(k) for k, value_before in enumerate(args) if not same(value_before, given[k])]
        names += [key for key in keywords if not same(keywords[key], named[key])]
        if names:
            what, them = ("arguments", "them as they came") if names[1:] else ("argument", "it as it came")
            text = f"the call changed its {what} {' and '.join(names)} in place; leave {them}."
            return Problem("inplace", text)
        if moved and "seed" not in self._parameters():
            text = f"the call changed the global random state of {' and '.join(moved)}."
            advice = "Draw from the generator or the noise that is given, and set no seed."
            return Problem("randomness", f"{text} {advice}")
        return value

    def _parameters(self) -> list[str]:
        try:
            return list(inspect.signature(self.function).parameters)
        except (TypeError, ValueError):  # some built-in functions have no signature
            return []

    def _name(self, position: int) -> str:
        names = self._parameters()
        return names[position] if position < len(names) else f"number {position + 1}"


def copy(value: Any) -> Any:
    """A copy of tensors and arrays, alone or in lists, tuples and dicts; anything else as it is."""
    kind = family(value)
    if kind == "tensor":
        return value.detach().clone().requires_grad_(value.requires_grad)
    if kind == "array":
        return value.copy()
    if kind == "sequence":
        return (list if isinstance(value, list) else tuple)(copy(item) for item in value)
    return {key: copy(item) for key, item in value.items()} if kind == "dict" else value


def same(one: Any, other: Any) -> bool:
    """Whether a copy is still, bit by bit, what it was copied from."""
    kind = family(one)
    if kind != family(other):
        return False
    if kind in ("tensor", "array"):
        return one.shape == other.shape and one.dtype == other.dtype and _bits(one) == _bits(other)
    if kind == "sequence":
        return len(one) == len(other) and all(map(same, one, other))
    if kind == "dict":
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one is other or bool(one == other)


def _bits(value: Any) -> bytes:
    if isinstance(value, np.ndarray):
        return value.tobytes()
    value = value.detach().cpu().contiguous().reshape(-1)
    return value.view(value.dtype if not value.numel() else sys.modules["torch"].uint8).numpy().tobytes()


def explain(error: BaseException) -> str:
    """An exception in a sentence, with the student's line where it arose."""
    message = str(error)
    message = message if len(message) <= LONGEST else message[:LONGEST] + " ..."
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(LIBRARIES)]
    if frames and (line := linecache.getline(frames[-1].filename, frames[-1].lineno).strip()):
        return f"{text}\nin line {frames[-1].lineno}: {line}"
    return text
