"""The limits of threads and files hold while the grader is busy and reads nothing."""

import time

import psutil
import pytest

from coursekit.grading.remote import Worker
from tests.grading.boxes import SMALL, bubblewrap

FLOOD = """
import os, threading, time
threading.stack_size(65536)

def flood():
    time.sleep(0.3)
    while True: os.write(4, bytes(60_000))

def bomb():
    time.sleep(0.8)
    {bomb}

for act in (flood, bomb):
    threading.Thread(target=act, daemon=True).start()
"""
BOMBS = {
    "threads": "for _ in range(100): threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()",
    "files": "for n in range(15_000): open(str(n), 'w').close()",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_session_that_floods_the_channel_is_still_watched(name):
    """Its process is killed, though nothing is read of what it wrote; the worker is as good as before."""
    with Worker(bubblewrap(), "", SMALL) as worker:
        session = worker.session()
        before = worker.process.pid
        assert session.run(FLOOD.format(bomb=BOMBS[name]), "flood", 5) is None
        answers = max(psutil.Process(before).children(recursive=True), key=psutil.Process.num_threads)
        assert answers.num_threads() >= 3
        assert ended(answers, 8.0)
        session.close()
        with worker.session() as following:
            assert following.run("", "nothing", 5) is None
        assert worker.process.pid == before


def ended(process: psutil.Process, seconds: float) -> bool:
    """Whether a process ends in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False
