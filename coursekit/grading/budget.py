"""The time that a submission has, and each of its questions."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator

from coursekit.grading.limits import Limits


class Budget:
    """Counts down from now on.

    Args:
        limits: of which `question` and `submission` are meant.
    """

    def __init__(self, limits: Limits):
        self.limits, self.start = limits, time.monotonic()
        self.spent: Counter[str] = Counter()

    def left(self, key: str) -> float:
        """Seconds that a question still has; never more than the whole submission has."""
        whole = self.limits.submission - (time.monotonic() - self.start)
        return min(self.limits.question - self.spent[key], whole)

    @contextlib.contextmanager
    def charge(self, key: str) -> Iterator[None]:
        """Count the time spent inside on a question."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.spent[key] += time.monotonic() - start
