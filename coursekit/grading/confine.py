"""What a process of the worker gives up before it runs an answer."""

import ctypes
import os
import resource
import signal
import sys

from coursekit.grading import seccomp

DEATH_SIGNAL, DUMPABLE = 1, 4  # of prctl(2)
OPEN_FILES = 64


def guard_process() -> None:
    """Die with the parent, and hide memory and files from other processes of the same user."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        libc.prctl(DUMPABLE, 0, 0, 0, 0)


def confine(memory: int, seconds: int, disk: int) -> None:
    """Take limits and the filter of system calls, for good.

    Args:
        memory: bytes beyond what the process has.
        seconds: of processor time.
        disk: bytes of one file.
    """
    os.setsid()
    guard_process()
    limits = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: disk,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":
        limits[resource.RLIMIT_AS] = _address_space() + memory
    for kind, most in limits.items():
        allowed = resource.getrlimit(kind)[1]
        most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(kind, (most, most))
    if seccomp.supported():
        seccomp.install()


def _address_space() -> int:
    """Bytes that this process has mapped."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
