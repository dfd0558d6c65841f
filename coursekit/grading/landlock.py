"""Landlock, by which a process gives up all files but those it names; see landlock(7)."""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable

CREATE, ADD, RESTRICT = 444, 445, 446  # system calls, the same on every machine
VERSION, BENEATH = 1, 1  # flag of CREATE, kind of rule
NO_NEW_PRIVS = 38  # of prctl(2)
EXECUTE, READ_FILE, READ_DIR = 1 << 0, 1 << 2, 1 << 3
# Rights known to the versions of the interface: 13 at first, then refer, truncate, (none), ioctl
RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
FILE_RIGHTS = EXECUTE | 1 << 1 | READ_FILE | 1 << 14 | 1 << 15  # which can be given for a file


def version() -> int:
    """The kernel's version of the interface; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(_libc().syscall(CREATE, None, ctypes.c_size_t(0), VERSION), 0)


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Give up all files of the system but these, for this process and those it starts, for good.

    Args:
        readable: folders and files that stay readable; those that don't exist are passed over.
        writable: the same for reading and writing.

    Raises:
        OSError: the kernel refuses, or has no Landlock.
    """
    known = version()
    every = (1 << RIGHTS[min(known, max(RIGHTS))]) - 1 if known else 0
    attributes = ctypes.create_string_buffer(struct.pack("<Q", every), 8)
    rules = _checked(_libc().syscall(CREATE, attributes, ctypes.c_size_t(8), 0))
    try:
        for paths, rights in ((readable, EXECUTE | READ_FILE | READ_DIR), (writable, every & ~EXECUTE)):
            for path in filter(os.path.exists, paths):
                _allow(rules, path, rights)
        _checked(_libc().prctl(NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(_libc().syscall(RESTRICT, rules, 0))
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    rights &= -1 if os.path.isdir(path) else FILE_RIGHTS
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        attributes = ctypes.create_string_buffer(struct.pack("<Qi", rights, place), 12)
        _checked(_libc().syscall(ADD, rules, BENEATH, attributes, 0))
    finally:
        os.close(place)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "The kernel refuses Landlock")
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
