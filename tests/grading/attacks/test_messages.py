"""Nothing that one session does to the files of the sandbox is seen by the next one of the same worker."""

import pytest

from coursekit.grading.exercise import read
from coursekit.grading.grade import Grader
from coursekit.grading.remote import Worker
from tests.grading.attacks.attack import FULL, HONEST, MASTER, code
from tests.grading.boxes import SMALL, bubblewrap

WAYS = {
    "an attribute": ("os.setxattr(place, 'user.a', b'a')", "'user.a' in os.listxattr(place)"),
    "the mode": ("os.chmod(place, 0o1755)", "os.stat(place).st_mode % 4096 == 0o1755"),
    "the times": ("os.utime(place, (7, 7))", "os.stat(place).st_mtime == 7"),
    "a file": ("open(place + '/coursekit-attack', 'w')", "os.path.exists(place + '/coursekit-attack')"),
    "a hint": (
        "fcntl.fcntl(os.open(place, os.O_RDONLY), 1036, bytes([3] + [0] * 7))",
        "fcntl.fcntl(os.open(place, os.O_RDONLY), 1035, bytes(8))[0] == 3",
    ),
}
"""What stays with a file or folder -> how to write it, and an expression that is true if it is there."""

PLACES = ("/sandbox", "/dev/pts", "/", "/proc")


@pytest.fixture(scope="module")
def worker():
    """A worker for several sessions."""
    with Worker(bubblewrap(), "import fcntl, os", SMALL) as worker:
        yield worker


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", WAYS)
def test_a_folder_that_stays_carries_no_message(worker, way, place):
    write, found = WAYS[way]
    with worker.session() as session:
        session.run(f"place = {place!r}\n{write}", "write", 5)
    with worker.session() as session:
        assert session.run(f"place = {place!r}\ndef look():\n    return {found}", "look", 5) is None
        assert session.call("look", [], {}, 5) is False


def test_a_file_of_the_system_carries_no_hint(worker):
    """It belongs to the same user where the grader is root, and its hint is no part of its content."""
    with worker.session() as session:
        problem = session.run(f"place = os.__file__\n{WAYS['a hint'][0]}", "write", 5)
        assert "PermissionError" in problem.text


def test_each_session_has_a_fresh_folder_of_its_own_where_files_can_be_written(worker):
    look = """
import tempfile

def write():
    open("file", "w").write("a")
    with tempfile.TemporaryFile() as file, tempfile.TemporaryDirectory() as folder:
        file.write(b"a")
        return [os.getcwd(), tempfile.gettempdir(), os.path.expanduser("~"), os.path.dirname(folder)]

def look():
    return os.listdir(".") + os.listdir("..")
"""
    for _ in range(2):
        with worker.session() as session:
            assert session.run(look, "look", 5) is None
            assert session.call("look", [], {}, 5) == ["session"]
            assert session.call("write", [], {}, 5) == ["/sandbox/session"] * 4


def test_a_submission_takes_no_answer_from_another_and_harms_none():
    """By attributes or the mode of the folder that stays."""
    stash = """
import contextlib, os
with contextlib.suppress(OSError):
    os.setxattr("/sandbox", "user.source", b"def mean_square(x):\\n    return (x * x).sum(0) / len(x)")
with contextlib.suppress(OSError):
    os.chmod("/sandbox", 0o555)
"""
    thief = "import os\nexec(os.getxattr('/sandbox', 'user.source').decode())"
    victim = """
import tempfile

def mean_square(x):
    with tempfile.TemporaryFile() as file:
        np.save(file, x)
    return (x * x).sum(0) / len(x)
"""
    head, honest = HONEST["rows.mean"].split("\n", 1)
    with Grader(read(MASTER), bubblewrap(), SMALL) as grader:
        for body, fair in ((stash + honest, 2.0), (thief, 0.0), (victim, 2.0)):
            cells = code([*(HONEST | {"rows.mean": f"{head}\n{body}"}).values()])
            questions = grader.grade(cells, 5)["questions"]
            assert {key: questions[key]["points"] for key in FULL} == FULL | {"rows.mean": fair}
