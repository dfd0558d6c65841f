"""The tests of a master in the format of Otter-Grader, and `otter run`, to be timed beside ours.

Otter runs the whole notebook and the tests in one process without a sandbox. The notebooks compared hold the
prelude and the answers alone, so both graders run the same code and put the same checks to it.
"""

import json
import os
import re
import subprocess
import zipfile
from pathlib import Path

from coursekit.grading.exercise import Exercise, Question
from coursekit.grading.trial import Trial

OTTER = Path(".venv/otter/bin/otter")
CASES = """
import functools

import numpy as np
from otter.test_files import test_case

OK_FORMAT = False
name = {key!r}
points = {points}


def same(value, expected, tolerance):
    if isinstance(expected, (tuple, list)):
        return len(value) == len(expected) and all(same(v, e, tolerance) for v, e in zip(value, expected))
    value, expected = (np.asarray(x.detach() if hasattr(x, "detach") else x) for x in (value, expected))
    if expected.dtype.kind not in "fc":
        return value.shape == expected.shape and bool((value == expected).all())
    single = expected.dtype == np.float32
    rtol, atol = (1e-4, 1e-5) if single else (1e-7, 1e-9)
    rtol, atol = (0, tolerance) if tolerance else (rtol, atol)
    return value.shape == expected.shape and np.allclose(value, expected, rtol, atol)


def kept(function):
    def call(*args, **keywords):
        try:
            return function(*args, **keywords)
        except Exception:
            return None

    return call


def passed(which, function):
    found = []
    try:
        for _, value, expected, *tolerance in which(kept(function)):
            try:
                found.append(same(value, expected, tolerance[0] if tolerance else None))
            except Exception:
                found.append(False)
    except Exception:
        pass
    return found


@functools.lru_cache
def outcomes(which, function):
    return passed({{"public": public, "hidden": hidden}}[which], function)

"""
CASE = """
@test_case(hidden={hidden})
def case_{i}(env):
    assert outcomes({which!r}, env[{target!r}])[{position}]
"""


def autograder(exercise: Exercise, path: Path) -> Path:
    """Write the zip that `otter run --autograder` takes; returns its path."""
    trial = Trial(exercise)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("otter_config.json", json.dumps({"print_summary": False, "print_score": False}))
        for i, question in enumerate(exercise.questions.values()):
            if question.kind == "code":
                archive.writestr(f"tests/q{i}.py", _tests(exercise, question, trial))
    return path


def _tests(exercise: Exercise, question: Question, trial: Trial) -> str:
    """A test file with a case for each check of a question."""
    head = CASES.format(key=question.key, points=question.points)
    checks = [check.which for check in trial.run(question, trial.target(question, question.answer), 0)]
    cases = [
        CASE.format(
            i=i,
            which=which,
            hidden=which == "hidden",
            target=question.target,
            position=checks[:i].count(which),
        )
        for i, which in enumerate(checks)
    ]
    return "\n\n".join([exercise.prelude, question.public, question.hidden, head, *cases])


def run(notebook: Path, autograder: Path, out: Path) -> subprocess.Popen:
    """Start `otter run` on one notebook; it writes out/results.json."""
    out.mkdir(parents=True, exist_ok=True)
    options = ["--autograder", str(autograder), "--output-dir", str(out), "--no-logo"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([str(OTTER), "run", str(notebook), *options], env=environment, **quiet)


def version() -> str:
    """Of the grader."""
    said = subprocess.run([str(OTTER), "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"Otter-Grader version: (\S+)", said)[1]


def score(out: Path) -> float:
    """Points in results.json."""
    found = json.loads((out / "results.json").read_text())
    return round(sum(test.get("score", 0.0) for test in found["tests"]), 2)
