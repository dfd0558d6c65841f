"""Two pipes to a process that is not trusted: every read and write has a deadline, and no end of a wait."""

import contextlib
import os
import select
import subprocess
import time

from coursekit.grading.frames import CHUNK


class Line:
    """The stdin and stdout of a process.

    Args:
        process: started with pipes for both.
        most: bytes that may wait to be read.
    """

    def __init__(self, process: subprocess.Popen, most: int):
        self.to, self.of, self.most = process.stdin.fileno(), process.stdout.fileno(), most
        self.came = bytearray()
        os.set_blocking(self.to, False)
        os.set_blocking(self.of, False)

    def write(self, data: bytes, deadline: float) -> None:
        """Write all of it before a deadline on the clock of `time.monotonic`.

        Raises:
            TimeoutError: the other side did not take it in time.
            EOFError: the other side is gone.
        """
        rest = memoryview(data)
        while rest:
            readable, writable = self._wait([self.to], deadline)
            if readable:
                self._take()
            if writable:
                try:
                    rest = rest[os.write(self.to, rest) :]
                except BrokenPipeError as error:
                    raise EOFError("The process is gone.") from error

    def read(self, count: int, deadline: float) -> bytes:
        """So many bytes; raises as `write` does."""
        while len(self.came) < count:
            self._wait([], deadline)
            self._take()
        return take(self.came, count)

    def peek(self) -> bytes:
        """What has come by now, without taking it; raises EOFError as `read` does."""
        while len(self.came) < self.most and select.select([self.of], [], [], 0)[0]:
            self._take()
        return bytes(self.came)

    def _wait(self, writing: list[int], deadline: float) -> tuple[list[int], list[int]]:
        reading = [self.of] if len(self.came) < self.most else []
        patience = deadline - time.monotonic()
        if patience > 0:
            readable, writable, _ = select.select(reading, writing, [], patience)
            if readable or writable:
                return readable, writable
        raise TimeoutError("The process did not answer in time.")

    def _take(self) -> None:
        data = os.read(self.of, CHUNK)
        if not data:
            raise EOFError("The process is gone.")
        self.came += data


def take(buffer: bytearray, count: int) -> bytes:
    """So many bytes off the start of a buffer."""
    data = bytes(buffer[:count])
    del buffer[:count]
    return data


def drain(line: Line, deadline: float) -> None:
    """Read until nobody is left who could write; raises TimeoutError as `Line.read` does."""
    with contextlib.suppress(EOFError):
        while True:
            line.read(1, deadline)
            line.came.clear()
