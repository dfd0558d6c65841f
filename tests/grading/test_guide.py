"""The instructor's guide does what it says: its commands are run as they stand, one after the other."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.students import classroom
from coursebook.grading import table
from coursekit.grading.exercise import read
from coursekit.grading.tables import read_table
from tests.grading.handed_in import zipped

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "book" / "instructors.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.M | re.S)
BLOCKS = BLOCK.findall(GUIDE)
MASTERS = ("01-generative-models", "03-vae")
"""The exercise that the guide names, and another; tests of their own hold every master to the same."""
STUBS = {
    "git": 'test "$1 $#" = "clone 2" && cp -r "$CLONE" "$(basename "$2")"',
    "make": 'test "$*" = setup && ln -s "$ENVIRONMENT" .venv',
}
"""Stand for the network: the clone is of the project as it is here, its environment is this one."""
ROSTER = "id,name,submitted\nstudent0001,Ann,2026-03-01 12:00\nstudent0002,Bo,2026-03-03 12:00\nlate,Cy,\n"


def clone(folder: Path) -> Path:
    """What a clone has, if of fewer exercises, and what one has collected."""
    (folder / "solutions").mkdir(parents=True)
    for name in MASTERS:
        shutil.copy(ROOT / "solutions" / f"{name}.md", folder / "solutions")
    shutil.copy(ROOT / "_config.yml", folder)
    students = classroom(read(ROOT / "solutions" / "03-vae.md"), 4, hostile=False)
    files = {f"{one.name}.ipynb": one.content for one in students}
    (folder / "submissions.zip").write_bytes(zipped(files))
    (folder / "roster.csv").write_text(ROSTER)
    return folder


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """The folder of the clone after all commands of the guide."""
    folder = tmp_path_factory.mktemp("instructor")
    for name in ("bin", "work"):
        (folder / name).mkdir()
    for name, command in STUBS.items():
        (folder / "bin" / name).write_text(f"#!/usr/bin/env bash\n{command}\n")
        (folder / "bin" / name).chmod(0o755)
    facts = {"CLONE": str(clone(folder / "project")), "ENVIRONMENT": sys.prefix}
    facts["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
    script = "\n".join(["set -euxo pipefail", *BLOCKS])
    with (folder / "log.txt").open("wb") as log:
        output = {"cwd": folder / "work", "env": os.environ | facts, "stdout": log, "stderr": log}
        done = subprocess.run(["bash", "-c", script], **output)
    assert done.returncode == 0, (folder / "log.txt").read_text()[-5000:]
    return folder / "work" / "dgm-course"


def test_the_guide_shows_every_way(course):
    """Each way has its command; a way without one could be wrong for years."""
    for words in (
        "exercises build",
        "validate",
        "--roster",
        "--due",
        "--canvas-column",
        "bundle",
        "--scheduler",
    ):
        assert any(words in block for block in BLOCKS), words


def test_the_stubs_stand_for_commands_that_there_are():
    """The address is that of the project, and `make setup` is in the Makefile."""
    config = (ROOT / "_config.yml").read_text()
    assert re.search(r"git clone (\S+)", GUIDE)[1] in config
    assert re.search(r"^setup:", (ROOT / "Makefile").read_text(), re.M)


def test_no_command_stands_outside_the_blocks_that_are_run():
    """Other shells' fences would not be run."""
    assert not re.findall(r"^```(?:sh|shell|console)", GUIDE, re.M)


def test_the_exercises_were_built(course):
    """One notebook for each master."""
    names = {path.stem for path in (course / "exercises").glob("*.ipynb")}
    assert names == set(MASTERS)


def test_the_grades_are_there_as_the_guide_says(course):
    """Every file of its table."""
    for name in re.findall(r"^\| `([\w.-]+/?)`", GUIDE, re.M):
        assert (course / "grades" / name).exists(), name
    rows = {row["student"]: row for row in read_table(course / "grades" / "gradebook.csv")}
    assert list(rows) == ["student0001", "student0002", "late", "student0000", "student0003"]
    assert rows["late"]["status"] == "no submission"


def test_late_submissions_lost_what_the_guide_says(course):
    """A tenth for each day begun: two days in this class."""
    row = next(
        row for row in read_table(course / "grades" / "gradebook.csv") if row["student"] == "student0002"
    )
    assert row["days_late"] == "2"
    assert float(row["lost"]) == pytest.approx(0.2 * float(row["reached"]), abs=0.01)


def test_the_cluster_came_to_the_same_grades(course):
    """Before the late policy, which that command does not have."""
    alone, cluster = (
        {row["student"]: row["reached"] for row in read_table(course / name / "gradebook.csv")}
        for name in ("grades", "grades-by-cluster")
    )
    assert cluster.items() <= alone.items()
    assert len(cluster) == 4


def test_the_cluster_is_gone(course):
    """The guide ends what it started."""
    end = time.monotonic() + 120
    while any("28786" in " ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])):
        assert time.monotonic() < end
        time.sleep(0.2)


def test_the_autograder_is_there(course):
    """Ready for an upload."""
    assert (course / "03-vae-autograder.zip").stat().st_size > 10_000


def test_reasons_that_the_guide_names_exist():
    """A reader looks them up in the gradebook."""
    source = "".join(path.read_text() for path in (ROOT / "coursekit" / "grading").glob("*.py"))
    listed = re.search(r"a reason that has a name: (.*?)\. A notebook", GUIDE, re.S)[1]
    reasons = re.findall(r"`([^`]+)`", listed)
    assert len(reasons) >= 6
    assert all(f'"{reason}"' in source for reason in [*reasons, "grader failed"])


def test_the_table_of_throughput_is_made_from_the_result_file():
    """No measured number is typed into the page."""
    result = {
        "date": "2026-03-01",
        "hardware": "a machine",
        "settings": {"processes": 2, "kill_every": 20.0},
        "exercises": {
            "x": {
                "title": "X",
                "under_fire": {"submissions": 1000, "kills": 7, "lost": 0},
                "side_by_side": {
                    "ours": {"submissions": 1000, "per_second": 9.5},
                    "otter": {"per_second": 0.3},
                    "ratio": 31.7,
                },
            },
            "y": {
                "title": "Y",
                "side_by_side": {
                    "ours": {"submissions": 200, "per_second": 4.5},
                    "otter": {"per_second": 0.1},
                    "ratio": 45.0,
                },
            },
        },
    }
    lines = table(result)
    assert lines[2] == "| X | 1000 | 7 | 0 | 9.5 | 0.3 | 31.7 |"
    assert lines[3] == "| Y | 200 | none |  | 4.5 | 0.1 | 45.0 |"
    assert "every 20 s" in lines[-1]
