"""Answer cells that have run in a session, and run again in a new one when a call or a cell ends it."""

import contextlib

from coursekit.grading.budget import Budget
from coursekit.grading.hiding import fault
from coursekit.grading.problem import Problem
from coursekit.grading.remote import Worker
from coursekit.grading.session import Session

USED_UP = Problem("timeout", "the time for this question is used up.")


class Stage:
    """Some answer cells of one submission.

    Args:
        worker: in which they run.
        cells: (key, source), in the order in which they run.
        budget: from which their time is taken.

    Attributes:
        faults: key -> what went wrong when its cells ran.
        session: in which they ran last; None at first.
        sessions: how many there were.
        hiding: whether hidden tests have begun, so that faults from now on are told without their text.
    """

    def __init__(self, worker: Worker, cells: list[tuple[str, str]], budget: Budget):
        self.worker, self.cells, self.budget = worker, cells, budget
        self.faults: dict[str, Problem] = {}
        self.session: Session | None = None
        self.sessions = 0
        self.hiding = False
        self._left_out: set[int] = set()

    def ready(self) -> Session:
        """A living session in which the cells have run, without those that hang or kill."""
        while self.session is None or not self.session.alive:
            first = self.session is None
            self.session, self.sessions = self.worker.session(), self.sessions + 1
            self._run_all(first)
        return self.session

    def run(self, key: str, source: str, name: str, own: bool = True) -> Problem | None:
        """Run a cell, on its question's time; or, if not `own`, again for the sake of another question."""
        seconds = min(self.worker.limits.cell, self.budget.left(key if own else ""))
        if seconds <= 0:
            return USED_UP
        with self.budget.charge(key) if own else contextlib.nullcontext():
            return self.session.run(source, name, seconds)

    def _run_all(self, first: bool) -> None:
        """Run the cells, and those that raise once more at the end: they may stand in another order."""
        again = []
        for last in (False, True):
            for place in again if last else sorted(set(range(len(self.cells))) - self._left_out):
                key, source = self.cells[place]
                problem = self.run(key, source, f"answer to {key}, cell {place + 1}", own=first)
                if problem is not None and (last or problem.kind != "exception"):
                    self._note(key, problem)
                if not self.session.alive:
                    self._leave_out(place)
                    return
                if problem is not None and not last:
                    again.append(place)

    def _note(self, key: str, problem: Problem) -> None:
        if not self.hiding:
            self.faults[key] = problem
        else:
            self.faults.setdefault(key, fault(problem))

    def _leave_out(self, place: int) -> None:
        """Leave out a cell for good; and if its question has had enough of those, all its cells."""
        key = self.cells[place][0]
        self._left_out.add(place)
        if sum(self.cells[other][0] == key for other in self._left_out) >= self.worker.limits.stops:
            self._left_out |= {n for n, cell in enumerate(self.cells) if cell[0] == key}
