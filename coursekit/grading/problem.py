"""What a check says of an answer: nothing, or one named problem."""

from dataclasses import dataclass
from typing import Any

KINDS = (
    "type",
    "shape",
    "dtype",
    "device",
    "nan",
    "value",
    "inplace",
    "randomness",
    "exception",
    "timeout",
    "died",
    "protocol",
)

REPORTED = ("type", "inplace", "randomness", "exception")
"""Kinds that the process of the answers may name; all others are for the grader itself to find."""


@dataclass(frozen=True)
class Problem:
    """Why a check failed.

    Attributes:
        kind: one of `KINDS`.
        text: for people. The first line says it; further lines, if any, show the values.
    """

    kind: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """The result of one check: `problem` is None if it passed."""

    name: str
    problem: Problem | None


class NoValue:
    """What tests get from a call that failed: whatever they compute with it is again without a value.

    So a generator of tests runs on to its next check, and the check at hand reports the call's problem.
    """

    __hash__ = None
    __iter__ = None

    def __init__(self, problem: Problem):
        self.problem = problem

    def __getattr__(self, name: str) -> "NoValue":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def _same(self, *_: Any, **__: Any) -> "NoValue":
        return self

    def __bool__(self) -> bool:
        raise TypeError("A call that failed is neither true nor false.")

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> "NoValue":
        return _first([*args, *(kwargs or {}).values()])

    def __array_ufunc__(self, function: Any, method: str, *args: Any, **kwargs: Any) -> "NoValue":
        return self

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> "NoValue":
        return self

    __call__ = __getitem__ = __neg__ = __abs__ = __invert__ = _same
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _same
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _same
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __and__ = __rand__ = __or__ = __ror__ = _same


def _first(values: Any) -> NoValue | None:
    """The first `NoValue` among nested arguments."""
    if isinstance(values, NoValue):
        return values
    if isinstance(values, list | tuple):
        return next((found for value in values if (found := _first(value)) is not None), None)
    return None
