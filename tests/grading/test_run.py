"""Results are files: what is there and still holds is not computed again, and a broken one is."""

import json
from pathlib import Path

import pytest

from coursekit.grading.exercise import parse
from coursekit.grading.notebook import MAX_BYTES
from coursekit.grading.pool import Lost
from coursekit.grading.roster import Student, Turn, assign
from coursekit.grading.run import LOST, Store, alone, results, slug
from coursekit.grading.submissions import find
from tests.grading.handed_in import notebook, put

MASTER = Path(__file__).with_name("little.md").read_text()
EXERCISE = parse(MASTER, "little")


class Runner:
    """Grades by the length of the notebook, and notes what it was given."""

    def __init__(self, *lost: str):
        self.seen: list[str] = []
        self.lost = lost

    def __call__(self, jobs):
        for key, content in jobs:
            self.seen.append(key)
            yield key, Lost("killed") if key in self.lost else {"status": "graded", "score": len(content)}


def graded(folder: Path, runner: Runner, conditions: str = "") -> dict:
    turns = assign(find(folder / "in"), [])
    return results(turns, Store(folder / "results", EXERCISE, conditions), runner, progress=False)


@pytest.fixture
def folder(tmp_path):
    put(tmp_path / "in", {f"{name}.ipynb": notebook(f"x = '{name}'") for name in ("ann", "bo", "cy")})
    return tmp_path


def test_every_student_gets_a_result_and_a_file(folder):
    """The file tells whose it is, and of which content."""
    found = graded(folder, Runner())
    assert list(found) == ["ann", "bo", "cy"]
    stored = json.loads((folder / "results" / "bo.json").read_text())
    assert stored == found["bo"]
    assert {"student": "bo", "path": "bo.ipynb", "status": "graded"}.items() <= stored.items()


def test_nothing_is_graded_twice(folder):
    """The second run reads the files, and says the same."""
    first, again = graded(folder, Runner()), Runner()
    assert graded(folder, again) == first
    assert again.seen == []


def test_only_what_changed_is_graded_again(folder):
    """A new content, and a new student."""
    graded(folder, Runner())
    put(folder / "in", {"bo.ipynb": notebook("x = 2"), "di.ipynb": notebook("x")})
    again = Runner()
    graded(folder, again)
    assert again.seen == ["bo", "di"]


@pytest.mark.parametrize("change", ["conditions", "exercise"])
def test_another_exercise_version_or_other_limits_grade_everything_again(folder, change):
    """Scores under different tests can't stand in one gradebook."""
    graded(folder, Runner())
    exercise = parse(MASTER + "\n", "little") if change == "exercise" else EXERCISE
    store = Store(folder / "results", exercise, "more time" if change == "conditions" else "")
    again = Runner()
    results(assign(find(folder / "in"), []), store, again, progress=False)
    assert again.seen == ["ann", "bo", "cy"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"job": "x"}'])
def test_a_result_that_is_cut_or_altered_is_computed_again(folder, content):
    """A full disk, or a curious hand."""
    graded(folder, Runner())
    (folder / "results" / "bo.json").write_bytes(content)
    again = Runner()
    assert graded(folder, again)["bo"]["status"] == "graded"
    assert again.seen == ["bo"]


def test_a_result_is_not_taken_for_another_student(folder):
    """Even when both handed in the same bytes."""
    put(folder / "in", {name: notebook("same") for name in ("ann.ipynb", "bo.ipynb")})
    graded(folder, Runner())
    (folder / "results" / "bo.json").write_bytes((folder / "results" / "ann.json").read_bytes())
    again = Runner()
    assert graded(folder, again)["bo"]["student"] == "bo"


def test_what_the_grader_lost_is_named_and_tried_again(folder):
    """It is not the student's fault."""
    assert graded(folder, Runner("bo"))["bo"]["status"] == LOST
    again = Runner()
    assert graded(folder, again)["bo"]["status"] == "graded"
    assert again.seen == ["bo"]


def test_results_that_were_there_before_the_end_are_kept(folder):
    """An interrupted run starts where it stopped."""

    def stops(jobs):
        yield next(jobs)[0], {"status": "graded"}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        graded(folder, stops)
    again = Runner()
    graded(folder, again)
    assert again.seen == ["bo", "cy"]


def test_what_can_not_be_read_and_who_handed_in_nothing_have_named_reasons(folder):
    """They never reach the sandbox."""
    put(folder / "in", {"bo.ipynb": b" " * (MAX_BYTES + 1), "di.pdf": b"%PDF"})
    store = Store(folder / "results", EXERCISE, "")
    turns = [Turn(Student("eve", "Eve"), None), *assign(find(folder / "in"), [])]
    found = results(turns, store, Runner(), progress=False)
    reasons = {key: result["status"] for key, result in found.items()}
    assert reasons == {
        "eve": "no submission",
        "ann": "graded",
        "bo": "too large",
        "cy": "graded",
        "di": "not a notebook",
    }


def test_a_file_that_changes_under_the_grader_is_named_and_tried_again(folder):
    """Somebody copies newer files while it runs."""

    def copies(jobs):
        put(folder / "in", {"ann.ipynb": notebook("newer")})
        yield from Runner()(jobs)

    assert graded(folder, copies)["ann"]["status"] == "changed"
    assert graded(folder, Runner())["ann"]["status"] == "graded"


def test_two_graders_do_not_write_into_one_folder(folder):
    """They would overwrite each other's results."""
    with alone(folder / "results"), pytest.raises(ValueError, match="Another grader"):
        graded(folder, Runner())


def test_what_a_killed_grader_was_writing_is_removed(folder):
    """No partial file stays."""
    put(folder / "results", {"bo.json.123.partial": b"{"})
    graded(folder, Runner())
    assert not list((folder / "results").glob("*.partial"))


KEYS = ["lee", "Lee", "LEE", "a/b", "a-b", "a b", "", "..", "王小明", "小明", "a_b", ".a", "\u017fam", "sam"]


def test_file_names_of_different_students_differ_on_every_file_system():
    """Some take capitals for small letters, and none takes a slash."""
    keys = [*KEYS, "x" * 100, "x" * 101]
    names = [slug(key) for key in keys]
    assert len({name.casefold() for name in names}) == len(keys)
    assert all(0 < len(name.encode()) < 200 for name in names)
    assert not any("/" in name or name.startswith(".") for name in names)
    assert slug("lee") == "lee"


@pytest.mark.parametrize("key", KEYS)
def test_nobody_takes_the_file_name_of_another_by_being_called_so(key):
    """One would overwrite the other's result and read the other's report."""
    name = slug(key)
    assert name == key or slug(name) != name
    assert name == key or slug(name.replace("~", "-")) != name
