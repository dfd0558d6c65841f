"""What a student reads tells nothing of hidden inputs, wherever the answers have put them."""

from dataclasses import replace

import pytest

from coursekit.grading.exercise import parse, read
from coursekit.grading.grade import Grader
from coursekit.grading.likeness import Behaviour
from coursekit.grading.marks import Graded, reason
from coursekit.grading.problem import Outcome, Problem
from coursekit.grading.report import summary
from tests.grading.attacks.attack import HONEST, MASTER, code
from tests.grading.boxes import SMALL, bubblewrap

SECRET = "SECRET"
PAIRS = {
    "return (x * x).sum(0) / len(x)": "return (x * x).sum(0) / len(x), len(x)",
    "np.array([1.0, 9.0])\n": "(np.array([1.0, 9.0]), 1)\n",
    "np.array([2.5])": "(np.array([2.5]), 2)",
    "mean_square(x), np.diag(x.T @ x) / n": "mean_square(x), (np.diag(x.T @ x) / n, n)",
}
"""What makes the first question of the master ask for pairs."""


def told(grader: Grader, body: str) -> str:
    """All that a student is told of the first question, with this answer to it."""
    answers = HONEST | {"rows.mean": f"# exercise: rows.mean (2 points)\n{body}"}
    question = grader.grade(code(answers.values()), 5)["questions"]["rows.mean"]
    assert question["points"] < 2.0
    return "\n".join(summary(question))


@pytest.fixture(scope="module")
def pairs():
    """A grader of the master that asks for pairs."""
    text = MASTER.read_text()
    for old, new in PAIRS.items():
        assert old in text
        text = text.replace(old, new, 1)
    with Grader(parse(text, "pairs"), bubblewrap(), SMALL) as grader:
        yield grader


@pytest.mark.parametrize("kind", ["died", "timeout", "protocol", "exception"])
@pytest.mark.parametrize("value", ["({}, 1)", "[np.ones(2), {}]", "{{'a': {}}}", "{}"])
def test_no_problem_of_an_answers_own_making_reaches_its_report(pairs, kind, value):
    own = f"Problem({kind!r}, f'{SECRET} {{x.tolist()}}')"
    body = f"""from coursekit.grading.problem import Problem

def mean_square(x):
    return {value.format(own)} if len(x) >= 3 else ((x * x).sum(0) / len(x), len(x))
"""
    assert SECRET not in told(pairs, body)


def test_a_cell_that_fails_after_hidden_tests_have_begun_is_told_by_a_fixed_sentence():
    """The number of the process may carry a message: threads of a hidden call move it on."""
    body = """
import os, threading
if os.getpid() > 300:
    raise SystemExit(f"SECRET {os.getpid()}")

def mean_square(x):
    if len(x) == 3:
        for _ in range(400):
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()
        os._exit(0)
    return (x * x).sum(0)
"""
    with Grader(read(MASTER), bubblewrap(), replace(SMALL, call=5.0, question=20.0)) as grader:
        text = told(grader, body)
    assert SECRET not in text
    assert "its cell fails: it failed when it was run once more." in text


def test_a_public_check_that_is_made_again_after_hidden_ones_is_told_as_before():
    """The answers are tried in smaller company, too, and then know what a hidden call did."""
    body = """
import os, threading

def mean_square(x):
    if len(x) == 2 and os.getpid() > 300:
        raise ValueError(f"SECRET {os.getpid()}")
    if len(x) == 3:
        for _ in range(400):
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()
    return (x * x).sum(0) / len(x)
"""
    answers = HONEST | {"rows.mean": f"# exercise: rows.mean (2 points)\n{body}"}
    # The first attempt passes nothing, so that a later one is the best.
    answers["rows.norm"] += "\nmean_square = lambda x, same=mean_square: [same(x), 0]"
    with Grader(read(MASTER), bubblewrap(), SMALL) as grader:
        question = grader.grade(code(answers.values()), 5)["questions"]["rows.mean"]
    assert SECRET not in "\n".join(summary(question))


def test_the_reason_tells_no_text_of_a_hidden_outcome():
    """Whatever its way there was."""
    question = read(MASTER).questions["rows.mean"]
    for kind in ("died", "timeout", "protocol"):
        hidden = Behaviour([Outcome("a", Problem(kind, SECRET))], [])
        said = reason(question, "an answer", Graded({"public": Behaviour([], []), "hidden": hidden}, None))
        assert said.startswith("it stopped: ")
        assert SECRET not in said
