"""Docker and Podman, where bubblewrap is missing. They take an image that holds Python and coursekit."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from coursekit.grading.limits import MEBIBYTE, Limits
from coursekit.grading.sandbox import NOBODY, WORKER, Sandbox, environment

IMAGE = "dgm-coursekit"
LIBRARIES = 1024 * MEBIBYTE  # for Python and what the prelude imports, beyond the limit for answers


@dataclass(frozen=True)
class Engine(Sandbox):
    """One container for each worker, without network, files or rights.

    Args:
        image: its name; `docker build` makes it, nothing is downloaded.
    """

    image: str = IMAGE

    def command(self, limits: Limits, label: str) -> list[str]:
        """See `Sandbox`."""
        memory = str(limits.memory + limits.disk + LIBRARIES)
        options = {
            "name": label,
            "network": "none",
            "ipc": "none",
            "hostname": "sandbox",
            "user": f"{NOBODY}:{NOBODY}",
            "cap-drop": "ALL",
            "security-opt": "no-new-privileges",
            "pids-limit": str(limits.threads + 16),
            "memory": memory,
            "memory-swap": memory,
            "cpus": "1",
            "tmpfs": f"{self.folder}:rw,noexec,nosuid,nodev,size={limits.disk},mode=1777",
            "workdir": self.folder,
            "log-driver": "none",
            "pull": "never",
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        inside = environment(self.folder)
        flags += [f"--env={key}={value}" for key, value in inside.items() if key not in HOST]
        fixed = ["--rm", "--interactive", "--read-only"]
        return [self.name, "run", *fixed, *flags, self.image, "python", *WORKER]

    def missing(self) -> str:
        """See `Sandbox`."""
        if not shutil.which(self.name):
            return f"{self.name} is not installed."
        question = [self.name, "image", "inspect", self.image]
        answer = subprocess.run(question, capture_output=True, text=True, timeout=60)
        if answer.returncode == 0:
            return ""
        said = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        return f"{self.name} has no image {self.image!r}, or does not run: {said}"

    def environment(self) -> dict[str, str]:
        """That of the grader, by which the client finds its service. The container gets its own."""
        return dict(os.environ)

    def exposed(self, paths: Iterable[Path]) -> list[Path]:
        """See `Sandbox`. The container has none of this machine's files."""
        return []

    def stop(self, process: subprocess.Popen, label: str) -> None:
        """See `Sandbox`. The command is only a client, so the container is killed by its name."""
        subprocess.run([self.name, "kill", label], capture_output=True, timeout=60)
        super().stop(process, label)


HOST = ("PATH", "PYTHONPATH")  # the image has its own


@dataclass(frozen=True)
class Docker(Engine):
    """See `Engine`."""

    name = "docker"


@dataclass(frozen=True)
class Podman(Engine):
    """See `Engine`."""

    name = "podman"
