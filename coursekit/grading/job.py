"""The unit of work: one notebook in, one result out, whatever process or machine does it."""

import functools
import hashlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from coursekit import __version__
from coursekit.grading import pool
from coursekit.grading.choose import SANDBOXES, choose
from coursekit.grading.exercise import Exercise
from coursekit.grading.grade import Grader
from coursekit.grading.limits import Limits
from coursekit.grading.notebook import Unreadable, read_cells
from coursekit.grading.run import Result, refused
from coursekit.grading.sandbox import SandboxError

SLACK = 60.0  # seconds beyond all limits, after which something is wrong with the grader itself


@dataclass(frozen=True)
class Plan:
    """What all submissions of an exercise are graded with; plain data, which travels to other machines.

    Attributes:
        exercise: the master, as it was read.
        sandbox: name of the one in which answers run; "": whichever works on the machine.
        limits: of each submission.
    """

    exercise: Exercise
    sandbox: str = ""
    limits: Limits = field(default_factory=Limits)

    @property
    def conditions(self) -> str:
        """What a result depends on beside submission and exercise."""
        return f"coursekit {__version__}, {self.limits}"

    @property
    def name(self) -> tuple[str, str, str, Limits]:
        """What tells it from other plans."""
        return self.exercise.name, self.exercise.version, self.sandbox, self.limits


@dataclass(frozen=True)
class Job:
    """A notebook, and what it is graded with."""

    content: bytes
    plan: Plan


def do(job: Job) -> Result:
    """Grade one notebook: a pure function of the job, apart from the seconds that it took.

    Raises:
        SandboxError: the sandbox does not start.
        ValueError: the master does not hold together.
    """
    # Tests draw from the process's global random states: two at a time would mix them.
    with _one_at_a_time:
        exercise = job.plan.exercise
        try:
            cells = read_cells(job.content)
        except Unreadable as error:
            return refused(exercise, error.reason, error.text)
        with warnings.catch_warnings(action="ignore"):  # of the master's wrong answers, which are tried here
            return _grader(job.plan).grade(cells, seed(job.content, exercise))


def seed(content: bytes, exercise: Exercise) -> int:
    """Another one for each notebook and version, the same for the same."""
    digest = hashlib.sha256(exercise.version.encode() + content).digest()
    return int.from_bytes(digest[:6], "little")


def close() -> None:
    """End the sandbox that this process keeps open for its next job."""
    while _open:
        _open.popitem()[1].close()


def locally(plan: Plan, processes: int) -> Callable[[Iterable[tuple[str, bytes]]], Iterator[tuple[str, Any]]]:
    """Grades in so many processes of this machine."""
    limits = plan.limits
    seconds = limits.submission + 2 * limits.start + SLACK
    return lambda contents: pool.locally(do, _jobs(contents, plan), processes, seconds)


def on_cluster(
    plan: Plan, address: str
) -> Callable[[Iterable[tuple[str, bytes]]], Iterator[tuple[str, Any]]]:
    """Grades on the workers of a Dask scheduler, after a look at each of them."""
    check = functools.partial(ready, plan, __version__)
    return lambda contents: pool.on_cluster(do, _jobs(contents, plan), address, check)


def ready(plan: Plan, version: str) -> None:
    """Make sure that this machine can grade.

    Raises:
        ValueError: it has another version of the package than the one named, or no sandbox works.
    """
    if version != __version__:
        raise ValueError(f"coursekit {__version__} is installed there, {version} here: install the same.")
    try:
        choose(plan.sandbox or None)
    except SandboxError as error:
        raise ValueError(str(error)) from error


def _jobs(contents: Iterable[tuple[str, bytes]], plan: Plan) -> Iterator[tuple[str, Job]]:
    for key, content in contents:
        yield key, Job(content, plan)


_one_at_a_time = threading.Lock()
_open: dict[tuple[str, str, str, Limits], Grader] = {}


def _grader(plan: Plan) -> Grader:
    """The grader of a plan, kept open from job to job: its sandbox has imported what the prelude imports."""
    if plan.name not in _open:
        close()
        sandbox = SANDBOXES[plan.sandbox]() if plan.sandbox else choose()
        _open[plan.name] = Grader(plan.exercise, sandbox, plan.limits)
        # Graders run side by side, one for each core. An exercise that needs no torch must not wait for it.
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)
    return _open[plan.name]
