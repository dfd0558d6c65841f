"""Times of submission, and what being late costs."""

import datetime
import math
from dataclasses import dataclass

FORMATS = ("%Y-%m-%d %H:%M:%S %z", "%A, %d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M")


def parse_time(text: str) -> datetime.datetime:
    """A time as ISO 8601, Moodle or Gradescope write it; local unless it names an offset.

    Raises:
        ValueError: it is none of these.
    """
    try:
        return datetime.datetime.fromisoformat(text).astimezone()
    except ValueError:
        pass
    for form in FORMATS:
        try:
            return datetime.datetime.strptime(text, form).astimezone()
        except ValueError:
            continue
    raise ValueError(f"{text!r} is not a time; write it as 2026-03-01 23:59, or 2026-03-01T23:59+08:00.")


@dataclass(frozen=True)
class Late:
    """What a late submission loses: for each day begun after the grace a share of its points.

    Attributes:
        due: when it was due; None: nothing is late.
        percent_per_day: of the points reached, 0 to 100.
        grace_minutes: how much later still counts as in time.
    """

    due: datetime.datetime | None = None
    percent_per_day: float = 0.0
    grace_minutes: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.percent_per_day <= 100:
            raise ValueError(f"A day late costs 0 to 100 percent, not {self.percent_per_day}.")
        if self.grace_minutes < 0:
            raise ValueError(f"The grace is 0 minutes or more, not {self.grace_minutes}.")

    def days(self, submitted: datetime.datetime | None) -> int:
        """Days late, begun days counted whole; 0 if in time or the time is not known."""
        if self.due is None or submitted is None:
            return 0
        over = submitted - self.due - datetime.timedelta(minutes=self.grace_minutes)
        return max(0, math.ceil(over / datetime.timedelta(days=1)))

    def deduction(self, points: float, days: int) -> float:
        """Points lost, of `points` reached, by being `days` late."""
        return round(points * min(1.0, days * self.percent_per_day / 100), 2)
