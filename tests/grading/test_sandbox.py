"""Sandboxes: which works, what they show of this machine, and that they end."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from coursekit.grading import landlock
from coursekit.grading.bubblewrap import Bubblewrap
from coursekit.grading.choose import SANDBOXES, choose, problem
from coursekit.grading.container import Container, Unsafe
from coursekit.grading.limits import Limits
from coursekit.grading.remote import Worker, unfit
from coursekit.grading.sandbox import SandboxError, environment, readable
from tests.grading.boxes import SMALL, bubblewrap, container

ROOT = Path(__file__).parents[2]
LOOK = """
import os

def look(path):
    return sorted(os.listdir(path))

def environment():
    return dict(os.environ)

def user():
    return [os.getuid(), os.getpid(), len(os.listdir("/proc/self/fd"))]

def write(path):
    with open(path, "w") as file:
        return file.write("a")
"""


@pytest.fixture(scope="module")
def inside():
    """A session in bubblewrap, with tools to look around."""
    with Worker(bubblewrap(), "", SMALL) as worker, worker.session() as session:
        assert session.run(LOOK, "look", 5) is None
        yield lambda name, *args: session.call(name, list(args), {}, 5)


def test_bubblewrap_shows_python_and_the_package_and_no_more(inside):
    """Not the tests, the solutions, the grader's home or its files."""
    assert inside("look", str(ROOT)) == sorted(
        {
            "coursekit",
            *{Path(p).relative_to(ROOT).parts[0] for p in readable() if Path(p).is_relative_to(ROOT)},
        }
    )
    assert {"bin", "lib", "usr", "proc", "dev"} <= set(inside("look", "/"))
    assert not {"home", "mnt", "media", "var", "srv", "boot", "sys", "run"} & set(inside("look", "/"))
    assert set(inside("look", "/etc")) <= {"ld.so.cache", "alternatives", "fonts", "localtime"}


def test_bubblewrap_passes_on_no_variable_and_no_file_descriptor(inside):
    assert set(inside("environment")) <= {*environment("/sandbox"), "PWD", "LC_CTYPE"}
    assert inside("user")[2] == 6  # three of /dev/null, the pipe's two ends, and that of the question itself


def test_bubblewrap_lets_write_into_a_small_folder_only(inside):
    assert inside("write", "file") == 1
    for path in ("/file", "/dev/file", "/dev/shm/file", "/usr/file", f"{ROOT}/file", sys.prefix + "/file"):
        assert "Read-only" in inside("write", path).text


def test_what_python_needs_holds_no_part_of_the_course():
    masters = [ROOT / "solutions", ROOT / "tests", ROOT / "exercises", Path.home() / "submissions"]
    assert Bubblewrap().exposed(masters) == []
    assert Container().exposed(masters) == [] or not landlock.version()
    assert Bubblewrap().exposed([Path(sys.prefix, "submissions")]) == [Path(sys.prefix, "submissions")]


def test_without_landlock_all_is_exposed_that_everybody_may_read(tmp_path, monkeypatch):
    monkeypatch.setattr(landlock, "version", lambda: 0)
    (tmp_path / "own").touch(0o600)
    paths = [tmp_path / "own", Path("/etc/passwd"), tmp_path / "missing"]
    assert Container().exposed(paths) == [Path("/etc/passwd")]


def test_landlock_leaves_what_is_named(tmp_path):
    """In another process, since there is no way back."""
    (tmp_path / "kept").mkdir()
    code = f"""
import os
from coursekit.grading import landlock
landlock.restrict([{str(tmp_path / "kept")!r}, "/no/such/folder"], [os.devnull])
os.listdir({str(tmp_path / "kept")!r})
open(os.devnull, "w").write("a")
for attempt in (lambda: os.listdir({str(tmp_path)!r}), lambda: open({str(tmp_path / "kept" / "new")!r}, "w")):
    try:
        attempt()
    except PermissionError:
        continue
    raise SystemExit("it worked")
"""
    assert landlock.version() > 0, "This test needs a kernel with Landlock (Linux 5.13 or newer)."
    subprocess.run([sys.executable, "-c", code], check=True)


def test_in_a_container_answers_have_another_user_or_give_up_files():
    with Worker(container(), "", SMALL) as worker, worker.session() as session:
        assert session.run(LOOK, "look", 5) is None
        user = session.call("user", [], {}, 5)[0]
        assert worker.facts["landlock"] or user != os.getuid()
        assert user != 0
        for path in ("/tmp/coursekit-attack", "/dev/shm/coursekit-attack", "coursekit-attack"):
            assert session.call("write", [path], {}, 5).kind == "exception"


