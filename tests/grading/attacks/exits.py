"""Ways of ending the process that runs the answers."""

from tests.grading.attacks.attack import answer, beside

ENDED = "the process ended"

ATTACKS = [
    answer("sys.exit at top level", "import sys\nsys.exit(0)", says="SystemExit"),
    answer("sys.exit in the function", "import sys\ndef mean_square(x):\n    sys.exit(0)", says="SystemExit"),
    answer("os._exit at top level", "import os\nos._exit(0)", says=ENDED),
    answer("os._exit in the function", "import os\ndef mean_square(x):\n    os._exit(0)", says=ENDED),
    answer("os.abort", "import os\ndef mean_square(x):\n    os.abort()", says="SIGABRT"),
    answer(
        "a segmentation fault",
        "import ctypes\ndef mean_square(x):\n    return ctypes.string_at(0)",
        says="SIGSEGV",
    ),
    answer(
        "SIGKILL to itself",
        "import os\ndef mean_square(x):\n    os.kill(os.getpid(), 9)",
        says="SIGKILL",
    ),
    answer(
        "SIGSTOP to itself",
        "import os\ndef mean_square(x):\n    os.kill(os.getpid(), 19)",
        says="no result within",
    ),
    answer("KeyboardInterrupt", "def mean_square(x):\n    raise KeyboardInterrupt", says="KeyboardInterrupt"),
    answer("GeneratorExit", "def mean_square(x):\n    raise GeneratorExit", says="GeneratorExit"),
    answer(
        "closed file descriptors",
        "import os\ndef mean_square(x):\n    os.closerange(0, 1000)",
        says=ENDED,
    ),
    answer(
        "a profiler that raises in the grader's own lines",
        """
        import sys
        def mean_square(x):
            def profile(*args): raise SystemExit
            sys.setprofile(profile)
            return x
        """,
        says="SystemExit",
    ),
    beside(
        "exec of another program",
        "import os\ntry:\n    os.execv('/bin/true', ['true'])\nexcept OSError:\n    pass",
    ),
    beside(
        "an alarm",
        """
        import signal
        signal.signal(signal.SIGALRM, lambda *args: None)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        """,
    ),
    beside(
        "signals ignored",
        """
        import signal
        for number in set(range(1, 32)) - {9, 19}:
            signal.signal(number, signal.SIG_IGN)
        """,
    ),
]
