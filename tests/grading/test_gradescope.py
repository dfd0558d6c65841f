"""The autograder for Gradescope: its zip, its scripts, and what it says of a submission."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.grading import bundle
from coursekit.grading.gradescope import for_instructors, results
from tests.grading.graded import EXERCISE, LITTLE, OPEN, SCALE, SQUARE, WHY, check, grade, question
from tests.grading.test_grade_command import solved

TEST_FIELDS = {"score", "max_score", "status", "name", "number", "output", "output_format", "visibility"}


def test_the_format_is_gradescopes():
    """Fields and values as its specification has them; a question graded by hand has no score."""
    failed = check("one row", kind="value", text="3 came, 4 was expected")
    answers = question(SQUARE, 1.0, check("a column"), failed), question(SCALE, 3.0)
    found = results(grade("lee", *answers, question(OPEN), question(WHY)))
    assert found["score"] == 4.0
    assert found["stdout_visibility"] == "hidden"
    assert all(set(test) <= TEST_FIELDS for test in found["tests"])
    scores = [
        (test["name"], test.get("score"), test.get("max_score"), test.get("status"))
        for test in found["tests"]
    ]
    assert scores == [
        (SQUARE, 1.0, 2, "failed"),
        (SCALE, 3.0, 3, "passed"),
        (OPEN, None, None, None),
        (WHY, None, None, None),
    ]
    assert "3 came, 4 was expected" in found["tests"][0]["output"]


def test_nothing_is_hidden_and_nothing_hidden_is_told():
    """A hidden test would hide the whole score; a told one would be known to everybody by night."""
    secret = check("SECRET name", "hidden", "value", "SECRET input")
    found = results(grade("lee", question(SQUARE, 1.0, check("a column"), secret)))
    assert {test["visibility"] for test in found["tests"]} == {"visible"}
    assert "SECRET" not in json.dumps(found)
    assert "0 of 1 passed" in found["tests"][0]["output"]


def test_the_instructor_reads_what_failed_in_the_hidden_tests():
    """Gradescope keeps the autograder's output from students."""
    secret = check("7 rows", "hidden", "value", "3 came, 4 was expected")
    answer = question(SQUARE, 1.0, check("a column"), secret, like="the other axis")
    lines = for_instructors(grade("lee", answer))
    assert lines == [
        f"{SQUARE}, hidden: 7 rows: 3 came, 4 was expected",
        f"{SQUARE} behaves like: the other axis",
    ]


def test_a_submission_that_can_not_be_graded_says_why():
    """A student who uploads a PDF can mend that before it is due."""
    found = results(grade("lee", status="not a notebook", notes=["lee.pdf is no .ipynb file."]))
    assert found["score"] == 0
    assert found["output"] == "Not graded: not a notebook.\nlee.pdf is no .ipynb file."


@pytest.fixture(scope="module")
def autograder() -> Iterator[Path]:
    """A machine as Gradescope sets it up: the bundle unpacked, and this environment for that of setup.sh."""
    with tempfile.TemporaryDirectory() as folder:  # those of pytest are closed to the answers' user
        Path(folder).chmod(0o755)
        yield set_up(Path(folder))


def set_up(root: Path) -> Path:
    zipped = root / "little.zip"
    result = CliRunner().invoke(app, ["exercises", "bundle", str(LITTLE), "--out", str(zipped)])
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(root / "source")
        for info in archive.infolist():
            (root / "source" / info.filename).chmod(info.external_attr >> 16 & 0o777)
    os.symlink(sys.prefix, root / "venv")
    return root


def open_python() -> list[str]:
    """In a container every user can read Python; where it lies in a closed home, open it for one command."""
    python = Path(sys.base_prefix).resolve()
    above = list(python.parents)[::-1]
    closed = [place for place, folder in enumerate(above) if not folder.stat().st_mode & 0o001]
    if not closed:
        return []
    folders = [word for folder in above[closed[0] + 1 :] for word in ("--perms", "755", "--dir", str(folder))]
    empty = ["bwrap", "--dev-bind", "/", "/", "--tmpfs", str(above[closed[0]]), *folders]
    return [*empty, "--ro-bind", str(python), str(python)]


