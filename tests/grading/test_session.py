"""Sessions: one process each, fresh, within its time, and replaced when it ends."""

import os
import signal
import time

import numpy as np
import psutil
import pytest

from coursekit.grading.problem import Problem
from coursekit.grading.remote import Worker
from coursekit.grading.sandbox import SandboxError
from tests.grading.boxes import SMALL, bubblewrap

FUNCTIONS = """
import os, time
count = 0

def add(x, more=0):
    return x + more

def counted():
    global count
    count += 1
    return count

def stop():
    os._exit(3)

def wait():
    time.sleep(1000)

def noise():
    return np.random.rand(2), hash("text")
"""


@pytest.fixture(scope="module")
def worker():
    """A worker with numpy."""
    with Worker(bubblewrap(), "import numpy as np\nstart = [0]", SMALL) as worker:
        yield worker


@pytest.fixture
def session(worker):
    """A session in which the functions are defined."""
    with worker.session() as session:
        assert session.run(FUNCTIONS, "functions", 5) is None
        yield session


def test_a_call_returns_what_the_function_returns(session):
    assert session.call("add", [1], {"more": 2.5}, 5) == 3.5
    assert session.call("add", [np.ones(3, "float32")], {}, 5).dtype == np.float32


def test_cells_of_one_session_share_their_names_and_those_of_the_prelude(session):
    assert session.run("def two():\n    return add(np.float64(1), more=len(start))", "more", 5) is None
    assert session.call("two", [], {}, 5) == 2.0


def test_what_a_cell_defines_before_it_fails_stays(session):
    problem = session.run("def three():\n    return 3\n\nmissing + 1\n\ndef four():\n    return 4", "cell", 5)
    assert problem.kind == "exception"
    assert "NameError" in problem.text
    assert "line 4" in problem.text
    assert session.call("three", [], {}, 5) == 3
    assert "four is not defined" in session.call("four", [], {}, 5).text


def test_a_session_knows_nothing_of_the_one_before(worker):
    """Not even through the objects of the prelude."""
    seen = []
    for _ in range(2):
        with worker.session() as session:
            session.run(FUNCTIONS + "start.append(1)\ndef length():\n    return len(start)", "functions", 5)
            seen.append((session.call("counted", [], {}, 5), session.call("length", [], {}, 5)))
    assert seen == [(1, 2), (1, 2)]


def test_every_session_begins_with_the_same_random_state_and_hashes(worker):
    """So that grading again gives the same points, in another worker, too."""
    seen = []
    for other in (worker, worker, Worker(bubblewrap(), worker.prelude, SMALL)):
        with other.session() as session:
            session.run("import random\n" + FUNCTIONS, "functions", 5)
            session.run("import numpy\nnumpy.random.seed(1)", "seed", 5)
            problem, hashed = session.call("noise", [], {}, 5), session.call("add", ["a"], {"more": "b"}, 5)
            seen.append((problem, hashed))
        if other is not worker:
            other.close()
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [("stop", "died", "with exit code 3"), ("wait", "timeout", "within 0.3 s")],
)
def test_a_session_that_ends_or_hangs_is_over_and_the_next_one_is_there(worker, session, name, kind, says):
    problem = session.call(name, [], {}, 0.3 if kind == "timeout" else 5)
    assert problem.kind == kind
    assert says in problem.text
    assert not session.alive
    with worker.session() as following:
        assert following.run("", "nothing", 5) is None


def test_ending_a_session_that_hangs_takes_no_time(worker, session):
    """Its process is killed; the worker, with what it has imported, stays."""
    pid = worker.process.pid
    session.call("wait", [], {}, 0.1)
    start = time.monotonic()
    worker.session().close()
    assert time.monotonic() - start < 2.0
    assert worker.process.pid == pid


def test_arguments_that_can_not_be_sent_are_the_masters_mistake(session):
    with pytest.raises(TypeError, match="function"):
        session.call("add", [print], {}, 5)
    assert session.call("add", [1], {}, 5) == 1


def test_large_arguments_go_through_and_too_large_values_are_named(session):
    large = np.ones(1_500_000)
    assert session.call("add", [large], {}, 5).nbytes == large.nbytes
    problem = session.call("add", [np.ones(3_000_000)], {}, 5)
    assert problem.kind == "type"
    assert "too large" in problem.text


def test_a_call_that_does_not_read_its_arguments_ends_in_time(session):
    """Time is limited both ways: the pipe is full, and nobody takes from it."""
    session.run("import threading\ndef sleep():\n    os.kill(os.getpid(), 19)", "sleep", 5)
    session.run("threading.Timer(0.2, sleep).start()", "later", 5)
    time.sleep(0.4)
    start = time.monotonic()
    assert session.call("add", [np.ones(1_900_000)], {}, 0.5).kind == "timeout"
    assert time.monotonic() - start < 3.0


def test_a_worker_that_is_killed_is_replaced(worker):
    """By the system, say, for want of memory; the submission at hand loses a call at most."""
    session = worker.session()
    assert session.run(FUNCTIONS, "functions", 5) is None
    sandbox = psutil.Process(worker.process.pid)
    inside = sandbox.children(recursive=True)
    for process in sandbox.children():
        os.kill(process.pid, signal.SIGKILL)
    assert not psutil.wait_procs(inside, timeout=5)[1]  # the kernel ends the others a moment later
    assert session.call("add", [1], {}, 5) == Problem("died", "the process ended with exit code 0.")
    with worker.session() as following:
        assert following.run(FUNCTIONS, "functions", 5) is None
        assert following.call("add", [1], {}, 5) == 1


def test_a_worker_imports_torch_only_where_the_prelude_does(session):
    """It takes seconds."""
    assert session.run("import sys\ndef loaded(name):\n    return name in sys.modules", "loaded", 5) is None
    assert session.call("loaded", ["numpy"], {}, 5)
    assert not session.call("loaded", ["torch"], {}, 5)


def test_a_prelude_that_fails_says_so():
    with pytest.raises(SandboxError, match=r"prelude fails in bubblewrap: ZeroDivisionError(.|\n)*in line 2"):
        Worker(bubblewrap(), "a = 1\na / 0", SMALL).session()


def test_a_prelude_may_print_and_read_without_harm():
    """What it prints is no frame."""
    with Worker(bubblewrap(), "import sys\nprint('E' * 100_000)\nsys.stdin.read()", SMALL) as worker:
        assert worker.session().run("print('more')", "cell", 5) is None
