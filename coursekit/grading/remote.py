"""A sandboxed worker, as the grader sees it: starts, gives sessions, starts again after a crash."""

import contextlib
import os
import secrets
import subprocess
import tempfile
import time
from typing import Any

from coursekit.grading import frames
from coursekit.grading.channel import Channel, expect
from coursekit.grading.limits import Limits
from coursekit.grading.line import Line, drain
from coursekit.grading.sandbox import Sandbox, SandboxError, readable
from coursekit.grading.session import ENDING, Session
from coursekit.grading.wire import pack

SYSTEM = ("/proc", "/dev/urandom", "/bin", "/lib", "/lib64")  # what Python reads, besides its own folders


class Worker(contextlib.AbstractContextManager):
    """A process in which the prelude has run. It starts with the first session, or after a crash.

    Args:
        sandbox: that starts it.
        prelude: the instructor's code.
        limits: of its sessions.
    """

    def __init__(self, sandbox: Sandbox, prelude: str, limits: Limits):
        self.sandbox, self.prelude, self.limits = sandbox, prelude, limits
        self.process: subprocess.Popen | None = None
        self.facts: dict[str, Any] = {}

    def __exit__(self, *_: object) -> None:
        self.close()

    def session(self) -> Session:
        """A fresh session; the one before has to be closed.

        Raises:
            SandboxError: the sandbox does not start, or the prelude fails in it.
        """
        if self.process is None or self.process.poll() is not None:
            self.close()
            self._start()
        try:
            self.line.write(frames.FRAME.pack(frames.START, 0), time.monotonic() + ENDING)
        except (OSError, EOFError) as error:
            self.close()
            raise SandboxError(f"The worker in {self.sandbox.name} ended by itself: {error}") from error
        return Session(Channel(self.line, self.limits.message), self.close)

    def close(self) -> None:
        """Kill the process and all that it started, and wait until they are gone."""
        if self.process is not None:
            self.sandbox.stop(self.process, self.label)
            self.process.stdin.close()
            with contextlib.suppress(TimeoutError):
                drain(self.line, time.monotonic() + ENDING)
            self.process.stdout.close()
            self.process = None

    def _start(self) -> None:
        self.label = f"coursekit-{secrets.token_hex(8)}"
        deadline = time.monotonic() + self.limits.start
        with tempfile.TemporaryFile() as errors:
            try:
                self.process = self.sandbox.start(self.limits, self.label, errors)
                self.line = Line(self.process, 2 * self.limits.message)
                self.line.write(settings(self.sandbox, self.prelude, self.limits), deadline)
                self.facts = expect(self.line, frames.READY, deadline)
            except (OSError, EOFError) as error:
                self.close()
                errors.seek(0)
                said = errors.read()[-2000:].decode(errors="replace").strip() or error
                raise SandboxError(f"{self.sandbox.name} does not start: {said}") from error
        if problem := unfit(self.facts, self.sandbox):
            self.close()
            raise SandboxError(problem)


def settings(sandbox: Sandbox, prelude: str, limits: Limits) -> bytes:
    """The first frame to a worker."""
    value = {
        "prelude": prelude,
        "folder": sandbox.folder,
        "landlock": sandbox.by_itself,
        "readable": [*SYSTEM, *readable()],
        "memory": limits.memory,
        "seconds": int(limits.submission) + 1,
        "disk": limits.disk if sandbox.folder else 0,
        "threads": limits.threads,
        "message": limits.message,
    }
    payload = pack({}, value)
    return frames.FRAME.pack(frames.SETTINGS, len(payload)) + payload


def unfit(facts: dict[str, Any], sandbox: Sandbox) -> str:
    """Why a worker must not be used, from what it said before any answer ran; "" if it may."""
    if facts["problem"] is not None:
        return f"The prelude fails in {sandbox.name}: {facts['problem']}"
    if not sandbox.needs_filter:
        return ""
    if not facts["filter"]:
        return f"{sandbox.name}: system calls can't be filtered on this machine."
    if sandbox.by_itself and not facts["landlock"] and facts["user"] == os.getuid():
        return f"{sandbox.name}: neither another user nor Landlock keeps answers from the grader's files."
    return ""
