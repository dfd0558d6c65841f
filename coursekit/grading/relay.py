"""Carries bytes between the grader and the process of the answers, so that this can always be ended."""

import os
import select
import signal
from dataclasses import dataclass, field
from pathlib import Path

from coursekit.grading import frames

WATCH = 0.05  # seconds between two looks at what the answers use
MOST_FILES = 10_000  # that answers may make


@dataclass
class Relay:
    """Four ends of pipes.

    Attributes:
        grader_in, grader_out: to and from the grader; what is written to it stands in frames.
        answers_in, answers_out: what the answers' process reads and writes.
        answers: its process id.
        threads: it is killed if it has more.
        folder: where it may write files, a file system of its own, or "".
    """

    grader_in: int
    grader_out: int
    answers_in: int
    answers_out: int
    answers: int
    threads: int
    folder: str
    waiting: bytearray = field(default_factory=bytearray)

    def run(self) -> None:
        """Carry until the grader says it is over, or is gone."""
        os.set_blocking(self.answers_in, False)
        most = files(self.folder) + MOST_FILES
        reading = [self.grader_in, self.answers_out]
        while True:
            writing = [self.answers_in] if self.waiting else []
            readable, writable, _ = select.select(reading, writing, [], WATCH)
            if threads(self.answers) > self.threads or files(self.folder) > most:
                os.kill(self.answers, signal.SIGKILL)
            if writable:
                self._write()
            if self.answers_out in readable and not self._read():
                reading.remove(self.answers_out)
            if self.grader_in in readable and not self._accept():
                return

    def _accept(self) -> bool:
        """Take a frame from the grader; False if it is over."""
        kind, payload = frames.read_frame(self.grader_in)
        self.waiting += payload
        return kind == frames.DATA

    def _read(self) -> bool:
        """Pass on what the answers wrote; False if their pipe is closed."""
        chunk = os.read(self.answers_out, frames.CHUNK)
        frames.write_frame(self.grader_out, frames.DATA if chunk else frames.GONE, chunk)
        return bool(chunk)

    def _write(self) -> None:
        """Pass on what waits; a process that closed its pipe loses it."""
        try:
            del self.waiting[: os.write(self.answers_in, self.waiting[: frames.CHUNK])]
        except BrokenPipeError:
            self.waiting.clear()


def threads(process: int) -> int:
    """How many a process has; 0 if it has ended, or the system does not tell."""
    try:
        return Path(f"/proc/{process}/task").stat().st_nlink - 2
    except FileNotFoundError:
        return 0


def files(folder: str) -> int:
    """How many there are on a folder's file system; 0 if there is no folder."""
    if not folder:
        return 0
    room = os.statvfs(folder)
    return room.f_files - room.f_ffree
