"""Grading one submission: points, reasons, likeness, and what a report may tell."""

import json
import re
from dataclasses import replace

import pytest

from coursekit.grading.exercise import parse, read
from coursekit.grading.grade import Grader, grade, seed_of
from coursekit.grading.sheet import SEED
from tests.grading.attacks.attack import HONEST, MASTER, code
from tests.grading.boxes import SMALL, bubblewrap

NAME = "# exercise: rows.mean (2 points)\n"


@pytest.fixture(scope="module")
def grader():
    """A grader of the small master of the attacks."""
    with Grader(read(MASTER), bubblewrap(), SMALL) as grader:
        yield grader


def graded(grader, mean: str, seed: int = 1) -> dict:
    """The report on the first question of a submission."""
    return grader.grade(code({**HONEST, "rows.mean": NAME + mean}.values()), seed)["questions"]["rows.mean"]


def test_the_solutions_get_all_points_and_the_report_is_whole(grader):
    result = grader.grade(
        [*code(HONEST.values()), ("markdown", "**Answer to `rows.why` (1 point, graded by hand).** So.")], 3
    )
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert (result["exercise"], result["version"]) == ("master", read(MASTER).version)
    assert (result["status"], result["score"], result["max"], result["notes"]) == ("graded", 6.0, 7, [])
    question = result["questions"]["rows.mean"]
    assert set(question) == {"kind", "points", "max", "seconds", "reason", "checks", "like", "answer"}
    assert [(c["name"], c["which"], c["passed"], c["problem"]) for c in question["checks"]] == [
        ("one row", "public", True, None),
        ("two rows", "public", True, None),
        ("3 rows", "hidden", True, None),
        ("100 rows", "hidden", True, None),
    ]
    written = result["questions"]["rows.why"]
    assert (written["kind"], written["points"], written["max"]) == ("written", None, 1)
    assert written["answer"].endswith("So.")


def test_points_are_the_share_of_checks_that_pass(grader):
    question = graded(
        grader, "def mean_square(x):\n    return (x * x).sum(0) / (len(x) if len(x) < 50 else 1)"
    )
    assert [check["passed"] for check in question["checks"]] == [True, True, True, False]
    assert question["points"] == 1.5


def test_grading_again_gives_the_same(grader):
    def plain(result: dict) -> str:
        return re.sub(r'"seconds": [\d.]+', "", json.dumps(result))

    cells = code([NAME + "def mean_square(x):\n    return x.mean(0)", HONEST["rows.scale"]])
    first = grader.grade(cells, 7)
    assert plain(grader.grade(cells, 7)) == plain(first)
    assert plain(grade(cells, read(MASTER), bubblewrap(), SMALL, 7)) == plain(first)


def test_hidden_inputs_differ_between_submissions_and_public_ones_are_those_of_the_notebook(grader):
    assert seed_of("a", "hidden", 1) != seed_of("a", "hidden", 2)
    assert seed_of("a", "hidden", 1) != seed_of("b", "hidden", 1)
    assert seed_of("a", "public", 1) == seed_of("b", "public", 2) == SEED


def test_a_wrong_answer_is_known_by_how_it_behaves(grader):
    """Not by its text, nor by which checks pass alone."""
    alike = graded(grader, "def mean_square(rows):\n    return np.einsum('ij,ij->j', rows, rows)")
    assert alike["like"] == "the sum in place of the mean"
    other = graded(
        grader, "def mean_square(rows):\n    return (rows * rows).sum(0) * (1 + 1e-3 * (len(rows) > 1))"
    )
    assert [c["passed"] for c in other["checks"]] == [c["passed"] for c in alike["checks"]]
    assert other["like"] is None
    assert graded(grader, "def mean_square(x):\n    return (x * x).mean(0)")["like"] is None


LEAK = "def mean_square(x):\n    raise ValueError(f'inputs {x.tolist()}')"


def test_an_exception_in_a_hidden_test_tells_its_type_alone(grader):
    checks = graded(grader, LEAK)["checks"]
    assert "inputs [[1.0, 3.0]]" in checks[0]["problem"]["text"]
    assert {check["problem"]["text"] for check in checks if check["which"] == "hidden"} == {"ValueError"}


