"""Frames on the pipes between the grader and the sandbox: a letter, a length, and so many bytes."""

import os
import struct

FRAME = struct.Struct("<cI")
SETTINGS = b"P"  # to the worker, once: the prelude and the limits
READY = b"H"  # from the worker: the prelude ran, or why it did not
START = b"S"  # to the worker: fork a session
DATA = b"D"  # either way: bytes from or for the session
GONE = b"X"  # from the worker: the session has closed its pipe
END = b"E"  # to the worker: kill the session; from the worker: it is dead, and how it died
CHUNK = 65_536


def read_exactly(file: int, count: int) -> bytes:
    """So many bytes of a file descriptor; b"" if it ends before."""
    parts = bytearray()
    while len(parts) < count:
        part = os.read(file, min(count - len(parts), 2**20))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def read_frame(file: int) -> tuple[bytes, bytes]:
    """Kind and payload; (b"", b"") if the file ends."""
    head = read_exactly(file, FRAME.size)
    if not head:
        return b"", b""
    kind, length = FRAME.unpack(head)
    return kind, read_exactly(file, length)


def write_all(file: int, data: bytes) -> None:
    """Write all of it, however long it takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def write_frame(file: int, kind: bytes, payload: bytes = b"") -> None:
    """Write one frame."""
    write_all(file, FRAME.pack(kind, len(payload)) + payload)
