"""Hostile and broken submissions: each gets what is fair, in bounded time, and leaves nothing behind."""

import glob
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from coursekit.grading.exercise import read
from coursekit.grading.grade import Grader
from coursekit.grading.limits import MEBIBYTE
from tests.grading.attacks import (
    broken,
    exits,
    fakes,
    forgery,
    left_behind,
    loops,
    patches,
    resources,
    torches,
)
from tests.grading.attacks.attack import MASTER, TRACE
from tests.grading.attacks.spying import OPEN_TO_ALL, SECRET, SPIES, source, spy
from tests.grading.boxes import SMALL, bubblewrap, container

FILES = (broken, exits, fakes, forgery, left_behind, loops, patches, resources)
ATTACKS = [attack for file in FILES for attack in file.ATTACKS]
OPEN_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/", "/home", str(Path.home()), os.getcwd())


@pytest.fixture(scope="module")
def grader():
    """One grader for all attacks, as in a class of students."""
    with pytest.MonkeyPatch.context() as patch, Grader(read(MASTER), bubblewrap(), SMALL) as grader:
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
    assert json.loads(json.dumps(result)) == result
    assert len(json.dumps(result)) < 20_000 + 3 * sum(len(source) for _, source in attack.cells)
    assert processes(grader) <= 1, "a process is left in the sandbox"
    assert left(grader) == []


@pytest.mark.parametrize("name", SPIES)
def test_a_spy_finds_nothing(grader, places, name):
    """A spy with success would get the points of its question."""
    attack = spy(name, places)
    questions = grader.grade(attack.cells, seed=5)["questions"]
    assert {key: questions[key]["points"] for key in attack.points} == attack.points
    assert attack.says in said(questions[attack.key])


def test_spies_find_nothing_where_the_container_is_the_sandbox(places, monkeypatch):
    """Another user or Landlock, and the filter, must do there what namespaces do elsewhere."""
    monkeypatch.setenv(SECRET, "a")
    attacks = [spy(name, places) for name in SPIES]
    with Grader(read(MASTER), container(), SMALL) as grader:
        found = {attack.name: grader.grade(attack.cells, seed=5)["score"] for attack in attacks}
    assert found == dict.fromkeys(found, 4.0)


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


@pytest.fixture(scope="module")
def torch_grader():
    """A grader of a master that needs torch."""
    with Grader(read(torches.MASTER), bubblewrap(), replace(SMALL, memory=1024 * MEBIBYTE)) as grader:
        yield grader


def points(grader: Grader, square: str) -> list[float]:
    """Points of both questions, the first with another answer."""
    answers = torches.ANSWERS | {"little.square": f"# exercise: little.square\n{square}"}
    result = grader.grade([("code", source) for source in answers.values()], seed=5)
    assert processes(grader) <= 1
    return [result["questions"][key]["points"] for key in answers]


@pytest.mark.parametrize("name", torches.CHEATS)
def test_patching_torch_makes_no_wrong_answer_right(torch_grader, name):
    fair = [torches.RIGHT_BY_CHANCE, 3.0]
    assert points(torch_grader, f"{torches.CHEATS[name]}\n\n{torches.WRONG}") == fair


@pytest.mark.parametrize("name", torches.HARM)
def test_patching_torch_costs_other_questions_nothing(torch_grader, name):
    assert points(torch_grader, f"{torches.HARM[name]}\n\ndef mean_square(x):\n    return x") == [0.0, 3.0]


@pytest.mark.parametrize("name", torches.VALUES)
def test_strange_tensors_have_no_points(torch_grader, name):
    assert points(torch_grader, f"def mean_square(x):\n    return {torches.VALUES[name]}") == [0.0, 3.0]


def test_a_loop_in_torch_ends_and_a_right_answer_is_right_after_all_this(torch_grader):
    assert points(torch_grader, "def mean_square(x):\n    while True: torch.ones(500, 500) @ x") == [0.0, 3.0]
    assert points(torch_grader, torches.RIGHT) == [2.0, 3.0]


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
