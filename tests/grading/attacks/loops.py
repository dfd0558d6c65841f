"""Code that never ends, in all the places where code can hide."""

from tests.grading.attacks.attack import answer, beside

LATE = "no result within"
RIGHT = "return (x * x).sum(0) / len(x)"

ATTACKS = [
    answer("a loop at top level", "while True: pass", says=LATE),
    answer("a loop in the function", "def mean_square(x):\n    while True: pass", says=LATE),
    answer(
        "a loop for the hidden tests only",
        f"""
        def mean_square(x):
            while len(x) > 50: pass
            {RIGHT}
        """,
        fair=1.5,
        says="no result in time",
    ),
    answer(
        "a loop in __del__",
        f"""
        class Trap:
            def __del__(self):
                while True: pass

        def mean_square(x):
            Trap()
            {RIGHT}
        """,
        says=LATE,
    ),
    answer(
        "a loop in __repr__ of what is returned",
        """
        class Trap:
            def __repr__(self):
                while True: pass
            __str__ = __len__ = __iter__ = __float__ = __array__ = __bool__ = __eq__ = __repr__

        def mean_square(x):
            return Trap()
        """,
        says="an object of type Trap",
    ),
    answer(
        "a loop in __str__ of what is raised",
        """
        class Trap(Exception):
            def __str__(self):
                while True: pass

        def mean_square(x):
            raise Trap
        """,
        says=LATE,
    ),
    answer(
        "a loop that catches everything",
        """
        def mean_square(x):
            while True:
                try:
                    while True: pass
                except BaseException: pass
        """,
        says=LATE,
    ),
    answer("sleep", "import time\ndef mean_square(x):\n    time.sleep(10**6)", says=LATE),
    answer("a power that never ends", "def mean_square(x):\n    return 9**9**9", says=LATE),
    answer(
        "a regular expression that never ends",
        "import re\ndef mean_square(x):\n    return re.match('(a+)+$', 'a' * 60 + 'b')",
        says=LATE,
    ),
    answer(
        "recursion without end",
        "def mean_square(x):\n    return mean_square(x)",
        says="RecursionError",
    ),
    answer(
        "recursion that breaks the stack",
        """
        import sys
        sys.setrecursionlimit(10**9)
        def mean_square(x):
            return list(map(mean_square, [x]))
        """,
    ),
    answer("a generator without end", "def mean_square(x):\n    while True: yield x", says="generator"),
    answer(
        "a list that holds itself",
        "def mean_square(x):\n    x = [x]\n    x.append(x)\n    return x",
        says="can't be",
    ),
    beside(
        "a thread that never ends",
        """
        import threading
        def spin():
            while True: pass
        threading.Thread(target=spin, daemon=True).start()
        """,
    ),
    beside(
        "a loop in a callback of the garbage collector",
        """
        import gc
        def forever(*args):
            while True: pass
        gc.callbacks.append(forever)
        gc.set_threshold(10**9)
        """,
    ),
    beside(
        "a loop at exit",
        """
        import atexit
        def forever():
            while True: pass
        atexit.register(forever)
        """,
    ),
]
