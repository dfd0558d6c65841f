"""In the notebook a check says what passed, what failed and why, and counts the points."""

import socket
import subprocess
import sys
import time

import pytest
import torch
from bs4 import BeautifulSoup

from coursekit.grading import Sheet, randomness
from coursekit.grading import sheet as module


@pytest.fixture
def shown(monkeypatch):
    """What the sheet has shown, in order."""
    results = []
    monkeypatch.setattr(module, "_show", results.append)
    return results


@pytest.fixture
def sheet():
    return Sheet("00-little", {"a": 2, "b": 3}, by_hand={"c": 4})


def doubles(f):
    yield "two", f(torch.tensor([1.0, 2.0])), torch.tensor([2.0, 4.0])
    yield "a <big> one", f(torch.tensor([500.0])), torch.tensor([1000.0])
    yield "an empty one", f(torch.ones(0)), torch.ones(0)


def text(result) -> str:
    """The table as a reader sees it."""
    return BeautifulSoup(result._repr_html_(), "html.parser").get_text(" ")


def test_points_are_the_share_of_checks_passed(sheet, shown):
    """Two decimals, and the sum over the questions that were checked."""
    sheet.check("a", lambda x: x[:0] * 2, doubles)
    assert (shown[-1].points, shown[-1].of, shown[-1].total, shown[-1].total_of) == (0.67, 2, 0.67, 5)
    sheet.check("b", lambda x: x * 2, doubles)
    assert (shown[-1].points, shown[-1].total) == (3, 3.67)
    sheet.check("a", lambda x: x + x, doubles)
    assert shown[-1].total == 5


def test_a_check_can_be_asked_whether_it_passed(sheet, shown):
    """So that a cell below can wait for the answer."""
    assert not sheet.passed("a")
    sheet.check("a", lambda x: x, doubles)
    assert not sheet.passed("a")
    sheet.check("a", lambda x: 2 * x, doubles)
    assert sheet.passed("a")


def test_a_cell_that_waits_says_for_what(sheet, shown, capsys):
    """An empty output would look like a broken cell."""
    sheet.check("a", lambda x: 2 * x, doubles)
    assert sheet.ready("a")
    assert capsys.readouterr().out == ""
    assert not sheet.ready("a", "b", "c")
    assert "This cell waits for b and c." in capsys.readouterr().out


def test_an_unknown_key_is_answered_by_the_known_ones(sheet):
    """A slip of the keyboard should not look like a wrong answer."""
    with pytest.raises(ValueError, match="00-little has no question 'd'; it has a, b, c"):
        sheet.check("d", lambda x: x, doubles)


NAMED = [
    (lambda x: None, "Wrong type"),
    (lambda x: 2 * x[None], "Wrong shape"),
    (lambda x: 2 * x.double(), "Wrong dtype"),
    (lambda x: (2 * x).to("meta"), "Wrong device"),
    (lambda x: 0 * x / 0, "NaN or infinity"),
    (lambda x: 3 * x, "Wrong value"),
    (lambda x: x.mul_(2), "Argument changed"),
    (lambda x: torch.rand(len(x)) * 0 + 2 * x, "Random state changed"),
    (lambda x: 2 * y, "Exception"),  # noqa: F821
]


@pytest.mark.parametrize(("answer", "words"), NAMED)
def test_what_is_wrong_is_named_in_table_and_text(sheet, shown, answer, words):
    """Also where the value alone would look right."""
    sheet.check("a", answer, doubles)
    assert f"{words}:" in text(shown[-1])
    assert f"{words}:" in repr(shown[-1])
    assert "Stuck? The hints" in text(shown[-1])


def test_a_failure_shows_both_values_and_their_difference(sheet, shown):
    """Numbers are what one debugs with."""
    sheet.check("a", lambda x: 3 * x, doubles)
    for told in (text(shown[-1]), repr(shown[-1])):
        assert "1500 came, 1000 was expected (difference 500)." in told
        assert "came:     [3., 6.]" in told
        assert "expected: [2., 4.]" in told


