"""Docker and Podman: the exact command, and a container that is killed by its name."""

import os
import sys
from pathlib import Path

from coursekit.grading.engine import Docker, Podman
from coursekit.grading.limits import MEBIBYTE, Limits
from coursekit.grading.remote import Worker
from coursekit.grading.sandbox import environment
from tests.grading.boxes import SMALL

ROOT = Path(__file__).parents[2]
LIMITS = Limits(memory=100 * MEBIBYTE, disk=10 * MEBIBYTE, threads=4)
COMMAND = """
docker run --rm --interactive --read-only --name=coursekit-1 --network=none --ipc=none --hostname=sandbox
--user=65534:65534 --cap-drop=ALL --security-opt=no-new-privileges --pids-limit=20
--memory=1189085184 --memory-swap=1189085184 --cpus=1
--tmpfs=/sandbox:rw,noexec,nosuid,nodev,size=10485760,mode=1777 --workdir=/sandbox
--log-driver=none --pull=never dgm-coursekit python -P -B -m coursekit.grading.worker
"""


def test_docker_gets_this_command():
    command = Docker().command(LIMITS, "coursekit-1")
    variables = [word for word in command if word.startswith("--env=")]
    assert [word for word in command if word not in variables] == COMMAND.split()
    assert {word.split("=")[1] for word in variables} == {*environment("/sandbox")} - {"PATH", "PYTHONPATH"}


def test_podman_gets_the_same_command_and_any_image():
    docker, podman = Docker().command(LIMITS, "a"), Podman(image="mine").command(LIMITS, "a")
    assert [(a, b) for a, b in zip(docker, podman, strict=True) if a != b] == [
        ("docker", "podman"),
        ("dgm-coursekit", "mine"),
    ]


def test_a_container_has_none_of_this_machines_files():
    assert Docker().exposed([ROOT, Path(sys.prefix)]) == []


ENGINE = """#!/usr/bin/env python3
import os, sys
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "run":
    at = sys.argv.index("dgm-coursekit")
    inside = dict(word[6:].split("=", 1) for word in sys.argv if word.startswith("--env="))
    os.execve({python!r}, [{python!r}, *sys.argv[at + 2:]], inside | {{"PYTHONPATH": {root!r}}})
"""


def test_an_engine_grades_and_its_container_is_killed_by_name(tmp_path, monkeypatch):
    """With a stand-in for the engine that runs the command in no container."""

    class Stand(Docker):
        folder = str(tmp_path / "sandbox")

    (tmp_path / "sandbox").mkdir()
    engine = tmp_path / "docker"
    engine.write_text(ENGINE.format(log=str(tmp_path / "log"), python=sys.executable, root=str(ROOT)))
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with Worker(Stand(), "", SMALL) as worker, worker.session() as session:
        assert session.run("def two():\n    return 2", "a", 5) is None
        assert session.call("two", [], {}, 5) == 2
        label = worker.label
    assert Stand().missing() == ""
    lines = (tmp_path / "log").read_text().splitlines()
    assert f"--name={label}" in lines[0]
    assert lines[1:] == [f"kill {label}", "image inspect dgm-coursekit"]
