"""The masters keep their promises, and what students get is built from them."""

import re
from pathlib import Path

import pytest

from coursekit.grading import build
from coursekit.grading.exercise import read
from coursekit.grading.validate import validate

ROOT = Path(__file__).parents[2]
SOLUTIONS, EXERCISES = ROOT / "solutions", ROOT / "exercises"
MASTERS = sorted(SOLUTIONS.glob("*.md"))
NAMED = re.compile(r"\{doc\}`exercises/([\w-]+)`")


def test_every_chapter_has_its_exercise():
    """It names the one that belongs to it, which two chapters may share, and no exercise is left over."""
    chapters = sorted((ROOT / "book").glob("[0-9][0-9]-*.md"))
    named = {path.name: set(NAMED.findall(path.read_text(encoding="utf-8"))) for path in chapters}
    assert {name: len(found) for name, found in named.items()} == dict.fromkeys(named, 1)
    assert sorted(set().union(*named.values())) == [path.stem for path in MASTERS]


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_a_master_keeps_its_promises(path, record_property):
    """Solutions and right answers pass, starters and wrong answers fail, nothing leaks."""
    report = validate(read(path))
    record_property("counts", str(report).splitlines()[0])
    assert report.violations == []


@pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
def test_an_exercise_is_an_afternoons_work(path):
    """Six to ten questions in one to two hours, one experiment among them, one or two answered in words."""
    exercise = read(path)
    kinds = [question.kind for question in exercise.questions.values()]
    assert 60 <= exercise.minutes <= 120
    assert 6 <= len(kinds) <= 10
    assert kinds.count("experiment") == 1
    assert kinds.count("written") in (1, 2)


def test_no_notebook_is_stale():
    """`make exercises` builds them again."""
    assert build.stale(SOLUTIONS, EXERCISES) == []
