"""Compare what an answer returned with what was expected, and run a generator of such checks."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from coursekit.grading.arrays import arrays, both, numbers, short
from coursekit.grading.problem import NoValue, Outcome, Problem

__all__ = ["NoValue", "Outcome", "Problem", "compare", "describe", "family", "outcomes"]

FAMILIES = {
    "array": np.ndarray,
    "bool": bool | np.bool_,
    "number": int | float | complex | np.number,
    "text": str,
    "sequence": list | tuple,
    "dict": dict,
}


def compare(value: Any, expected: Any, tolerance: float | None = None) -> Problem | None:
    """None if the value equals the expected one, else the first problem found.

    Looked at in this order: type, shape, device, dtype, NaN or infinity, values. A list may stand for a
    tuple, a 0-d tensor or array for a number, and integer types may differ in width; all else must agree.

    Args:
        value: what came; a `Problem` or `NoValue` yields its problem.
        expected: tensor, array, number, bool, str, None, or a tuple, list or dict of those.
        tolerance: absolute; by default relative and absolute ones that suit the expected precision.
    """
    if isinstance(value, NoValue | Problem):
        return value.problem if isinstance(value, NoValue) else value
    kind = family(expected)
    if kind in ("number", "bool") and family(value) in ("tensor", "array") and value.ndim == 0:
        value = value.item()
    if family(value) != kind:
        forgotten = " Is there a return?" if value is None else ""
        return Problem("type", f"{describe(value)} came, {describe(expected)} was expected.{forgotten}")
    return _COMPARE.get(kind, _plain)(value, expected, tolerance)


def family(value: Any) -> str:
    """Which values can be compared with each other: those of one family."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return "tensor"
    return next((name for name, types in FAMILIES.items() if isinstance(value, types)), type(value).__name__)


def describe(value: Any) -> str:
    """A value in a few words."""
    name = family(value)
    if name in ("tensor", "array"):
        return f"{'a' if name == 'tensor' else 'an'} {name} of shape {tuple(value.shape)}"
    if name == "sequence":
        return f"a {type(value).__name__} of {len(value)}"
    if name in ("number", "bool"):
        return f"the {name} {short(value)}"
    words = {"text": "a text", "dict": "a dict", "NoneType": "None"}
    return words.get(name, f"an object of type {name}")


def _plain(value: Any, expected: Any, tolerance: float | None) -> Problem | None:
    if value == expected:
        return None
    return Problem("value", f"{both(value, expected)}.")


def _sequences(value: Any, expected: Any, tolerance: float | None) -> Problem | None:
    if len(value) != len(expected):
        return Problem("shape", f"{len(value)} items came, {len(expected)} were expected.")
    return _items(zip(range(len(value)), value, expected, strict=True), tolerance)


def _dicts(value: dict, expected: dict, tolerance: float | None) -> Problem | None:
    if value.keys() != expected.keys():
        return Problem("value", f"the keys {list(value)} came, {list(expected)} were expected.")
    return _items(((key, value[key], expected[key]) for key in expected), tolerance)


def _items(pairs: Iterable[tuple[Any, Any, Any]], tolerance: float | None) -> Problem | None:
    for place, came, wanted in pairs:
        if problem := compare(came, wanted, tolerance):
            return Problem(problem.kind, f"item {place!r}: {problem.text}")
    return None


_COMPARE: dict[str, Callable[[Any, Any, float | None], Problem | None]] = {
    "tensor": arrays,
    "array": arrays,
    "number": numbers,
    "sequence": _sequences,
    "dict": _dicts,
}


class _Watched:
    """The target of the tests; remembers the first call that failed since it was last asked."""

    def __init__(self, target: Callable[..., Any]):
        self.target = target
        self.problem: Problem | None = None
        self.raised = False

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        self.raised = True
        value = self.target(*args, **keywords)
        self.raised = False
        if not isinstance(value, Problem):
            return value
        self.problem = self.problem or value
        return NoValue(value)

    def take(self) -> Problem | None:
        problem, self.problem = self.problem, None
        return problem


def outcomes(tests: Callable, target: Callable[..., Any]) -> Iterator[Outcome]:
    """Run checks one by one.

    A check fails when its value differs, or when a call of the target made for it failed. Where the tests
    can't go on with what the target returned, this check and those that would follow fail.

    Args:
        tests: takes the target, yields (name, value, expected) or (name, value, expected, tolerance).
        target: returns a value, or a `Problem` where it has none. What it raises is passed on.
    """
    watched = _Watched(target)
    checks = iter(tests(watched))
    for number in range(sys.maxsize):
        try:
            name, value, expected, *tolerance = next(checks)
            problem = compare(value, expected, *tolerance)
        except StopIteration:
            return
        except Exception as error:
            if watched.raised:
                raise
            text = f"the check can't go on with what came ({type(error).__name__}: {error})."
            problem = watched.take() or Problem("type", text)
            yield from (Outcome(name, problem) for name in _names(tests)[number:] or [f"check {number + 1}"])
            return
        yield Outcome(name, watched.take() or problem)


def _names(tests: Callable) -> list[str]:
    """The checks' names, as far as they can be had without a target."""
    found = []
    with contextlib.suppress(Exception):
        for name, *_ in tests(lambda *_, **__: NoValue(Problem("value", "no call was made"))):
            found.append(name)
    return found
