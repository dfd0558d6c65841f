"""Changing numpy, Python or the grader from within."""

from tests.grading.attacks.attack import HONEST, answer, notebook

MEAN = HONEST["rows.mean"]
WRONG = "def mean_square(x):\n    return (x * x).sum(0)\n"
RIGHT_BY_CHANCE = 0.5  # of two points: for a single row the sum is the mean

CHEATS = {
    "np.allclose is always true": "np.allclose = np.isclose = np.array_equal = lambda *a, **k: True",
    "np.testing never fails": "import numpy.testing\nnp.testing.assert_allclose = lambda *a, **k: None",
    "compare finds no problem": "from coursekit.grading import compare\ncompare.compare = lambda *a: None",
    "outcomes without problems": "from coursekit.grading import compare as c\nc.outcomes = lambda *a: []",
    "a problem that is none": "from coursekit.grading import problem\nproblem.Problem = lambda *a: None",
    "a check of one's own": "def check(*args): pass\nsheet = None",
    "tests of one's own": "def public(f):\n    yield 'one row', 1, 1\nhidden = public\nscore = points = 100",
    "a random state that is set": "np.random.seed(0)\nnp.random.randn = lambda *a: np.zeros(a)",
    "a sheet with all points": "from coursekit.grading import sheet\nsheet.Sheet.passed = lambda *a: True",
}
"""What is to make a wrong answer pass."""

HARM = {
    "a guard that approves": "from coursekit.grading.guard import Guard\nGuard.__call__ = lambda *a: None",
    "builtins changed": "import builtins\nbuiltins.len = lambda x: 7\nbuiltins.isinstance = lambda *a: True",
    "len that raises": "import builtins\nbuiltins.len = lambda x: 1 / 0",
    "imports forbidden": "import builtins\nbuiltins.__import__ = None",
    "numpy emptied": "for name in list(vars(np)): delattr(np, name)",
    "functions of numpy patched": "np.abs = np.max = np.sqrt = np.linalg.norm = lambda *a, **k: np.zeros(2)",
    "modules replaced": "import sys\nsys.modules['json'] = sys.modules['os'] = None",
    "messages patched": "from coursekit.grading import answers\nanswers.pack = answers.unpack = None",
    "numpy raises on every warning": "np.seterr(all='raise')\nimport warnings as w\nw.simplefilter('error')",
    "a path without modules": "import sys\nsys.path.clear()\nsys.meta_path.clear()",
    "others' functions redefined": "class Scale:\n    def __call__(self, x): return x\n\nroot = None",
    "a trace that slows all": "import sys\nsys.settrace(lambda *a: sum(range(10**6)))",
    "the recursion limit": "import sys\nsys.setrecursionlimit(60)",
    "a memory full of rubbish": "rubbish = [bytes(1000) for _ in range(200_000)]",
}
"""What an answer does to all others, with no gain for itself."""

ATTACKS = [
    *[answer(name, f"{patch}\n\n{WRONG}", RIGHT_BY_CHANCE) for name, patch in CHEATS.items()],
    *[answer(name, f"{patch}\n\ndef mean_square(x):\n    return x") for name, patch in HARM.items()],
    notebook(
        "a later answer breaks one that another one needs",
        [
            MEAN,
            "# exercise: rows.norm\ndef root(x):\n    return mean_square(x) ** 0.5",
            "# exercise: rows.scale\nmean_square = None\ndel np.abs",
        ],
        {"rows.mean": 2.0, "rows.norm": 2.0},
        key="rows.scale",
    ),
]