def test_a_worker_without_its_confinement_is_refused():
    """Before any answer runs."""
    facts = {"problem": None, "filter": True, "landlock": False, "user": os.getuid()}
    assert "neither another user nor Landlock" in unfit(facts, Container())
    assert unfit(facts | {"user": 4711}, Container()) == unfit(facts | {"landlock": True}, Container()) == ""
    assert "can't be filtered" in unfit(facts | {"filter": False}, Bubblewrap())
    assert unfit(facts | {"filter": False}, Unsafe()) == ""


def test_with_no_sandbox_nothing_runs_and_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SandboxError, match="apt-get install bubblewrap") as caught:
        choose()
    for word in ("bubblewrap", "podman", "docker", "--unsafe-local", "container"):
        assert word in str(caught.value)


def test_a_sandbox_without_its_rights_is_not_chosen(tmp_path, monkeypatch):
    """As where a system keeps user namespaces from its users."""
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="setting up uid map: Permission denied"):
        choose("bubblewrap")


def test_a_sandbox_is_chosen_by_name_or_by_what_works():
    assert choose() == bubblewrap()
    assert choose("unsafe") == Unsafe()
    with pytest.raises(ValueError, match="no sandbox 'chroot'; there are bubblewrap, podman"):
        choose("chroot")
    assert set(SANDBOXES) == {"bubblewrap", "podman", "docker", "container", "unsafe"}


def test_a_container_whose_python_only_root_can_read_is_refused(tmp_path, monkeypatch):
    """Not run as root instead."""
    hidden = tmp_path / "python"
    hidden.symlink_to(sys.executable)
    tmp_path.chmod(0o700)
    monkeypatch.setattr(
        "coursekit.grading.container.sys.executable", str(hidden) if os.getuid() == 0 else "/nowhere"
    )
    assert "Where the grader is root, every user has to be able to read Python" in problem(Container())


@pytest.mark.parametrize("name", ["bubblewrap", "container", "unsafe"])
def test_a_sandbox_ends_with_its_grader_however_that_ends(name, tmp_path):
    """A grader that is killed can't clean up."""
    code = f"""
import sys, time
from coursekit.grading.remote import Worker
from tests.grading import boxes
from coursekit.grading.container import Unsafe
sandbox = {{"bubblewrap": boxes.bubblewrap, "container": boxes.container, "unsafe": Unsafe}}[{name!r}]()
worker = Worker(sandbox, "", boxes.SMALL)
session = worker.session()
session.run("import time", "a", 5)
print(worker.process.pid, flush=True)
session.run("time.sleep(1000)", "a", 1000)
"""
    grader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    worker = psutil.Process(int(grader.stdout.readline()))
    family = [worker, *_wait_for_children(worker)]
    grader.send_signal(signal.SIGKILL)
    grader.wait()
    assert psutil.wait_procs(family, timeout=10)[1] == []


def _wait_for_children(process: psutil.Process) -> list[psutil.Process]:
    """The worker, the answers and the relay, as soon as they are there."""
    deadline = time.monotonic() + 20
    while len(children := process.children(recursive=True)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(children) >= 2
    return children


def start(sandbox):
    """Seconds until a worker with numpy and the package is ready; the least of three."""
    times = []
    for _ in range(3):
        with Worker(sandbox, "", SMALL) as worker:
            started = time.monotonic()
            worker.session().close()
            times.append(time.monotonic() - started)
    return min(times)


def test_bubblewrap_takes_little_time_beside_python_and_numpy():
    """The same worker without a sandbox, in the same run."""
    assert start(bubblewrap()) < 2 * start(Unsafe())


@dataclass(frozen=True)
class Broken(Unsafe):
    """A sandbox whose command is not the worker."""

    argv: tuple[str, ...] = ()

    def command(self, limits, label):
        return list(self.argv)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("/bin/sh", "-c", "echo no luck >&2; exit 1"), "no luck"),
        (("/bin/sleep", "100"), "in time"),
        (("/no/such/program",), "No such file"),
    ],
)
def test_a_worker_that_does_not_start_says_why_and_leaves_nothing(argv, says):
    worker = Worker(Broken(argv), "", Limits(start=1.0))
    with pytest.raises(SandboxError, match=says):
        worker.session()
    assert worker.process is None
    assert not [p for p in psutil.Process().children() if p.cmdline() == list(argv)]
