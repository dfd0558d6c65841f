"""What every sandbox for student code is: a way of starting a worker, and of ending it."""

import os
import site
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from coursekit.grading.limits import Limits

NOBODY = 65534
PACKAGE = Path(__file__).parents[1]
WORKER = ("-P", "-B", "-m", "coursekit.grading.worker")  # arguments of Python
SYSTEM = ("bin", "lib", "lib32", "lib64", "libx32", "share")  # of /usr and /usr/local
ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime")


class SandboxError(RuntimeError):
    """No sandbox works, or a worker did not start or ended by itself: no fault of a submission."""


class Sandbox(ABC):
    """A way of starting a worker so that the code in it can do no harm.

    Attributes:
        name: by which it is chosen.
        folder: the worker's temporary folder, a small file system of its own; "" if it may write no files.
        by_itself: whether the worker has to give up files by itself, by Landlock.
        needs_filter: whether it is refused where system calls can't be filtered.
        advice: what to look at where it should work and does not.
    """

    name = ""
    folder = "/sandbox"
    by_itself = False
    needs_filter = True
    advice = ""

    @abstractmethod
    def command(self, limits: Limits, label: str) -> list[str]:
        """The command that starts a worker with these limits, under a label unique on this machine."""

    @abstractmethod
    def missing(self) -> str:
        """What this sandbox plainly lacks on this machine, and what helps; "" if nothing."""

    def start(self, limits: Limits, label: str, errors: IO[bytes]) -> subprocess.Popen:
        """Start a worker, with pipes for stdin and stdout, and nothing else of this process."""
        return subprocess.Popen(
            self.command(limits, label),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=self.environment(),
            start_new_session=True,
            cwd="/",
            bufsize=0,
            **self.identity(),
        )

    def environment(self) -> dict[str, str]:
        """The environment of the command."""
        return environment(self.folder)

    def identity(self) -> dict[str, Any]:
        """Arguments of Popen that change the user."""
        return {}

    def stop(self, process: subprocess.Popen, label: str) -> None:
        """Kill a worker and all that it started, and wait until it is gone."""
        process.kill()
        process.wait()

    def exposed(self, paths: Iterable[Path]) -> list[Path]:
        """Those of the paths that a worker could read."""
        roots = [Path(folder).resolve() for folder in readable()]
        return [p for p in paths if any(Path(p).resolve().is_relative_to(root) for root in roots)]


def readable() -> list[str]:
    """Files and folders that Python and the package need, and nothing else."""
    prefixes = {sys.prefix, sys.base_prefix, os.path.realpath(sys.base_prefix)}
    prefixes.add(str(Path(sys.executable).resolve().parents[1]))
    usual = {"/usr", "/usr/local"}  # of these not all: courses may lie in /usr/src
    folders = {f"{prefix}/{part}" for prefix in usual for part in SYSTEM} | (prefixes - usual)
    if site.ENABLE_USER_SITE:
        folders.add(site.getusersitepackages())
    return sorted(path for path in {*folders, *ETC, str(PACKAGE)} if os.path.exists(path))


def environment(folder: str) -> dict[str, str]:
    """The environment of a worker; nothing of this process's own. One thread: graders run side by side."""
    paths = [str(PACKAGE.parent), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    threads = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": folder or "/",
        "USER": "student",
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "agg",
        "CUDA_VISIBLE_DEVICES": "",
        "MALLOC_ARENA_MAX": "2",
        **({"TMPDIR": folder} if folder else {}),
        **{f"{library}_NUM_THREADS": "1" for library in threads},
    }
