"""The tests of a master run on its solution and on wrong answers, reproducibly."""

from pathlib import Path

import pytest
import torch

from coursekit.grading import exercise, randomness
from coursekit.grading.guard import Guard
from coursekit.grading.tests import execute, load_tests, prelude, run_tests

LITTLE = exercise.read(Path(__file__).parent / "little.md")
TESTS = load_tests(LITTLE)


def target(key: str, source: str) -> Guard:
    question, namespace = LITTLE.questions[key], prelude(LITTLE)
    execute(source, namespace, key)
    execute(question.probe, namespace, f"probe of {key}")
    return Guard(namespace[question.target])


def test_each_question_graded_by_tests_has_public_and_hidden_ones():
    """An experiment and a written answer are graded by hand."""
    assert {key: sorted(tests) for key, tests in TESTS.items()} == {
        "little.square": ["hidden", "public"],
        "little.scale": ["hidden", "public"],
    }


@pytest.mark.parametrize("key", TESTS)
@pytest.mark.parametrize("which", ["public", "hidden"])
def test_the_solution_passes_and_the_starter_does_not(key, which):
    """Both runs come to the same checks, by name."""
    question, tests = LITTLE.questions[key], TESTS[key][which]
    passed = run_tests(tests, target(key, question.answer), seed=3)
    failed = run_tests(tests, target(key, question.starter), seed=3)
    assert [outcome.problem for outcome in passed] == [None] * len(passed)
    assert None not in [outcome.problem for outcome in failed]
    assert [outcome.name for outcome in passed] == [outcome.name for outcome in failed]


def test_what_the_tests_draw_depends_on_the_seed_alone():
    """A submission that is graded again gets the same inputs; another one gets others."""

    def inputs(seed):
        seen = []
        run_tests(TESTS["little.square"]["hidden"], seen.append, seed)
        return torch.cat(seen)

    assert torch.equal(inputs(1), inputs(1))
    assert not torch.equal(inputs(1), inputs(2))


def test_running_tests_leaves_the_random_states_alone():
    """A check between two training cells must not change what the second one trains."""
    before = randomness.states()
    run_tests(TESTS["little.square"]["hidden"], lambda x: torch.randn(2), 1)
    assert randomness.changed(before) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "def hidden(mean_square)",
            "def hiden(mean_square)",
            "'# hidden: little.square' has to define hidden",
        ),
        ("def public(run)", "oops\ndef public(run)", "'# check: little.scale' fails: NameError"),
    ],
)
def test_a_cell_without_its_tests_is_named(tmp_path, old, new, message):
    """The author of a master looks for the cell."""
    path = tmp_path / "00-bad.md"
    path.write_text((Path(__file__).parent / "little.md").read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        load_tests(exercise.read(path))
