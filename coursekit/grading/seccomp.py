"""A filter of system calls: an answer starts no process, opens no socket and touches no other process.

Nor does it change what stands beside a file's content (mode, owner, times, attributes): the files that stay
belong to the user of all sessions, and what one session wrote there, the next could read.

It is a program of the kernel's classic BPF; see seccomp(2). A process can't take it off, nor can its threads.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

NO_NEW_PRIVS, SECCOMP, MODE_FILTER = 38, 22, 2  # of prctl(2)
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
REFUSED, UNKNOWN = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS
NUMBER_AT, MACHINE_AT, ARGUMENTS_AT = 0, 4, 16  # in struct seccomp_data
OTHER_ABI = 0x40000000  # x86_64 answers to a second set of numbers from here on
CLONE_THREAD = 0x00010000

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Name, number on x86_64, number on aarch64; "-" where there is none.
DENIED = """
    fork 57 -                       vfork 58 -                    execve 59 221            execveat 322 281
    ptrace 101 117                  process_vm_readv 310 270      process_vm_writev 311 271
    kcmp 312 272                    process_madvise 440 440       process_mrelease 448 448
    pidfd_open 434 434              pidfd_getfd 438 438           pidfd_send_signal 424 424
    tkill 200 130                   rt_sigqueueinfo 129 138       rt_tgsigqueueinfo 297 240
    setpriority 141 140             ioprio_set 251 30             migrate_pages 256 238    move_pages 279 239
    socket 41 198                   io_uring_setup 425 425        io_uring_enter 426 426
    io_uring_register 427 427       perf_event_open 298 241       bpf 321 280              userfaultfd 323 282
    memfd_create 319 279            memfd_secret 447 -            shmget 29 194            semget 64 190
    msgget 68 186                   mq_open 240 180               fanotify_init 300 262
    add_key 248 217                 request_key 249 218           keyctl 250 219
    unshare 272 97                  setns 308 268                 mount 165 40             umount2 166 39
    pivot_root 155 41               chroot 161 51                 open_tree 428 428        move_mount 429 429
    fsopen 430 430                  fsconfig 431 431              fsmount 432 432          fspick 433 433
    mount_setattr 442 442           open_by_handle_at 304 265     name_to_handle_at 303 264
    init_module 175 105             finit_module 313 273          delete_module 176 106
    kexec_load 246 104              kexec_file_load 320 294       reboot 169 142           acct 163 89
    swapon 167 224                  swapoff 168 225               quotactl 179 60          syslog 103 116
    sethostname 170 161             setdomainname 171 162         personality 135 92       modify_ldt 154 -
    settimeofday 164 170            clock_settime 227 112         adjtimex 159 171
    clock_adjtime 305 266           socketpair 53 199
    chmod 90 -                      fchmod 91 52                  fchmodat 268 53          fchmodat2 452 452
    chown 92 -                      fchown 93 55                  lchown 94 -              fchownat 260 54
    setxattr 188 5                  lsetxattr 189 6               fsetxattr 190 7          setxattrat 463 463
    removexattr 197 14              lremovexattr 198 15           fremovexattr 199 16
    removexattrat 466 466           file_setattr 469 469          open_tree_attr 467 467
    utime 132 -                     utimes 235 -                  futimesat 261 -          utimensat 280 88
    mincore 27 232                  cachestat 451 451             preadv2 327 286
"""
OWN_ONLY = """
    kill 62 129                     tgkill 234 131                prlimit64 302 261
    sched_setaffinity 203 122       sched_setscheduler 144 119    sched_setattr 314 274
    sched_setparam 142 118
"""
CLONE, CLONE3, FCNTL, IOCTL = (56, 220), (435, 435), (72, 25), (16, 29)
OWNERS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: signals by way of a file
HINTS = (1036, 1038)  # F_SET_RW_HINT, F_SET_FILE_RW_HINT: kept with a file that one may only read
TYPING = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: writing into a terminal's input
SIGNALS = (0x8901, 0x8902, 0x5452)  # FIOSETOWN, SIOCSPGRP, FIOASYNC: as OWNERS
FLAGS = (0x40086602, 0x401C5820)  # FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR: attributes of a file

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


def supported() -> bool:
    """Whether this machine has a filter."""
    return sys.platform == "linux" and platform.machine() in MACHINES


def install() -> None:
    """Filter this process's system calls from now on, for good.

    Raises:
        OSError: the machine has no filter, or the kernel refuses it.
    """
    if not supported():
        raise OSError(f"There is no filter of system calls for {sys.platform} on {platform.machine()}.")
    code = b"".join(struct.pack("<HBBI", *step) for step in program(platform.machine(), os.getpid()))
    steps = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a length, padding, a pointer
    whole = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(code) // 8, ctypes.addressof(steps)))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((NO_NEW_PRIVS, 1, 0, 0, 0), (SECCOMP, MODE_FILTER, ctypes.byref(whole), 0, 0)):
        if libc.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "The kernel refuses to filter system calls")


def program(machine: str, pid: int) -> list[Instruction]:
    """The filter for a process on a machine, "x86_64" or "aarch64"."""
    column = list(MACHINES).index(machine)
    steps = [
        (LOAD, 0, 0, MACHINE_AT),
        (EQUAL, 1, 0, MACHINES[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT),
    ]
    if machine == "x86_64":
        steps += [(AT_LEAST, 0, 1, OTHER_ABI), (RETURN, 0, 0, REFUSED)]
    for number in _numbers(DENIED, column):
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSED)]
    steps += [(EQUAL, 0, 1, CLONE3[column]), (RETURN, 0, 0, UNKNOWN)]  # libraries then take clone
    steps += _block(CLONE[column], 0, [(ANY_BIT, 0, 1, CLONE_THREAD), (RETURN, 0, 0, ALLOW)], REFUSED)
    for number in _numbers(OWN_ONLY, column):
        # Zero is this process for all but kill, where it is a group that nobody else belongs to.
        steps += _block(number, 0, _returns((0, pid), ALLOW), REFUSED)
    steps += _block(FCNTL[column], 1, _returns(OWNERS + HINTS, REFUSED), ALLOW)
    steps += _block(IOCTL[column], 1, _returns(TYPING + SIGNALS + FLAGS, REFUSED), ALLOW)
    return [*steps, (RETURN, 0, 0, ALLOW)]


def _numbers(table: str, column: int) -> list[int]:
    words = table.split()
    return [int(word) for word in words[1 + column :: 3] if word != "-"]


def _returns(values: tuple[int, ...], action: int) -> list[Instruction]:
    return [step for value in values for step in ((EQUAL, 0, 1, value), (RETURN, 0, 0, action))]


def _block(number: int, argument: int, body: list[Instruction], otherwise: int) -> list[Instruction]:
    """Steps for one system call that look at one of its arguments (at its lower half)."""
    inner = [(LOAD, 0, 0, ARGUMENTS_AT + 8 * argument), *body, (RETURN, 0, 0, otherwise)]
    return [(EQUAL, 0, len(inner), number), *inner]
