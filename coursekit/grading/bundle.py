"""The autograder zip that Gradescope takes: two scripts, the package, its requirements and the master."""

import importlib.metadata
import re
import zipfile
from pathlib import Path

from coursekit.grading.exercise import read
from coursekit.grading.sandbox import PACKAGE

DISTRIBUTION = "dgm-coursekit"
READING = ("jupytext",)  # of the extra [grade], what reading a master takes
CLOCK = (1980, 1, 1, 0, 0, 0)  # the same master and package make the same zip

SETUP = """#!/usr/bin/env bash
# Runs once, when Gradescope makes the image: Python, what the package requires, and the package.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
cd "${AUTOGRADER:-/autograder}"
apt-get update
for python in python3.13 python3.12 python3.11; do
    if apt-get install -y "$python" "$python-venv"; then break; fi
done
"$python" -m venv venv
venv/bin/pip install --no-cache-dir -r source/requirements.txt
cp -r source/coursekit "$(venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
"""

RUN = """#!/usr/bin/env bash
# Runs for each submission, as root. The answers run as another user, who must not look into these folders.
set -euo pipefail
cd "${{AUTOGRADER:-/autograder}}"
chmod 700 source submission results
exec venv/bin/python -c 'from coursekit.cli import app; app()' \\
    grade submission --exercise 'source/{name}.md' --out results --gradescope --sandbox container
"""


def write(master: Path, path: Path) -> Path:
    """Write the autograder of an exercise; returns the path of the zip.

    Raises:
        ValueError: the master can't be read.
    """
    exercise = read(master)
    if not re.fullmatch(r"[\w.-]+", exercise.name):
        raise ValueError(f"{master}: an exercise's name has letters, digits, '.', '-' and '_' only.")
    files = {
        "setup.sh": SETUP,
        "run_autograder": RUN.format(name=exercise.name),
        "requirements.txt": "".join(f"{line}\n" for line in requirements()),
        f"{exercise.name}.md": master.read_text(encoding="utf-8"),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            _add(archive, name, text.encode(), 0o644 if "." in name and name != "setup.sh" else 0o755)
        for source in sorted(PACKAGE.rglob("*")):
            inside = source.relative_to(PACKAGE.parent)
            if source.is_file() and "__pycache__" not in inside.parts:
                _add(archive, inside.as_posix(), source.read_bytes(), 0o644)
    return path


def requirements() -> list[str]:
    """What the package needs to grade, in the versions that are installed here."""
    found = []
    for line in importlib.metadata.requires(DISTRIBUTION) or []:
        name = re.match(r"[\w.-]+", line)[0]
        if "extra ==" not in line or (name in READING and "grade" in line):
            version = importlib.metadata.version(name).split("+")[0]  # a build for one machine is no version
            found.append(f"{name}=={version}")
    return sorted(set(found))


def _add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    info = zipfile.ZipInfo(name, CLOCK)
    info.external_attr = (0o100000 | mode) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)