def test_nothing_in_the_table_is_taken_for_html(sheet, shown):
    """Names of checks and messages of exceptions may hold any sign."""

    def answer(x):
        raise ValueError("<script>alert(1)</script>")

    sheet.check("a", answer, doubles)
    sheet.check("b", lambda x: 2 * x, doubles)
    assert "<script" not in shown[0]._repr_html_()
    assert "<script>alert(1)</script>" in text(shown[0])
    assert "a <big> one" in text(shown[1])


def test_the_same_problem_is_told_once(sheet, shown):
    """Three equal tracebacks hide what there is to read."""
    sheet.check("a", lambda x: 1 / 0, doubles)
    assert text(shown[-1]).count("ZeroDivisionError") == 1
    assert "two, a <big> one, an empty one" in text(shown[-1])


def test_an_untouched_starter_is_no_failure(sheet, shown):
    """Whoever runs all cells first should not meet a wall of errors."""

    def answer(x):
        raise NotImplementedError("Write your answer here.")

    sheet.check("a", answer, doubles)
    assert "Not answered yet." in text(shown[-1])
    assert "Not answered yet." in repr(shown[-1])
    assert "Exception" not in text(shown[-1]) + repr(shown[-1])


def test_the_score_lists_every_question(sheet, shown):
    """What is passed, what is not, what was never checked and what a person will read."""
    sheet.check("a", lambda x: 2 * x, doubles)
    sheet.score()
    assert "00-little: 2 of 5 points" in text(shown[-1])
    assert repr(shown[-1]).splitlines()[1:4] == [
        "  ✓ a  2 of 2",
        "  · b  not checked yet",
        "  · c  graded by hand, of 4",
    ]
    assert "4 more points are given by hand." in text(shown[-1])


def test_a_question_graded_by_hand_can_be_checked_without_points(sheet, shown):
    """An experiment has a target number; the points come from its reader."""
    sheet.check("c", lambda x: 2 * x, doubles)
    assert "3 of 3 checks passed, graded by hand" in repr(shown[-1])
    assert shown[-1].total == 0


def test_a_check_draws_the_same_numbers_each_time_and_leaves_the_rest_alone(sheet, shown):
    """Else a check between two cells would change what the second one computes."""
    seen = []

    def public(f):
        yield "random", f(torch.randn(3)), None

    before = randomness.states()
    sheet.check("a", seen.append, public)
    torch.randn(1)
    changed = randomness.states()
    sheet.check("a", seen.append, public)
    assert torch.equal(*seen)
    assert randomness.changed(changed) == []
    randomness.restore(before)


def test_a_slow_check_shows_progress(sheet, shown, monkeypatch, capsys):
    """Nothing for a second, then a bar; a quick check stays quiet."""
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    sheet.check("a", lambda x: 2 * x, doubles)
    assert capsys.readouterr().out == ""
    sheet.check("a", lambda x: time.sleep(0.06) or 2 * x, doubles)
    assert "checks" in capsys.readouterr().out


def test_outside_a_notebook_the_result_is_printed(sheet, capsys):
    """Also in a plain Python session."""
    sheet.check("a", lambda x: 2 * x, doubles)
    assert capsys.readouterr().out.startswith("a: 3 of 3 checks passed, 2 of 2 points")


def test_a_check_needs_no_network(sheet, shown, monkeypatch):
    """A student on a train works on."""

    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(socket, "socket", refuse)
    sheet.check("a", lambda x: 2 * x, doubles)
    sheet.score()
    assert sheet.passed("a")


def test_the_package_of_grading_is_light_and_needs_only_what_colab_has():
    """The command line imports it; torch and the readers of notebooks are loaded when they are used."""
    code = """
import sys
import coursekit.grading, coursekit.grading.commands
assert not {"torch", "numpy", "nbformat", "jupytext"} & set(sys.modules), set(sys.modules)
from coursekit.grading import Sheet
assert not {"nbformat", "jupytext", "yaml", "IPython", "distributed"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
