"""The grader is killed again and again, at moments it can't choose; nothing of a class's work is lost."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.students import classroom
from coursekit.grading.exercise import read

MASTER = Path(__file__).parents[2] / "bench" / "numbers.md"
STUDENTS, KILLS = 100, 6


def start(folder: Path, name: str) -> subprocess.Popen:
    options = {"exercise": MASTER, "out": folder / name, "processes": 2}
    arguments = [str(folder / "in"), *(f"--{key}={value}" for key, value in options.items())]
    program = "from coursekit.cli import app; app()"
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", program, "grade", *arguments],
            stdout=log,
            stderr=log,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )


def finish(folder: Path, name: str) -> None:
    assert start(folder, name).wait(timeout=500) == 0, (folder / "log.txt").read_text()


def stored(folder: Path, name: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / name / "results").glob("*.json")}


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A class, graded once in peace, and once under fire."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "in").mkdir()
    for one in classroom(read(MASTER), STUDENTS, seed=3):
        (folder / "in" / f"{one.name}.ipynb").write_bytes(one.content)
    finish(folder, "peace")
    return folder


@pytest.fixture(scope="module")
def helpers() -> list[psutil.Process]:
    """The processes that killed graders had started."""
    return []


@pytest.fixture(scope="module")
def seen(course, helpers) -> list[dict[str, bytes]]:
    """The results that were there after each kill."""
    draw, after = random.Random(0), []
    for _ in range(KILLS):
        grader = start(course, "fire")
        wanted = len(stored(course, "fire")) + draw.randrange(7)
        patience = time.monotonic() + 120
        while len(stored(course, "fire")) < wanted and grader.poll() is None and time.monotonic() < patience:
            time.sleep(0.01)
        time.sleep(draw.uniform(0.0, 0.3))
        helpers += psutil.Process(grader.pid).children(recursive=True)
        grader.send_signal(signal.SIGKILL)
        grader.wait()
        after.append(stored(course, "fire"))
    finish(course, "fire")
    return after


def gradebook(course: Path, name: str) -> str:
    return (course / name / "gradebook.csv").read_text()


def test_the_kills_came_in_the_middle(seen):
    """Else this file would test nothing."""
    counts = [len(results) for results in seen]
    assert counts == sorted(counts)
    assert 0 < counts[-1] < STUDENTS
    assert len(set(counts)) > 2


def test_every_result_was_whole_at_every_moment(seen):
    """A reader never meets half a file."""
    for results in seen:
        for content in results.values():
            assert {"student", "job", "status", "score"} <= json.loads(content).keys()


def test_nothing_was_graded_twice(course, seen):
    """A result that was there before a kill is there at the end, to the byte, with its seconds."""
    last = stored(course, "fire")
    for results in seen:
        for name, content in results.items():
            assert last[name] == content, name


def test_none_is_lost_and_the_gradebook_is_that_of_an_undisturbed_run(course, seen):
    """The same students, reasons and points, in the same order."""
    assert len(stored(course, "fire")) == STUDENTS
    assert gradebook(course, "fire") == gradebook(course, "peace")


def test_every_student_gets_at_least_what_is_right(course, seen):
    """Broken and hostile neighbours, and kills, cost nobody a point."""
    for one in classroom(read(MASTER), STUDENTS, seed=3):
        result = json.loads(stored(course, "fire")[f"{one.name}.json"])
        assert result["score"] >= one.least, one.kind


def test_nothing_is_left_behind(course, seen, helpers):
    """Neither a file that was half written, nor a process of those that were killed."""
    assert not list(course.rglob("*.partial"))
    assert len(helpers) >= KILLS
    _, alive = psutil.wait_procs(helpers, timeout=20)
    assert alive == []
