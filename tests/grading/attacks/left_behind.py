"""Things that would outlive the submission, or reach the next one."""

from tests.grading.attacks.attack import TRACE, beside

RIGHT = "return (x * x).sum(0) / len(x)"

ATTACKS = [
    beside(
        "a daemon",
        """
        import os, time
        try:
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(1000)
        except OSError:
            pass
        """,
    ),
    beside(
        "a process by the bare system call",
        """
        import ctypes
        libc = ctypes.CDLL(None)
        for call in (56, 57, 58, 220, 435):
            libc.syscall(call, 17, 0, 0, 0, 0)
        """,
    ),
    beside(
        "files all over",
        f"""
        import os
        for folder in (".", "/tmp", "/var/tmp", "/dev/shm", "/run", "/root", "/home", "/"):
            try:
                open(os.path.join(folder, "{TRACE}"), "w").write("a")
            except OSError:
                pass
        """,
    ),
    beside(
        "folders within folders",
        f"""
        import os
        home = os.getcwd()
        try:
            for _ in range(3000):
                os.mkdir("{TRACE}")
                os.chdir("{TRACE}")
        except OSError:
            pass
        """,
    ),
    beside(
        "a link to the root, and a folder without rights",
        f"""
        import os
        try:
            os.symlink("/", "{TRACE}")
            os.mkdir("{TRACE}-2", 0)
        except OSError:
            pass
        """,
    ),
    beside(
        "shared memory",
        f"""
        from multiprocessing import shared_memory
        try:
            shared_memory.SharedMemory("{TRACE}", create=True, size=1000)
        except OSError:
            pass
        """,
    ),
    beside(
        "a child that outlives its parent's death",
        "import ctypes\nctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\nctypes.CDLL(None).prctl(4, 1, 0, 0, 0)",
    ),
    beside(
        "a lower priority for all",
        """
        import os
        for who in range(3):
            try:
                os.setpriority(who, 0, 19)
            except OSError:
                pass
        """,
    ),
    beside(
        "a message for the next submission",
        f"import os\nos.environ['{TRACE}'] = 'a'\nnp.message = '{TRACE}'",
    ),
]
