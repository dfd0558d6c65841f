"""Answers that leave each other alone are told from those that may not."""

from pathlib import Path

import pytest

from coursekit.grading.apart import apart
from coursekit.grading.exercise import read
from coursekit.grading.grade import Grader
from tests.grading.attacks.attack import HONEST, MASTER, code
from tests.grading.boxes import SMALL, bubblewrap

PRELUDE = "import numpy as np\nimport torch\n\nTABLE = [1, 2]\nfor row in TABLE:\n    pass"
HARMLESS = "def first(x):\n    return x + 1"
MASTERS = sorted(Path("solutions").glob("*.md"))


@pytest.mark.parametrize(
    "cell",
    [
        "x = 1",
        "np = None",
        "import math as np",
        "row = 3",
        "def first(x):\n    return 0",
        "first = abs",
        "import sys",
        "from os import path",
        "np.exp = None",
        "torch.set_default_dtype(torch.float64)",
        "TABLE[0] = 5",
        "TABLE += [1]",
        "while True:\n    pass",
        "def second(x):\n    global first\n    first = x",
        "def second(x):\n    np.exp = np.log\n    return x",
        "def second(x):\n    TABLE.append(x)\n    return x",
        "def second(x):\n    del TABLE[0]\n    return x",
        "def second(x):\n    TABLE[0] = 1\n    return x",
        "def second(x):\n    np.seterr(all='raise')\n    np.set_printoptions(3)\n    return x",
        "def second(x):\n    exec('first = None', globals())\n    return x",
        "def second(x):\n    setattr(np, 'exp', np.log)\n    return x",
        "class Second:\n    np.exp = np.log",
        "second = lambda x: TABLE.pop()",
    ],
)
def test_an_answer_that_may_touch_another_is_seen(cell):
    """Then the questions it may have spoilt are tried without it. (`x` has two owners in the first row.)"""
    assert not apart([("a", HARMLESS), ("b", cell), ("c", "x = 2")], PRELUDE)


@pytest.mark.parametrize(
    "cell",
    [
        "def second(x):\n    y = np.zeros(3)\n    y[0] = x\n    y.sort()\n    return y",
        "import numpy as np\nfrom torch import nn\n\n\ndef second(x):\n    return first(x)",
        "class S(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.w = 1",
        '"""A text."""\n\nSCALE = 2.0',
        "def second(x:\n    np.exp = None",
        "def second(x, seed):\n    torch.manual_seed(seed)\n    return [v for v in x]",
    ],
)
def test_ordinary_answers_are_apart(cell):
    """Definitions with locals, the prelude's imports again, and what is no Python and so never runs."""
    assert apart([("a", HARMLESS), ("b", cell), ("b", cell)], PRELUDE)


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_the_answers_of_every_master_are_apart(path):
    """Right and wrong answers as students give them: most submissions need one run."""
    exercise = read(path)
    given = {key: q.answer for key, q in exercise.questions.items() if q.kind == "code"}
    for key in given:
        question = exercise.questions[key]
        for label, source in question.wrong + question.right:
            assert apart(list((given | {key: source}).items()), exercise.prelude), label


def test_a_question_is_tried_once_more_only_where_that_can_help(monkeypatch):
    """A wrong answer costs one session among ordinary ones, more beside a cell that may have spoilt it."""
    exercise = read(MASTER)
    wrong = HONEST["rows.mean"].replace("return ", "return 1 + ")
    sessions = []
    with Grader(exercise, bubblewrap(), SMALL) as grader:
        begin = grader.worker.session
        monkeypatch.setattr(grader.worker, "session", lambda: sessions.append(1) or begin())
        alone = grader.grade(code({**HONEST, "rows.mean": wrong}.values()), 1)
        once = len(sessions)
        beside = grader.grade(
            code([*{**HONEST, "rows.mean": wrong}.values(), "# exercise: rows.mean\nimport sys"]), 1
        )
    assert (once, alone["score"]) == (1, beside["score"])
    assert len(sessions) > 2
    assert alone["score"] < 6.0
