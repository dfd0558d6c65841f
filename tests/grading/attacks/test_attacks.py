"""Hostile and broken submissions: each gets what is fair, in bounded time, and leaves nothing behind."""

import glob
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from coursekit.grading.bubblewrap import INSTALL, Bubblewrap
from coursekit.grading.choose import problem
from coursekit.grading.exercise import read
from coursekit.grading.grade import Grader
from coursekit.grading.limits import MEBIBYTE, Limits
from tests.grading.attacks import broken, exits, fakes, forgery, left_behind, loops, patches, resources
from tests.grading.attacks.attack import MASTER, TRACE
from tests.grading.attacks.spying import OPEN_TO_ALL, SECRET, SPIES, source, spy

LIMITS = Limits(
    call=0.7,
    cell=2.0,
    question=5.0,
    submission=20.0,
    memory=256 * MEBIBYTE,
    disk=8 * MEBIBYTE,
    threads=32,
    stops=1,
)
FILES = (broken, exits, fakes, forgery, left_behind, loops, patches, resources)
ATTACKS = [attack for file in FILES for attack in file.ATTACKS]
OPEN_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/", "/home", str(Path.home()), os.getcwd())


@pytest.fixture(scope="module")
def grader():
    """One grader for all attacks, as in a class of students."""
    why = problem(Bubblewrap())
    assert not why, f"These tests need bubblewrap; as root: {INSTALL}. {why}"
    with pytest.MonkeyPatch.context() as patch, Grader(read(MASTER), Bubblewrap(), LIMITS) as grader:
        patch.setenv(SECRET, "a")
        yield grader
        worker = grader.worker.process
        inside = psutil.Process(worker.pid).children(recursive=True)
    assert worker.poll() is not None
    assert psutil.wait_procs(inside, timeout=10)[1] == []


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """What spies look for, by the names that they know."""
    other = tmp_path_factory.mktemp("submissions") / "other.ipynb"
    other.write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        yield {"MASTER": str(MASTER), "OTHER": str(other), "PORT": port, "COURSE": os.getcwd()}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_gets_what_is_fair_in_time_and_leaves_nothing(grader, attack):
    start = time.monotonic()
    result = grader.grade(attack.cells, seed=5)
    seconds = time.monotonic() - start
    questions = result["questions"]
    assert {key: questions[key]["points"] for key in attack.points} == attack.points, json.dumps(
        result, indent=1
    )
    assert attack.says in said(questions[attack.key])
    assert seconds < attack.seconds
    assert json.loads(json.dumps(result).encode()) == result
    assert processes(grader) <= 1, "a process is left in the sandbox"
    assert left(grader) == []


@pytest.mark.parametrize("name", SPIES)
def test_a_spy_finds_nothing(grader, places, name):
    """A spy with success would get the points of its question."""
    attack = spy(name, places)
    questions = grader.grade(attack.cells, seed=5)["questions"]
    assert {key: questions[key]["points"] for key in attack.points} == attack.points
    assert attack.says in said(questions[attack.key])


@pytest.mark.parametrize("name", OPEN_TO_ALL)
def test_a_spy_without_a_sandbox_finds_what_it_looks_for(places, name):
    """Else the test above would pass with spies that can't see."""
    environment = {**os.environ, SECRET: "a"}
    with subprocess.Popen(["sleep", "100"], env=environment) as neighbour:
        try:
            code = source(name, places) + "\nassert found()"
            subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        finally:
            neighbour.kill()


def said(question: dict) -> str:
    """The reason, and the texts of all problems."""
    problems = [check["problem"]["text"] for check in question["checks"] if check["problem"]]
    return "\n".join([question["reason"], *problems])


def processes(grader: Grader) -> int:
    """How many processes there are in the namespace of the grader's worker."""
    process = grader.worker.process
    if process is None:
        return 0
    spaces = {namespace(child.pid) for child in psutil.Process(process.pid).children()}
    return sum(namespace(pid) in spaces for pid in psutil.pids())


def namespace(pid: int) -> str:
    """That of a process's own processes; its number if it has ended."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return str(pid)


def left(grader: Grader) -> list[str]:
    """Files with the trace in their names, on this machine and in the sandbox of the next submission."""
    here = [path for folder in OPEN_FOLDERS for path in glob.glob(f"{folder}/*{TRACE}*")]
    look = f"import os\nfound = os.listdir('.') + [name for name in os.environ if '{TRACE}' in name]\n"
    look += f"found += [text for text in vars(np).values() if type(text) is str and '{TRACE}' in text]\n"
    with grader.worker.session() as session:
        assert session.run(look + "def look():\n    return found", "look", 5) is None
        return here + session.call("look", [], {}, 5)
