"""Do jobs in processes, here or on a Dask cluster; a job that kills its process is lost alone, and named."""

import json
import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

Work = Callable[[Any], dict[str, Any]]
"""A function of a module, pure, from a job that can be pickled to a result that JSON can hold."""


@dataclass(frozen=True)
class Lost:
    """A job without a result, and why."""

    text: str


def locally(
    work: Work, jobs: Iterable[tuple[str, Any]], processes: int, seconds: float
) -> Iterator[tuple[str, dict[str, Any] | Lost]]:
    """(key, result) of every job, as they are done.

    Args:
        work: what to do with a job.
        jobs: (key, job); taken one by one, as processes get free.
        processes: how many at a time.
        seconds: after which a job's process is killed.
    """
    jobs = iter(jobs)
    workers = [_Worker(work) for _ in range(processes)]
    try:
        while True:
            for worker in workers:
                if worker.key is None and (job := next(jobs, None)):
                    worker.give(*job, seconds)
            busy = [worker for worker in workers if worker.key is not None]
            if not busy:
                return
            until = min(worker.deadline for worker in busy)
            wait([worker.pipe for worker in busy], timeout=max(0.0, until - time.monotonic()))
            for worker in busy:
                answer = worker.take()
                if answer is not None:
                    yield worker.key, answer
                    worker.key = None
                if isinstance(answer, Lost) and not worker.process.is_alive():
                    workers[workers.index(worker)] = _Worker(work)
    finally:
        for worker in workers:
            worker.kill()


class _Worker:
    """A process that does one job after the other."""

    def __init__(self, work: Work):
        # A fork would copy the threads' locks of whatever library the caller has loaded, but not the threads.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()
        self.key: str | None = None
        self.deadline = math.inf

    def give(self, key: str, job: Any, seconds: float) -> None:
        """Start on a job, which has so many seconds."""
        self.key, self.seconds, self.deadline = key, seconds, time.monotonic() + seconds
        try:
            self.pipe.send(job)
        except OSError:
            self.deadline = 0.0  # it died while idle; `take` will say so

    def take(self) -> dict[str, Any] | Lost | None:
        """The result, or why there is none, or None: not yet."""
        try:
            if self.pipe.poll():
                answer = json.loads(self.pipe.recv_bytes())
                return Lost(answer["lost"]) if "lost" in answer else answer["result"]
        except (EOFError, OSError):
            self.kill()
            return Lost(f"The process that graded it ended with {_end(self.process.exitcode)}.")
        if time.monotonic() < self.deadline:
            return None
        self.kill()
        return Lost(f"It took longer than {self.seconds:.0f} s.")

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _end(code: int | None) -> str:
    return f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"


def _serve(pipe: Connection, work: Work) -> None:
    """What the process does: jobs, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the grader, which then ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        try:
            answer = json.dumps({"result": work(job)}, allow_nan=False)
        except Exception as error:  # it is told to the instructor, and the other jobs go on
            answer = json.dumps({"lost": f"{type(error).__name__}: {error}"})
        pipe.send_bytes(answer.encode())


def _end_with_parent() -> None:
    """A grader that was killed can't end its processes, so they watch for its end."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def on_cluster(
    work: Work, jobs: Iterable[tuple[str, Any]], address: str, ready: Callable[[], None] | None = None
) -> Iterator[tuple[str, dict[str, Any] | Lost]]:
    """As `locally`, on the workers of a Dask scheduler.

    Args:
        work, jobs: as in `locally`.
        address: of the scheduler, such as tcp://10.0.0.1:8786.
        ready: called on every worker first; what it raises is raised here.

    Raises:
        ValueError: no scheduler answers there, or it has no workers.
    """
    from distributed import as_completed

    jobs, keys = iter(jobs), {}
    with connect(address) as client:
        if ready is not None:
            client.run(ready)

        def start() -> Any:
            job = next(jobs, None)
            future = client.submit(work, job[1], pure=False) if job else None
            if future is not None:
                keys[future.key] = job[0]
            return future

        # Twice as many jobs under way as fit keep the workers busy and the scheduler's memory small.
        slots = sum(client.nthreads().values())
        waiting = as_completed([future for _ in range(2 * slots) if (future := start())])
        for future in waiting:
            error = future.exception()
            answer = Lost(f"{type(error).__name__}: {error}") if error else future.result()
            following = start()
            if following is not None:
                waiting.add(following)
            yield keys.pop(future.key), answer


def connect(address: str, seconds: float = 20.0) -> Any:
    """A client of a Dask scheduler that has workers; raises as `on_cluster`."""
    from distributed import Client

    try:
        client = Client(address, timeout=seconds)
    except (OSError, ValueError) as error:
        raise ValueError(f"No Dask scheduler answers at {address!r} ({error}).") from error
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError as error:
        client.close()
        raise ValueError(
            f"The scheduler at {address} has no workers: start `dask worker {address}`."
        ) from error
    return client
