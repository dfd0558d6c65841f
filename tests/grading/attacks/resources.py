"""Taking all there is: memory, processes, threads, files, output."""

from tests.grading.attacks.attack import TRACE, answer, beside

RIGHT = "return (x * x).sum(0) / len(x)"
NONE = "MemoryError"

ATTACKS = [
    answer(
        "a list that grows",
        "def mean_square(x):\n    all = []\n    while True: all.append(bytes(10**6))",
        says=NONE,
    ),
    answer("a huge array", "def mean_square(x):\n    return np.ones((10**6, 10**6))", says=NONE),
    answer("a huge text", "def mean_square(x):\n    return 'a' * 10**12", says=NONE),
    answer("memory at top level", "hoard = [bytes(10**7) for _ in range(10**6)]", says=NONE),
    answer(
        "an array too large to send", "def mean_square(x):\n    return np.ones(3 * 10**6)", says="too large"
    ),
    answer(
        "a list too long to send",
        "def mean_square(x):\n    return [0] * 10**6",
        says="a list of 1000000 came",
    ),
    beside(
        "a fork bomb",
        """
        import os
        try:
            while True: os.fork()
        except OSError:
            pass
        """,
    ),
    answer(
        "a fork bomb in the function",
        "import os\ndef mean_square(x):\n    while True: os.fork()",
        says="PermissionError",
    ),
    answer(
        "a shell",
        f"import os\ndef mean_square(x):\n    os.system('touch /tmp/{TRACE}')\n    return x",
        says="came",
    ),
    answer(
        "a pool of processes",
        "import multiprocessing\ndef mean_square(x):\n    return multiprocessing.Pool(2).map(abs, x)",
        says="Error",
    ),
    answer(
        "a bomb of threads",
        """
        import threading, time
        threading.stack_size(65536)
        def mean_square(x):
            while True: threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        """,
        says="SIGKILL",
    ),
    answer(
        "a full disk",
        f"""
        def mean_square(x):
            for n in range(10**6):
                open(f"{TRACE}-{{n}}", "wb").write(bytes(10**6))
        """,
        says="OSError",
    ),
    answer(
        "a file that grows",
        f"""
        def mean_square(x):
            with open("{TRACE}", "wb") as file:
                while True: file.write(bytes(10**6))
        """,
        says="OSError",
    ),
    answer(
        "a million files",
        f"""
        def mean_square(x):
            for n in range(10**6): open(f"{TRACE}-{{n}}", "w").close()
        """,
        says="SIGKILL",
    ),
    answer(
        "all file descriptors",
        "def mean_square(x):\n    all = []\n    while True: all.append(open('/dev/null'))",
        says="OSError",
    ),
    beside("a flood on stdout", "import sys\nfor _ in range(50):\n    sys.stdout.write('a' * 10**6)"),
    beside(
        "a flood on stderr",
        "import os\nfor _ in range(50):\n    os.write(1, b'a' * 10**6)\n    os.write(2, b'a' * 10**6)",
    ),
    answer(
        "prints in every call",
        f"def mean_square(x):\n    print('passed ' * 10**6)\n    {RIGHT}",
        fair=2.0,
    ),
]
