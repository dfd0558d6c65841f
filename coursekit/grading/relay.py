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
    waiting: dict[int, bytearray] = field(default_factory=dict)  # for each end that is written to

    def run(self) -> None:
        """Carry until the grader says it is over, or is gone. No end that is full stops the watch."""
        for end in (self.answers_in, self.grader_out):
            os.set_blocking(end, False)
            self.waiting[end] = bytearray()
        most = files(self.folder) + MOST_FILES
        open_ended = going = True
        while going:
            reading = [self.grader_in]
            if open_ended and not self.waiting[self.grader_out]:
                reading.append(self.answers_out)
            writing = [end for end, data in self.waiting.items() if data]
            readable, writable, _ = select.select(reading, writing, [], WATCH)
            if threads(self.answers) > self.threads or files(self.folder) > most:
                os.kill(self.answers, signal.SIGKILL)
            for end in writable:
                self._write(end)
            if self.answers_out in readable:
                open_ended = self._read()
            if self.grader_in in readable:
                going = self._accept()
        os.set_blocking(self.grader_out, True)
        frames.write_all(self.grader_out, self.waiting[self.grader_out])  # no frame is left half sent

    def _accept(self) -> bool:
        """Take a frame from the grader; False if it is over."""
        kind, payload = frames.read_frame(self.grader_in)
        self.waiting[self.answers_in] += payload
        return kind == frames.DATA

    def _read(self) -> bool:
        """Pass on what the answers wrote; False if their pipe is closed."""
        chunk = os.read(self.answers_out, frames.CHUNK)
        head = frames.FRAME.pack(frames.DATA if chunk else frames.GONE, len(chunk))
        self.waiting[self.grader_out] += head + chunk
        return bool(chunk)

    def _write(self, end: int) -> None:
        """Pass on what waits for an end; a process that closed its pipe loses it."""
        data = self.waiting[end]
        try:
            del data[: os.write(end, data[: frames.CHUNK])]
        except BrokenPipeError:
            data.clear()


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
