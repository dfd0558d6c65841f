"""A job is a pure function: a notebook comes to the same result, wherever and whenever it is graded."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.students import classroom
from coursekit import __version__
from coursekit.grading import job
from coursekit.grading.exercise import Exercise, read
from coursekit.grading.job import Job, Plan
from coursekit.grading.limits import Limits

NUMBERS = read(Path(__file__).parents[2] / "bench" / "numbers.md")
CLASS = [one.content for one in classroom(NUMBERS, 6, hostile=False, seed=5)]


@pytest.fixture(scope="module")
def plan():
    yield Plan(NUMBERS)
    job.close()


def timeless(result: dict) -> dict:
    """The result without the seconds that it took."""
    questions = {key: value | {"seconds": 0} for key, value in result["questions"].items()}
    return result | {"seconds": 0, "questions": questions}


def grade(content: bytes, plan: Plan) -> dict:
    return timeless(job.do(Job(content, plan)))


def test_the_same_notebook_comes_to_the_same_result_in_any_order(plan):
    """One sandbox serves many submissions, and none of them may leave a trace for the next."""
    forwards = [grade(content, plan) for content in CLASS]
    assert [grade(content, plan) for content in CLASS[::-1]] == forwards[::-1]
    assert len({result["score"] for result in forwards}) > 2


def test_jobs_in_threads_of_one_process_do_not_mix(plan):
    """A cluster's worker may have several; tests draw from random states that all threads share."""
    alone = [grade(content, plan) for content in CLASS]
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(lambda content: grade(content, plan), CLASS)) == alone


def test_every_notebook_gets_other_random_inputs():
    """Else one student could tell the others what to return."""
    seeds = {job.seed(content, NUMBERS) for content in CLASS}
    assert len(seeds) == len(CLASS)
    assert job.seed(CLASS[0], NUMBERS) == job.seed(CLASS[0], NUMBERS)
    newer = Exercise(**(vars(NUMBERS) | {"version": "newer"}))
    assert job.seed(CLASS[0], newer) not in seeds


def test_what_is_no_notebook_is_named_by_the_job(plan):
    """It was read as bytes; only the job looks into it."""
    result = job.do(Job(b"%PDF", plan))
    assert (result["status"], result["score"], result["max"]) == ("not a notebook", 0.0, NUMBERS.points)


def test_another_sandbox_or_other_limits_open_another_grader(plan):
    """Only one is kept open: each holds the memory of what the prelude imports."""
    job.do(Job(CLASS[0], plan))
    job.do(Job(CLASS[0], Plan(NUMBERS, limits=Limits(call=3.0))))
    assert len(job._open) == 1


def test_results_are_kept_apart_by_limits_and_not_by_sandbox():
    """More time may mean more points; where the code ran may not."""
    assert Plan(NUMBERS).conditions == Plan(NUMBERS, "bubblewrap").conditions
    assert Plan(NUMBERS).conditions != Plan(NUMBERS, limits=Limits(call=3.0)).conditions


def test_a_machine_with_another_version_is_refused(plan):
    """Its grades would differ, and nobody would know."""
    job.ready(plan, __version__)
    with pytest.raises(ValueError, match="install the same"):
        job.ready(plan, "0.0.0")


def test_a_machine_without_the_sandbox_is_refused(monkeypatch):
    """Before any submission is sent there."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ValueError, match="No sandbox works"):
        job.ready(Plan(NUMBERS, "bubblewrap"), __version__)
