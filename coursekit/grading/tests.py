"""The tests of an exercise, from the source of its master to outcomes; in a trusted process."""

import linecache
from collections.abc import Callable
from typing import Any

from coursekit.grading import randomness
from coursekit.grading.compare import Outcome, outcomes
from coursekit.grading.exercise import Exercise, Question

Tests = Callable[[Callable[..., Any]], Any]


def execute(source: str, namespace: dict[str, Any], name: str) -> None:
    """Run source code in a namespace, under a name that stands in tracebacks beside the line."""
    filename = f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), namespace)


def prelude(exercise: Exercise) -> dict[str, Any]:
    """A namespace in which the instructor's prelude has run."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    execute(exercise.prelude, namespace, f"{exercise.name}, prelude")
    return namespace


def load_tests(exercise: Exercise) -> dict[str, dict[str, Tests]]:
    """Key -> {"public": ..., "hidden": ...} of every question graded by tests; the prelude runs once.

    Raises:
        ValueError: a cell fails or does not define its generator.
    """
    names = prelude(exercise)
    questions = exercise.questions.values()
    return {q.key: question_tests(q, names) for q in questions if q.kind == "code"}


def question_tests(question: Question, names: dict[str, Any]) -> dict[str, Tests]:
    """Both generators of a question; they see the names of the prelude, and hidden sees those of public.

    Raises:
        ValueError: a cell fails or does not define its generator.
    """
    namespace = dict(names)
    sources = {"public": question.public, "hidden": question.hidden}
    return {which: _load(source, which, question.key, namespace) for which, source in sources.items()}


def _load(source: str, which: str, key: str, namespace: dict[str, Any]) -> Tests:
    cell = f"# {'check' if which == 'public' else which}: {key}"
    try:
        execute(source, namespace, f"{which} tests of {key}")
    except Exception as error:
        raise ValueError(f"The cell {cell!r} fails: {type(error).__name__}: {error}") from error
    if not callable(namespace.get(which)):
        raise ValueError(f"The cell {cell!r} has to define {which}(target).")
    return namespace[which]


def run_tests(tests: Tests, target: Callable[..., Any], seed: int) -> list[Outcome]:
    """The outcomes of all checks. What the tests draw depends on the seed; random states are put back."""
    with randomness.seeded(seed):
        return list(outcomes(tests, target))
