"""Jobs in processes: each ends with a result or with why it has none, and nothing stays behind."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from coursekit.grading.pool import Lost, connect, locally, on_cluster
from tests.grading.work import double, obey


def test_every_job_comes_back_once_with_its_key():
    """More jobs than processes, in whatever order."""
    done = list(locally(double, ((str(i), i) for i in range(7)), processes=2, seconds=60))
    assert sorted(done) == [(str(i), {"value": 2 * i}) for i in range(7)]


def test_jobs_are_taken_only_when_a_process_is_free():
    """A class of notebooks need not fit into memory."""
    taken = []

    def jobs():
        for i in range(6):
            taken.append(i)
            yield str(i), i

    for done, _ in enumerate(locally(double, jobs(), processes=2, seconds=60), 1):
        assert len(taken) <= done + 2


def test_a_job_that_fails_kills_or_hangs_its_process_is_lost_alone():
    """The others get their results, and the reason names what happened."""
    jobs = ["a", "die", "b", "raise", "exit", "sleep 600", "nan", "c"]
    done = dict(locally(obey, zip(jobs, jobs, strict=True), processes=2, seconds=10))
    assert {job: done[job] for job in "abc"} == {job: {"value": job} for job in "abc"}
    assert "signal SIGKILL" in done["die"].text
    assert "exit code 3" in done["exit"].text
    assert done["raise"] == Lost("RuntimeError: no such file")
    assert done["sleep 600"] == Lost("It took longer than 10 s.")
    assert "ValueError" in done["nan"].text
    assert len(done) == len(jobs)


def test_leaving_early_leaves_no_process():
    """Ctrl-C, or an error of the caller."""
    before = set(psutil.Process().children())
    running = locally(obey, (("k", job) for job in ("a", "sleep 600", "sleep 600")), 2, 700)
    next(running)
    assert set(psutil.Process().children()) - before
    running.close()
    helpers = [
        p
        for p in set(psutil.Process().children()) - before
        if "resource_tracker" not in " ".join(p.cmdline())
    ]
    assert helpers == []


GRADER = """
from coursekit.grading.pool import locally
from tests.grading.work import pid
if __name__ == "__main__":
    list(locally(pid, [("k", {file!r})], 1, 700))
"""


def test_the_processes_of_a_killed_grader_end_by_themselves(tmp_path):
    """It can't tell them any more, and a loop in an answer would run for ever."""
    file = tmp_path / "pid"
    script = tmp_path / "grader.py"
    script.write_text(GRADER.format(file=str(file)))
    grader = subprocess.Popen([sys.executable, str(script)], env=os.environ | {"PYTHONPATH": os.getcwd()})
    wait_until(lambda: file.exists() and file.read_text())
    child = psutil.Process(int(file.read_text()))
    grader.send_signal(signal.SIGKILL)
    grader.wait()
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def wait_until(true, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two worker processes on this machine."""
    from distributed import LocalCluster

    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(host="127.0.0.1", **options) as cluster:
        yield cluster.scheduler_address


def test_a_cluster_does_the_same_jobs(cluster):
    """The function and its job are all that travels."""
    done = list(on_cluster(double, ((str(i), i) for i in range(9)), cluster))
    assert sorted(done) == [(str(i), {"value": 2 * i}) for i in range(9)]


def test_a_cluster_names_the_job_that_failed(cluster):
    """An error on a far machine is told here."""
    done = dict(on_cluster(obey, [("a", "a"), ("b", "raise")], cluster))
    assert done == {"a": {"value": "a"}, "b": Lost("RuntimeError: no such file")}


def test_an_address_where_nobody_answers_is_an_error_that_names_it():
    """A typing mistake should not look like an endless progress bar."""
    with pytest.raises(ValueError, match=r"tcp://127\.0\.0\.1:9"):
        connect("tcp://127.0.0.1:9", seconds=2)


def test_a_scheduler_without_workers_is_an_error_that_says_what_to_start():
    """Jobs would wait for ever."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        address = cluster.scheduler_address
        with pytest.raises(ValueError, match=f"dask worker {address}"):
            connect(address, seconds=2)
