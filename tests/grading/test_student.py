"""Run as a student would: built exercises in Colab's versions, untouched, answer by answer, and wrongly."""

from types import SimpleNamespace

import nbformat
import pytest

from coursekit.grading.exercise import Question, read
from coursekit.grading.feedback import UNANSWERED, WORDS
from tests.grading.kernel import ROOT, Kernel, Output

MASTERS = sorted((ROOT / "solutions").glob("[0-9][0-9]-*.md"))


@pytest.fixture(scope="module", params=MASTERS, ids=lambda path: path.stem)
def student(request, tmp_path_factory):
    """An exercise, its notebook, and a kernel in which the notebook has run untouched."""
    master = read(request.param)
    notebook = nbformat.read(ROOT / "exercises" / f"{master.name}.ipynb", as_version=4)
    cells = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}
    kernel = Kernel(tmp_path_factory.mktemp(master.name))
    untouched = {name: kernel.run(source) for name, source in cells.items()}
    yield SimpleNamespace(master=master, cells=cells, kernel=kernel, untouched=untouched)
    kernel.close()


def cell(student, kind: str, key: str) -> str:
    """Source of one of the notebook's cells, "" if it has none of this kind."""
    return student.cells.get(f"{kind}-{key}".replace(".", "-"), "")


def answer(student, question: Question, source: str) -> Output:
    """Put an answer into its cell and check it, as one does."""
    for text in (source, cell(student, "probe", question.key)):
        assert student.kernel.run(text).error == ""
    return student.kernel.run(cell(student, "check", question.key))


def graded(student) -> list[Question]:
    return [question for question in student.master.questions.values() if question.kind == "code"]


def test_there_are_exercises():
    """An empty folder would pass every test below."""
    assert MASTERS


def test_untouched_it_runs_to_its_end(student):
    """Whoever runs all cells first sees what is to be done, and no traceback."""
    errors = {name: output.error for name, output in student.untouched.items() if output.error}
    assert errors == {}, "a cell that needs an answer can wait for it: if sheet.ready(KEY): ..."
    assert ": 0 of " in student.untouched["score"].text[-1]


def test_untouched_every_check_says_that_nothing_is_there(student):
    """In table and text."""
    for name, output in student.untouched.items():
        if name.startswith("check-"):
            assert "0 of " in output.text[0], name
            assert UNANSWERED in output.text[0] or "FAILED" in output.text[0]
            assert "<table" in output.html[0]


def test_nothing_is_installed_where_the_package_is(student):
    """And the second line tells of the GPU."""
    assert "pip" not in student.untouched["install"].printed
    assert "GPU" in student.untouched["install"].printed


def test_answer_by_answer_the_points_rise_to_the_full_score(student):
    """The solutions pass in the student's notebook and in Colab's versions, too."""
    total, full = 0, sum(question.points for question in graded(student))
    for question in graded(student):
        output = answer(student, question, question.answer)
        total += question.points
        assert f"{question.points} of {question.points} points" in output.text[0], output.text[0]
        assert f"Points so far: {total} of {full}" in output.text[0]
    assert f"{full} of {full} points" in student.kernel.run("sheet.score()").text[0]


def test_each_wrong_answer_is_told_what_is_wrong_with_it(student):
    """A sentence that begins with the kind of mistake, unless only the hidden checks can tell."""
    silent, wrong = [], [(q, label, source) for q in graded(student) for label, source in q.wrong]
    for question, label, source in wrong:
        (told,) = answer(student, question, source).text
        assert question.key in told
        if not any(f"{word}: " in told for word in WORDS.values()):
            silent.append(f"{question.key}: {label}")
        answer(student, question, question.answer)
    assert wrong
    assert silent == [], f"the public checks pass {len(silent)} of {len(wrong)} wrong answers"


def test_filled_in_it_runs_from_top_to_bottom(student):
    """With the experiment and whatever waits for answers; the score is full."""
    answers = {cell(student, "exercise", q.key): q.answer for q in student.master.questions.values()}
    answers |= {cell(student, "experiment", q.key): q.answer for q in student.master.questions.values()}
    outputs = {name: student.kernel.run(answers.get(s, s)) for name, s in student.cells.items()}
    assert {name: output.error for name, output in outputs.items() if output.error} == {}
    full = sum(question.points for question in graded(student))
    assert f"{full} of {full} points" in outputs["score"].text[0]
    for question in student.master.questions.values():
        if question.kind == "experiment":
            told = outputs[f"check-{question.key}".replace(".", "-")].text[-1]
            assert "FAILED" not in told, told
