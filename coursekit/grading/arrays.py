"""Compare numbers and arrays of one family, and say how they differ."""

import cmath
from typing import Any

import numpy as np

from coursekit.grading.problem import Problem
from coursekit.grading.relation import relation

# Relative and absolute tolerance by the expected precision; for integers and bools there is none.
TOLERANCES = {"float64": (1e-7, 1e-9), "complex128": (1e-7, 1e-9), "float16": (1e-2, 1e-2)}
TOLERANCES |= {"bfloat16": (1e-2, 1e-2), "float32": (1e-4, 1e-5), "complex64": (1e-4, 1e-5)}
NUMBER = (1e-4, 1e-5)  # a Python number may come from float32 work
INTEGER = (0, 1e-9)
SHOWN = 8  # arrays of up to so many numbers are shown whole


def numbers(value: Any, expected: Any, tolerance: float | None) -> Problem | None:
    """The problem with a number, if any; an expected integer has to be met exactly."""
    if value == expected:
        return None
    came, wanted = _complex(value), _complex(expected)
    if not cmath.isfinite(came) and cmath.isfinite(wanted):
        return Problem("nan", f"{both(value, expected)}.")
    default = INTEGER if isinstance(expected, int | np.integer) else NUMBER
    rtol, atol = default if tolerance is None else (0, tolerance)
    difference = abs(came - wanted)
    close = cmath.isfinite(wanted) and difference <= atol + rtol * abs(wanted)
    if close or (cmath.isnan(came) and cmath.isnan(wanted)):
        return None
    text = f"{both(value, expected)} (difference {difference:.3g})."
    return Problem("value", text + relation(np.asarray(came), np.asarray(wanted)))


def arrays(value: Any, expected: Any, tolerance: float | None) -> Problem | None:
    """The problem with a tensor or an array, if any: shape, device, dtype, NaN, values, in this order."""
    if tuple(value.shape) != tuple(expected.shape):
        return Problem("shape", f"shape {tuple(value.shape)} came, {tuple(expected.shape)} was expected.")
    if getattr(value, "device", None) != getattr(expected, "device", None):
        return Problem("device", f"a tensor on {value.device} came, one on {expected.device} was expected.")
    if _kind(value) != _kind(expected):
        return Problem("dtype", f"{_dtype(value)} came, {_dtype(expected)} was expected.")
    default = TOLERANCES.get(_dtype(expected), (0, 0))
    return _elements(_numpy(value), _numpy(expected), *(default if tolerance is None else (0, tolerance)))


def both(value: Any, expected: Any) -> str:
    """What came and what was expected, with enough digits to tell them apart."""
    digits = 6 if short(value) != short(expected) else 12
    return f"{short(value, digits)} came, {short(expected, digits)} was expected"


def short(value: Any, digits: int = 6) -> str:
    """A value in at most 60 characters; of a float so many significant digits."""
    text = f"{value + 0.0:.{digits}g}" if isinstance(value, float | np.floating) else repr(value)  # no "-0"
    return text if len(text) <= 60 else text[:57] + "..."


def _complex(value: Any) -> complex:
    try:
        return complex(value)
    except OverflowError:
        return complex("inf")


def _dtype(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.")


def _kind(value: Any) -> str:
    """The dtype, without its width for integers."""
    return _dtype(value).rstrip("0123456789") if "int" in _dtype(value) else _dtype(value)


def _numpy(value: Any) -> np.ndarray:
    """As an array with whose numbers one can calculate: bools and small integers become floats."""
    if not isinstance(value, np.ndarray):
        value = value.detach().cpu()
        value = (value.float() if _dtype(value) == "bfloat16" else value).resolve_conj().resolve_neg().numpy()
    exact = value.dtype.kind == "b" or (
        value.dtype.kind in "iu" and np.all(np.abs(value.astype(float)) < 2**53)
    )
    return value.astype(float) if exact or value.dtype.kind == "f" else value


def _elements(came: np.ndarray, wanted: np.ndarray, rtol: float, atol: float) -> Problem | None:
    if came.dtype.kind not in "iufc":
        equal = np.array_equal(came, wanted)
        return None if equal else Problem("value", f"The values differ.{_shown(came, wanted)}")
    whole = came.dtype.kind in "iu"
    same = came == wanted if whole else np.isclose(came, wanted, rtol=rtol, atol=atol, equal_nan=True)
    if same.all():
        return None
    unusable = ~np.isfinite(came) & np.isfinite(wanted)
    if unusable.any():
        at = np.unravel_index(np.argmax(unusable), came.shape)
        count = f"no number came at {unusable.sum()} of {came.size} places, first at {[int(i) for i in at]}: "
        text = f"{count if came.size > 1 else ''}{both(came[at].item(), wanted[at].item())}."
        return Problem("nan", text + _shown(came, wanted))
    return Problem("value", _gap(came, wanted, same) + relation(came, wanted) + _shown(came, wanted))


def _gap(came: np.ndarray, wanted: np.ndarray, same: np.ndarray) -> str:
    """How many numbers differ, and the two that differ most."""
    with np.errstate(invalid="ignore"):
        gaps = np.abs(came - wanted)
    gaps = np.where(same, 0, np.where(np.isnan(gaps), np.inf, gaps))
    at = np.unravel_index(np.argmax(gaps), came.shape)
    two = f"{both(came[at].item(), wanted[at].item())} (difference {gaps[at]:.3g})."
    count = f"{(~same).sum()} of {came.size} numbers differ"
    return two if came.size == 1 else f"{count}, most at {[int(i) for i in at]}: {two}"


def _shown(came: np.ndarray, wanted: np.ndarray) -> str:
    """Both arrays, where they are small."""
    if not 1 < came.size <= SHOWN:
        return ""
    options = {"precision": 5, "separator": ", ", "suppress_small": True, "max_line_width": 90}
    rows = {"came:     ": came, "expected: ": wanted}
    return "".join(f"\n{name}{np.array2string(a, prefix=name, **options)}" for name, a in rows.items())
