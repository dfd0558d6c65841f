"""Questions to a session and their answers: each is checked, and comes in time or not at all."""

import secrets
import time
from typing import Any

from coursekit.grading import frames
from coursekit.grading.line import Line, take
from coursekit.grading.wire import PREFIX, ProtocolError, lengths, pack, unpack


class Channel:
    """The grader's end.

    Args:
        line: to the worker.
        most: bytes of an answer.
    """

    def __init__(self, line: Line, most: int):
        self.line, self.most = line, most
        self._came = bytearray()

    def ask(self, act: str, value: list[Any], seconds: float) -> Any:
        """The answer to a question.

        Args:
            act: "run" or "call", with its arguments as `value`.
            seconds: for asking and answering.

        Raises:
            TypeError: an argument can't be sent.
            TimeoutError: no answer in time.
            EOFError: the session has ended.
            ProtocolError: what came is no answer to this question.
        """
        identity = secrets.token_hex(16)
        question = pack({"id": identity, "op": act}, value)
        deadline = time.monotonic() + seconds
        self._send(question, deadline)
        header, body = lengths(self._receive(PREFIX.size, deadline), self.most)
        fields, answer = unpack(self._receive(header, deadline), self._receive(body, deadline))
        if fields != {"id": identity} or self._came:
            raise ProtocolError("it is not the answer to what was asked.")
        return answer

    def _send(self, data: bytes, deadline: float) -> None:
        unasked = self._came + self.line.peek()
        if unasked.startswith(frames.GONE):
            raise EOFError("The session has ended.")
        if unasked:
            raise ProtocolError("it spoke before it was asked.")
        for start in range(0, len(data), frames.CHUNK):
            part = data[start : start + frames.CHUNK]
            self.line.write(frames.FRAME.pack(frames.DATA, len(part)) + part, deadline)

    def _receive(self, count: int, deadline: float) -> bytes:
        while len(self._came) < count:
            kind, payload = _frame(self.line, deadline)
            if kind != frames.DATA:
                raise EOFError("The session has ended.")
            self._came += payload
        return take(self._came, count)


def end(line: Line, seconds: float) -> dict[str, Any]:
    """Have a session's process killed: "status", as by waitpid, and whether its folder is "clean".

    Raises:
        TimeoutError: the worker does not answer in time.
        EOFError: it is gone.
    """
    deadline = time.monotonic() + seconds
    line.write(frames.FRAME.pack(frames.END, 0), deadline)
    return expect(line, frames.END, deadline)


def expect(line: Line, expected: bytes, deadline: float) -> dict[str, Any]:
    """The value in the next frame of a kind that the worker itself sends; others are passed over.

    Raises:
        TimeoutError: it does not come before the deadline.
        EOFError: the worker is gone.
    """
    while True:
        kind, payload = _frame(line, deadline)
        if kind == expected:
            header, _ = PREFIX.unpack_from(payload)
            return unpack(payload[PREFIX.size : PREFIX.size + header], b"")[1]


def _frame(line: Line, deadline: float) -> tuple[bytes, bytes]:
    kind, length = frames.FRAME.unpack(line.read(frames.FRAME.size, deadline))
    return kind, line.read(length, deadline)
