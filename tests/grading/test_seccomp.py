"""The filter of system calls, run by hand for both machines, and by the kernel for this one."""

import errno
import subprocess
import sys

import pytest

from coursekit.grading.seccomp import (
    ALLOW,
    ANY_BIT,
    AT_LEAST,
    DENIED,
    EQUAL,
    KILL,
    LOAD,
    MACHINES,
    OWN_ONLY,
    REFUSED,
    RETURN,
    UNKNOWN,
    program,
)

PID = 4711
NAMES = {"x86_64": 0, "aarch64": 1}
CALLS = {  # what libraries need: numbers on x86_64 and aarch64
    "read": (0, 63),
    "write": (1, 64),
    "openat": (257, 56),
    "mmap": (9, 222),
    "futex": (202, 98),
    "exit_group": (231, 94),
    "getrandom": (318, 278),
}


def decide(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the filter returns, by a machine of nine lines for its five instructions."""
    data = {0: number, 4: MACHINES[machine] if architecture is None else architecture}
    data |= {16 + 8 * place: value for place, value in enumerate(arguments)}
    steps, at, register = program(machine, PID), 0, 0
    while True:
        code, yes, no, constant = steps[at]
        at += 1
        if code == RETURN:
            return constant
        if code == LOAD:
            register = data.get(constant, 0)
        else:
            tests = {
                EQUAL: register == constant,
                AT_LEAST: register >= constant,
                ANY_BIT: register & constant,
            }
            at += yes if tests[code] else no


def numbers(table: str, machine: str) -> dict[str, int]:
    """Name -> number on a machine."""
    words = table.split()
    column = words[1 + NAMES[machine] :: 3]
    return {name: int(number) for name, number in zip(words[::3], column, strict=True) if number != "-"}


@pytest.mark.parametrize("machine", MACHINES)
def test_what_must_not_be_called_is_refused_and_the_rest_is_not(machine):
    for name, number in numbers(DENIED, machine).items():
        assert decide(machine, number) == REFUSED, name
    for name, number in CALLS.items():
        assert decide(machine, number[NAMES[machine]]) == ALLOW, name


@pytest.mark.parametrize("machine", MACHINES)
def test_threads_are_allowed_and_processes_are_not(machine):
    clone = {"x86_64": 56, "aarch64": 220}[machine]
    assert decide(machine, clone, 0x003D0F00) == ALLOW  # as for a thread
    assert decide(machine, clone, 17) == REFUSED  # as for fork
    assert decide(machine, 435) == UNKNOWN  # whose arguments a filter can't see


@pytest.mark.parametrize("machine", MACHINES)
def test_a_process_reaches_itself_alone(machine):
    for name, number in numbers(OWN_ONLY, machine).items():
        assert decide(machine, number, PID) == ALLOW, name
        for other in (1, PID + 1, 2**32 - 1):
            assert decide(machine, number, other) == REFUSED, name


@pytest.mark.parametrize("machine", MACHINES)
def test_another_set_of_numbers_is_no_way_round(machine):
    assert decide(machine, 0, architecture=0x40000003) == KILL  # 32-bit x86
    if machine == "x86_64":
        assert decide(machine, 0x40000000 + 57) == REFUSED


@pytest.mark.parametrize("machine", MACHINES)
def test_signals_by_way_of_files_typing_into_terminals_and_flags_of_files_are_refused(machine):
    fcntl, ioctl = {"x86_64": (72, 16), "aarch64": (25, 29)}[machine]
    for act in (8, 10, 15, 1036, 1038):
        assert decide(machine, fcntl, 5, act) == REFUSED
    assert decide(machine, fcntl, 5, 3) == ALLOW
    for act in (0x5412, 0x541C, 0x8901, 0x8902, 0x5452, 0x40086602, 0x401C5820):
        assert decide(machine, ioctl, 0, act) == REFUSED
    assert decide(machine, ioctl, 0, 0x5401) == ALLOW


def test_the_kernel_of_this_machine_keeps_the_filter():
    """Threads work, and no process, socket, program or signal does."""
    code = f"""
import os, socket, subprocess, threading
from coursekit.grading import seccomp
seccomp.install()
threading.Thread(target=print).start()
os.kill(os.getpid(), 0)
attempts = [os.fork, os.vfork if hasattr(os, "vfork") else os.fork, socket.socket, lambda: os.kill(1, 0),
            lambda: os.execv("/bin/true", ["true"]), lambda: subprocess.run(["/bin/true"])]
for attempt in attempts:
    try:
        attempt()
    except PermissionError as error:
        assert error.errno == {errno.EPERM}
    else:
        raise SystemExit(f"{{attempt}} worked")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
