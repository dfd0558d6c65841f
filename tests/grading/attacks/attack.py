"""A hostile or broken submission, and what is fair for it."""

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from coursekit.grading.exercise import read

MASTER = Path(__file__).with_name("master.md")
TRACE = "coursekit-attack"  # in the name of every file that an attack leaves
CODE = [question for question in read(MASTER).questions.values() if question.kind == "code"]
HONEST = {question.key: question.answer for question in CODE}
FULL = dict.fromkeys(HONEST, 2.0)


@dataclass(frozen=True)
class Attack:
    """One submission.

    Attributes:
        name: what it tries, in a few words.
        cells: of the notebook, (cell type, source).
        points: that are fair, by key.
        says: a part of what is told: of the reason, or of a problem of the attacked question.
        key: of the attacked question.
        seconds: that are enough for grading it.
    """

    name: str
    cells: list[tuple[str, str]]
    points: dict[str, float] = field(default_factory=dict)
    says: str = ""
    key: str = "rows.mean"
    seconds: float = 6.0


def answer(name: str, body: str, fair: float = 0.0, says: str = "", key: str = "rows.mean", **more) -> Attack:
    """Honest answers, but for one cell, which gets `fair` points."""
    cells = HONEST | {key: f"# exercise: {key} (2 points)\n" + dedent(body).strip()}
    return Attack(name, code(cells.values()), FULL | {key: fair}, says, key, **more)


def beside(name: str, body: str, key: str = "rows.mean", **more) -> Attack:
    """Honest answers, one of which does something else before; all get full points."""
    head, rest = HONEST[key].split("\n", 1)
    cells = HONEST | {key: f"{head}\n{dedent(body).strip()}\n\n{rest}"}
    return Attack(name, code(cells.values()), dict(FULL), key=key, **more)


def notebook(name: str, cells: list[str | tuple[str, str]], fair: dict[str, float], **more) -> Attack:
    """A notebook of these cells; questions that are not named get no points."""
    pairs = [cell if isinstance(cell, tuple) else ("code", cell) for cell in cells]
    return Attack(name, pairs, dict.fromkeys(HONEST, 0.0) | fair, **more)


def code(sources) -> list[tuple[str, str]]:
    """Code cells of these sources."""
    return [("code", source) for source in sources]