def run(root: Path, files: dict[str, bytes], code: int = 0) -> dict:
    for folder in ("submission", "results"):
        (root / folder).mkdir(exist_ok=True)
        for path in (root / folder).iterdir():
            path.unlink()
    for name, content in files.items():
        (root / "submission" / name).write_bytes(content)
    command = [*open_python(), str(root / "source" / "run_autograder")]
    done = subprocess.run(command, env=os.environ | {"AUTOGRADER": str(root)}, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return json.loads((root / "results" / "results.json").read_text()) if code == 0 else {}


def test_the_script_grades_what_a_student_uploaded(autograder):
    """In the container's sandbox: two processes, another user, and the solutions closed to it."""
    found = run(autograder, {"my little homework.ipynb": solved()})
    assert found["score"] == 5.0
    assert (autograder / "source").stat().st_mode & 0o077 == 0


def test_the_script_names_what_is_no_notebook(autograder):
    """It is a score of zero with a reason, and no failure of the autograder."""
    assert "not a notebook" in run(autograder, {"homework.pdf": b"%PDF"})["output"]


def test_the_script_survives_an_attack_on_its_results(autograder):
    """The answer knows the paths: Gradescope publishes them."""
    path = autograder / "results" / "results.json"
    attack = f"try:\n    open({str(path)!r}, 'w').write('1e9')\nexcept OSError:\n    pass"
    answer = f"{EXERCISE.questions[SQUARE].answer}\n\n\n{attack}"
    assert run(autograder, {"little.ipynb": solved(little__square=answer)})["score"] == 5.0


def test_without_a_result_there_is_no_file(autograder):
    """Gradescope then tells the instructor; a zero would tell the student a lie."""
    run(autograder, {}, code=1)
    assert not (autograder / "results" / "results.json").exists()


def test_the_zip_has_what_gradescope_looks_for_at_its_root(autograder):
    """Two scripts that may be run, and the master beside them."""
    assert os.access(autograder / "source" / "setup.sh", os.X_OK)
    assert os.access(autograder / "source" / "run_autograder", os.X_OK)
    assert (autograder / "source" / "little.md").read_text() == LITTLE.read_text()
    assert (autograder / "source" / "coursekit" / "grading" / "worker.py").is_file()


def test_the_same_master_makes_the_same_zip(tmp_path):
    """So one can tell whether the autograder is the newest."""
    one, other = (bundle.write(LITTLE, tmp_path / name).read_bytes() for name in ("a.zip", "b.zip"))
    assert one == other


def test_the_requirements_are_what_the_package_needs_pinned():
    """The container grades with the versions that the instructor tried."""
    lines = bundle.requirements()
    assert f"torch=={torch.__version__.split('+')[0]}" in lines
    assert any(line.startswith("jupytext==") for line in lines)
    assert not any(line.startswith(("pytest", "jupyter-book", "dask")) for line in lines)


STUBS = """#!/usr/bin/env bash
echo "$(basename "$0") $*" >> "$LOG"
case "$*" in *3.13*|*3.12*) exit 1;; esac
if [ "$1 $2" = "-m venv" ]; then
    mkdir -p venv/bin venv/lib
    ln -s "$STUB" venv/bin/pip
    printf '#!/usr/bin/env bash\\necho "$PWD/venv/lib"\\n' > venv/bin/python
    chmod +x venv/bin/python
fi
"""


def test_the_set_up_takes_the_newest_python_there_is(autograder, tmp_path):
    """Images differ in their Python; the stubs stand for one that has 3.11 only."""
    stub = tmp_path / "stub"
    stub.write_text(STUBS)
    stub.chmod(0o755)
    for name in ("apt-get", "python3.11", "python3.12", "python3.13"):
        (tmp_path / name).symlink_to(stub)
    root = tmp_path / "autograder"
    root.mkdir()
    (root / "source").symlink_to(autograder / "source")
    facts = {"AUTOGRADER": str(root), "LOG": str(tmp_path / "log"), "STUB": str(stub)}
    environment = os.environ | facts | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([autograder / "source" / "setup.sh"], env=environment, check=True)
    log = (tmp_path / "log").read_text().splitlines()
    assert log[-2:] == ["python3.11 -m venv venv", "pip install --no-cache-dir -r source/requirements.txt"]
    assert (root / "venv" / "lib" / "coursekit" / "cli.py").is_file()
