"""Hold a master to its promises: solutions pass, starters and wrong answers fail, nothing leaks."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from coursekit.grading.exercise import MODEL_ANSWER, Exercise, Question
from coursekit.grading.leaks import leaks, raw_myst
from coursekit.grading.problem import Problem
from coursekit.grading.trial import Check, Plainly, Trial
from coursekit.grading.untouched import untouched

SEEDS = (0, 1, 2)
LEAST = {"public checks": 3, "hidden checks": 3, "wrong answers": 5, "right answers": 2}
HINTS = 3
SLIPS = ("NameError", "ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError")
NOTHING = Problem("exception", "NotImplementedError: no answer")


@dataclass
class Report:
    """What was counted, and every violation, each beginning with the key of its question.

    Attributes:
        name: of the exercise.
        questions: how many.
        rejected: wrong answers that fail, as they must.
        accepted: right answers, written differently, that pass.
    """

    name: str
    questions: int
    rejected: int = 0
    accepted: int = 0
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = f"{self.questions} questions, {self.rejected} wrong answers rejected"
        head = f"{self.name}: {counts}, {self.accepted} right alternatives accepted"
        return "\n".join([head, *(f"  {violation}" for violation in self.violations)])


def validate(exercise: Exercise) -> Report:
    """Look at a master as a whole and try every answer in it; trains no experiment.

    Returns:
        a report; the master is fit for use if it has no violations.
    """
    from coursekit.grading.build import student_notebook

    report = Report(exercise.name, len(exercise.questions))
    notebook = student_notebook(exercise, "https://github.com/owner/name", "https://example.org/")
    report.violations += [*leaks(exercise, notebook), *raw_myst(notebook)]
    try:
        trial = Trial(exercise)
    except Exception as error:
        report.violations.append(f"The prelude fails: {type(error).__name__}: {error}")
        return report
    for question in exercise.questions.values():
        found = _by_hand(question) if question.kind != "code" else _by_tests(question, trial, report)
        report.violations += [f"{question.key}: {violation}" for violation in found]
    report.violations += untouched(exercise)
    return report


def _by_hand(question: Question) -> Iterator[str]:
    if question.kind == "written" and not MODEL_ANSWER.search(question.answer):
        yield "there is no model answer between <!-- BEGIN SOLUTION --> and <!-- END SOLUTION -->."
    if question.kind == "experiment":
        if question.answer == question.starter:
            yield "there is no solution between # BEGIN SOLUTION and # END SOLUTION."
        if not question.public:
            yield "the experiment has no check cell."


def _by_tests(question: Question, trial: Trial, report: Report) -> Iterator[str]:
    """Every violation of one question; counts what holds."""
    yield from _form(question)
    missing = [part for part in ("public", "hidden") if not getattr(question, part)]
    if missing:
        yield f"it has no {' and no '.join(missing)} tests."
        return
    try:
        trial.tests(question)
        solution = trial.target(question, question.answer)
    except ValueError as error:
        yield f"the solution or its tests can't be run: {_line(error)}"
        return
    yield from _passes(question, "the solution", question.answer, trial)
    names = [(check.which, check.name) for check in trial.run(question, solution, SEEDS[0])]
    yield from _checks(question, trial, names)
    yield from _starter(question, trial)
    for label, source in question.wrong:
        complaints = list(_wrong(question, label, source, trial))
        report.rejected += not complaints
        yield from complaints
    for label, source in question.right:
        complaints = list(_passes(question, f"the right answer {label!r}", source, trial))
        report.accepted += not complaints
        yield from complaints


def _form(question: Question) -> Iterator[str]:
    """What can be seen without running anything."""
    counts = {"wrong answers": len(question.wrong), "right answers": len(question.right)}
    for what, count in counts.items():
        if count < LEAST[what]:
            yield f"it has {count} {what}, needs at least {LEAST[what]}."
    if question.hints != HINTS:
        yield f"{question.hints} hints stand above its check cell, it needs {HINTS}."
    labels = Counter(label for label, _ in (*question.wrong, *question.right))
    yield from (f"the label {label!r} stands {n} times." for label, n in labels.items() if n > 1)
    if "" in labels:
        yield "an answer has no label; write '# wrong: KEY | which mistake it is'."
    if question.answer == question.starter:
        yield "there is no solution between # BEGIN SOLUTION and # END SOLUTION."
    if "default_rng()" in question.hidden + question.public:
        yield "the tests use default_rng() without a seed; draw by torch.randn, which the grader seeds."
    if not _documented(question.starter):
        yield "the answer cell needs a docstring with shapes and units."


def _documented(source: str) -> bool:
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return False
    tops = [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return bool(tops) and all(ast.get_docstring(node) for node in tops)


def _checks(question: Question, trial: Trial, names: list[tuple[str, str]]) -> Iterator[str]:
    """Violations of the tests themselves."""
    for which in ("public", "hidden"):
        count = sum(name[0] == which for name in names)
        if count < LEAST[f"{which} checks"]:
            yield f"it has {count} {which} checks, needs at least {LEAST[f'{which} checks']}."
    yield from (f"two checks are called {name!r}." for (_, name), n in Counter(names).items() if n > 1)
    target = Plainly(trial.target(question, question.answer))
    other = [(check.which, check.name) for check in trial.run(question, target, SEEDS[1])]
    if other != names:
        moved = next((name for name in names if name not in other), names[-1])
        yield f"the {moved[0]} check {moved[1]!r} has another name for another seed; no name may be drawn."
    for kind in sorted(set(target.found)):
        yield f"{kind} can't be sent to another process; use tensors, arrays, numbers, texts, lists, dicts."
    failing = [(check.which, check.name) for check in trial.run(question, _no_answer, SEEDS[0])]
    if failing != names:
        stop = next((name for name in names if name not in failing), names[-1])
        yield (
            f"the {stop[0]} tests stop at or before {stop[1]!r} when a call fails; in a generator do not "
            "unpack, convert or branch on what an answer returns, but yield it or a part, as in f(x)[0]."
        )


def _no_answer(*args: object, **keywords: object) -> Problem:
    return NOTHING


def _passes(question: Question, who: str, source: str, trial: Trial) -> Iterator[str]:
    """One violation for each check that an answer fails, though it should pass all."""
    try:
        target = trial.target(question, source)
    except ValueError as error:
        yield f"{who} can't be run: {_line(error)}"
        return
    told = set()
    for seed in SEEDS:
        for check in trial.run(question, target, seed):
            if check.problem and check.name not in told:
                told.add(check.name)
                yield f"{who} fails the {_name(check)} (seed {seed}): {_text(check.problem)}"


def _starter(question: Question, trial: Trial) -> Iterator[str]:
    try:
        target = trial.target(question, question.starter)
    except ValueError as error:
        yield f"the starter can't be run: {_line(error)}"
        return
    for check in trial.run(question, target, SEEDS[0]):
        if not check.problem:
            yield f"the starter passes the {_name(check)}; every check has to fail for it."


def _wrong(question: Question, label: str, source: str, trial: Trial) -> Iterator[str]:
    who = f"the wrong answer {label!r}"
    try:
        target = trial.target(question, source)
    except ValueError as error:
        yield f"{who} can't be run: {_line(error)}"
        return
    for seed in SEEDS:
        checks = trial.run(question, target, seed)
        problems = [check.problem for check in checks if check.problem]
        if not problems:
            yield f"{who} passes all {len(checks)} checks (seed {seed})."
            return
        slips = [p for p in problems if p.kind == "exception" and p.text.startswith(SLIPS)]
        if slips:
            yield f"{who} fails by a slip of its own, not by its mistake: {_text(slips[0])}"
            return


def _name(check: Check) -> str:
    return f"{check.which} check {check.name!r}"


def _text(problem: Problem) -> str:
    return f"{problem.kind}: {_line(problem.text)}"


def _line(text: object) -> str:
    return " ".join(str(text).split("\n"))