def test_the_name_of_an_own_exception_is_no_way_out(grader):
    own = "def mean_square(x):\n    raise type(f'E{abs(hash(x.tobytes()))}', (Exception,), {})"
    texts = {c["problem"]["text"] for c in graded(grader, own)["checks"] if c["which"] == "hidden"}
    assert texts == {"an exception was raised."}


@pytest.mark.parametrize(
    "body", ["os._exit(int(abs(x[0, 0]) * 100))", "return str(x.tolist())", "x[0] = 7\n    return x"]
)
def test_problems_with_hidden_tests_tell_nothing_of_their_inputs(grader, body):
    """Exit codes and messages of the worker could; values that came are for the instructor."""
    problems = [c["problem"] for c in graded(grader, f"import os\ndef mean_square(x):\n    {body}")["checks"]]
    for problem in problems[2:]:
        assert problem["kind"] in ("died", "timeout", "type", "inplace")
        assert not re.search(r"\d", problem["text"].replace("shape (2,)", "")) or problem["kind"] == "type"


def test_hidden_inputs_do_not_reach_a_public_message_of_another_question(grader):
    """They would, if an answer kept them and a public test came later."""
    keep = """kept = []

def mean_square(x):
    kept.append(x.tolist())
    open("kept", "a").write(repr(kept))
    return x"""
    tell = """# exercise: rows.scale
import os

class Scale:
    def __call__(self, x):
        raise ValueError(f"kept {kept} {os.path.exists('kept') and open('kept').read()}")
"""
    result = grader.grade(code([NAME + keep, tell, HONEST["rows.norm"]]), 1)
    shown = [
        c["problem"]["text"] for c in result["questions"]["rows.scale"]["checks"] if c["which"] == "public"
    ]
    assert len(shown) == 2
    for text in shown:
        assert "kept [[[1.0, 3.0]], [[1.0], [2.0]]]" in text
        assert not re.search(r"\d\.\d\d", text)  # hidden inputs have many digits


def test_a_question_that_takes_long_costs_others_nothing(grader):
    slow = "import time\ndef mean_square(x):\n    time.sleep(0.3)\n    return (x * x).mean(0)"
    result = grader.grade(code({**HONEST, "rows.mean": NAME + slow}.values()), 1)
    assert result["score"] == 6.0
    assert result["questions"]["rows.mean"]["seconds"] >= 1.2
    assert result["questions"]["rows.norm"]["seconds"] < 1.2


def test_time_runs_out_for_a_question_and_not_for_the_next(grader):
    """One second for its cell, one and a bit for its first call: the second call comes too late."""
    slow = "import time\ntime.sleep(1)\ndef mean_square(x):\n    time.sleep(1.2)\n    return (x * x).mean(0)"
    limits = replace(SMALL, question=3.0, call=2.0)
    result = grade(
        code({**HONEST, "rows.mean": NAME + slow}.values()), grader.exercise, bubblewrap(), limits, 1
    )
    questions = result["questions"]
    assert questions["rows.mean"]["points"] == 0.5
    assert "the time for this question is used up" in questions["rows.mean"]["reason"]
    assert questions["rows.norm"]["points"] == 2.0


def test_a_master_whose_probe_does_not_fit_is_refused_before_any_submission():
    text = MASTER.read_text().replace("def run(x):", "def other(x):")
    with pytest.raises(ValueError, match="defines no function 'run'"):
        Grader(parse(text, "master"), bubblewrap(), SMALL)


def test_checks_that_can_not_go_on_count_as_failed(grader):
    """The number of checks is that of the solution, whatever comes."""
    line = "mean_square(np.array([[1.0], [2.0]]))"
    text = MASTER.read_text().replace(f"{line}, np.array([2.5])", f"{line}[0] + 0, 2.5")
    with Grader(parse(text, "master"), bubblewrap(), SMALL) as other:
        checks = graded(other, "def mean_square(x):\n    return {'a': 1}")["checks"]
    assert [check["name"] for check in checks] == ["one row", "two rows", "3 rows", "100 rows"]
    assert not any(check["passed"] for check in checks)
