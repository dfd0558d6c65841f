"""What a reader can change: a slider, a choice, a point on a plane."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def pretty(text: str) -> str:
    """A label with `_1` written as a subscript: "z_1" becomes "z₁"."""
    head, *tails = text.split("_")
    parts = [
        tail[:1].translate(SUBSCRIPTS) + tail[1:] if tail[:1].isdigit() else "_" + tail for tail in tails
    ]
    return head + "".join(parts)


def number(value: Any, spec: str = "g") -> str:
    """A value as readers see it: numbers by the format `spec` with a true minus sign, all else by str."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return format(value, spec).replace("-", "−") if is_number else str(value)


def plain(values: Sequence[Any]) -> tuple[Any, ...]:
    """The values as Python's own numbers, whether a list, a range, an array or a tensor held them."""
    return tuple(values.tolist() if hasattr(values, "tolist") else values)


@dataclass(frozen=True)
class Axis:
    """One direction in which a state can move: its label and the text of each of its values."""

    label: str
    texts: tuple[str, ...]
    start: int


def checked(name: str, values: Sequence[Any], start: int, what: str) -> None:
    """Raise unless `name` can be a keyword, there are two values or more, and `start` is the index of one."""
    if not name.isidentifier():
        raise ValueError(f"a control is named {name!r}; expected a name that `draw` takes as a keyword.")
    if len(values) < 2:
        raise ValueError(f"{name!r} has {len(values)} {what}; expected at least 2.")
    if not -len(values) <= start < len(values):
        raise ValueError(f"{name!r} starts at index {start}; expected one of 0 to {len(values) - 1}.")


@dataclass(frozen=True)
class Slider:
    """One of several ordered values.

    Args:
        name: the keyword of `draw`.
        values: in order; numbers, as a rule.
        label: what the reader sees; None takes the name.
        start: index of the first state.
        format: of the numbers, as in `format(value, "g")`.
        play: offer a button that runs through the values, for time and training steps.
    """

    name: str
    values: Sequence[Any]
    label: str | None = None
    start: int = 0
    format: str = "g"
    play: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", plain(self.values))
        checked(self.name, self.values, self.start, "values")

    @property
    def axes(self) -> tuple[Axis, ...]:
        """One axis."""
        texts = tuple(number(value, self.format) for value in self.values)
        return (Axis(pretty(self.label or self.name), texts, self.start % len(texts)),)

    def value(self, i: int) -> Any:
        """The value at index i."""
        return self.values[i]


@dataclass(frozen=True)
class Choice:
    """One of several options without an order.

    Args:
        name: the keyword of `draw`.
        options: the values, or a mapping from what the reader sees to the value.
        label: what the reader sees; None takes the name.
        start: index of the first state.
    """

    name: str
    options: Sequence[Any] | Mapping[str, Any]
    label: str | None = None
    start: int = 0

    def __post_init__(self) -> None:
        checked(self.name, self.options, self.start, "options")

    @property
    def values(self) -> tuple[Any, ...]:
        """What `draw` receives."""
        return tuple(self.options.values()) if isinstance(self.options, Mapping) else plain(self.options)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """One axis."""
        texts = tuple(self.options) if isinstance(self.options, Mapping) else self.values
        return (Axis(pretty(self.label or self.name), tuple(map(number, texts)), self.start % len(texts)),)

    def value(self, i: int) -> Any:
        """The value at index i."""
        return self.values[i]


@dataclass(frozen=True)
class Plane:
    """A point on a plane, under the pointer; `draw` receives it as a pair (x, y).

    Args:
        name: the keyword of `draw`.
        x: values from left to right, evenly spaced.
        y: values from bottom to top, evenly spaced.
        label: names of the two axes.
        start: indices of the first state; None is the middle.
        background: what the plane shows. "tiles": the pictures of all points; a function that draws into the
            matplotlib axes it is given, in the units of x and y; None: a grid.
        format: of the numbers.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    label: tuple[str, str] = ("x", "y")
    start: tuple[int, int] | None = None
    background: Any = None
    format: str = ".2g"
    extent: tuple[float, float, float, float] = field(init=False)

    def __post_init__(self) -> None:
        for which in ("x", "y"):
            object.__setattr__(self, which, plain(getattr(self, which)))
        start = self.start or (len(self.x) // 2, len(self.y) // 2)
        for which, i in zip(("x", "y"), start, strict=True):
            checked(self.name, getattr(self, which), i, f"values of {which}")
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "extent", (*self._border(self.x, "x"), *self._border(self.y, "y")))
        if not (self.background in (None, "tiles") or callable(self.background)):
            raise TypeError(
                f"background is {self.background!r}; expected None, 'tiles' or a function of axes."
            )

    def _border(self, values: tuple[float, ...], which: str) -> tuple[float, float]:
        step = (values[-1] - values[0]) / (len(values) - 1)
        even = [values[0] + k * step for k in range(len(values))]
        if step <= 0 or max(abs(a - b) for a, b in zip(values, even, strict=True)) > 1e-3 * step:
            raise ValueError(
                f"the values of {which} in {self.name!r} are not evenly spaced and rising: {values}."
            )
        return values[0] - step / 2, values[-1] + step / 2

    @property
    def axes(self) -> tuple[Axis, ...]:
        """x, then y."""
        sides = zip(self.label, (self.x, self.y), self.start, strict=True)
        return tuple(
            Axis(pretty(label), tuple(number(round(v, 10), self.format) for v in values), i % len(values))
            for label, values, i in sides
        )

    def value(self, i: int, j: int) -> tuple[float, float]:
        """The point at indices i of x and j of y."""
        return self.x[i], self.y[j]


Control = Slider | Choice | Plane
