"""Run a student's notebook as it comes, with no answer in it: nothing may fail but the checks."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any

from coursekit.grading import randomness
from coursekit.grading.exercise import Cell, Exercise, starter
from coursekit.grading.guard import explain
from coursekit.grading.tests import execute

RUN = ("prelude", "code", "probe", "exercise", "experiment")


class _Unanswered:
    """A sheet on which no check has passed."""

    def passed(self, key: str) -> bool:
        return False

    def ready(self, *keys: str) -> bool:
        return False


def untouched(exercise: Exercise) -> Iterator[str]:
    """One message for each cell that fails while no question is answered, beginning with its first line."""
    names: dict[str, Any] = {"__name__": "__main__", "sheet": _Unanswered()}
    for number, cell in enumerate(cell for cell in exercise.cells if cell.kind in RUN):
        try:
            with randomness.seeded(0), contextlib.redirect_stdout(io.StringIO()):
                execute(_source(cell), names, f"{exercise.name}, cell {number}")
        except Exception as error:
            first = next((line for line in cell.source.splitlines() if line.strip()), "")
            why = " ".join(explain(error).splitlines())
            yield (
                f"the cell {first!r} fails while nothing is answered ({why}); "
                "let it wait for the answer that it needs: if sheet.ready(KEY): ..."
            )


def _source(cell: Cell) -> str:
    return starter(cell.source) if cell.kind in ("exercise", "experiment") else cell.source
