"""What must not reach students: secret lines, and text that only the book can show."""

import io
import re
import tokenize
from collections.abc import Iterator

from nbformat import NotebookNode

from coursekit.grading.exercise import MODEL_ANSWER, Exercise, Question

SHORTEST = 10  # characters from which on a line can give something away
MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "# starter:", "# hidden:", "# wrong:", "# right:")
RAW = {
    "a directive": re.compile(r"^ *[`:]{3,}\{", re.M),
    "a role": re.compile(r"\{[a-z:]+\}`"),
    "a label": re.compile(r"^\([\w.-]+\)=", re.M),
    "a labelled equation": re.compile(r"\$\$ *\([\w:.-]+\)"),
    "a cell break": re.compile(r"^\+\+\+", re.M),
    "a relative link": re.compile(r"\]\((?!https?://|#)[^)]*\)"),
}


def leaks(exercise: Exercise, notebook: NotebookNode) -> list[str]:
    """One message for each secret line or marker found in the student's notebook.

    Secret is every line of a solution, of hidden tests and of wrong or right answers, stripped and without
    comments, of at least 10 characters, that no starter, probe or prelude has. In text it counts anywhere.
    """
    code = [line for cell in notebook.cells if cell.cell_type == "code" for line in uncommented(cell.source)]
    shown, text = set(code), "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = [
        f"{where}: the line {line!r} appears in the student's notebook; word one of the two differently."
        for line, where in secrets(exercise).items()
        if line in shown or line in text
    ]
    whole = "\n".join(cell.source for cell in notebook.cells)
    return found + [f"The marker {m!r} appears in the student's notebook." for m in MARKERS if m in whole]


def raw_myst(notebook: NotebookNode) -> list[str]:
    """One message for each piece of text that neither Colab nor GitHub shows as it is meant."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    found = [(name, match) for text in texts for name, p in RAW.items() for match in p.finditer(text)]
    return [f"The text holds {name}, {_line(match)!r}, which notebooks don't show." for name, match in found]


def secrets(exercise: Exercise) -> dict[str, str]:
    """Line -> where it comes from."""
    questions = exercise.questions.values()
    given = "\n".join([exercise.prelude, *(f"{q.starter}\n{q.probe}" for q in questions)])
    known = {line.strip() for line in given.splitlines()} | set(uncommented(given))
    found: dict[str, str] = {}
    for question in questions:
        for where, lines in _parts(question):
            for line in lines:
                if len(line) >= SHORTEST and line not in known:
                    found.setdefault(line, f"{question.key}, {where}")
    return found


def uncommented(source: str) -> list[str]:
    """The lines of Python code, stripped and without comments; as they are where it isn't Python."""
    lines = source.splitlines()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return [line.strip() for line in lines]
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return [line.strip() for line in lines]


def _parts(question: Question) -> Iterator[tuple[str, list[str]]]:
    yield "solution", _solution(question)
    yield "hidden tests", uncommented(question.hidden)
    for kind in ("wrong", "right"):
        for label, source in getattr(question, kind):
            yield f"{kind} answer {label!r}", uncommented(source)


def _solution(question: Question) -> list[str]:
    """What stands between the markers of a solution."""
    if question.kind == "written":
        texts = [match[1] for match in MODEL_ANSWER.finditer(question.answer)]
        return [line.strip() for text in texts for line in text.splitlines()]
    lines, inside = [], False
    for line, plain in zip(question.answer.splitlines(), uncommented(question.answer), strict=True):
        inside = (inside or "# BEGIN SOLUTION" in line) and "# END SOLUTION" not in line
        lines += [plain] if inside else []
    return lines


def _line(match: re.Match) -> str:
    text = match.string
    start = text.rfind("\n", 0, match.start()) + 1
    return text[start:].split("\n", 1)[0][:80]
