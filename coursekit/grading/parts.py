"""Which cells of a submitted notebook answer which question."""

import re
from dataclasses import dataclass, field

from coursekit.grading.exercise import WRITTEN, Exercise, Question
from coursekit.grading.notebook import printable

MARKER = re.compile(r"\s*#+[ \t]*(?:exercise|experiment)[ \t]*:[ \t]*([\w.-]+)", re.I)
MOST_NOTES, LONGEST_KEY = 20, 60
DEFINED = re.compile(r"^(?:def|class)[ \t]+(\w+)", re.M)


@dataclass
class Parts:
    """What was handed in.

    Attributes:
        answers: key -> sources of its cells, in order; a key without a cell is missing.
        order: keys of the answer cells, as they stand in the notebook.
        notes: for people, on what is unusual.
    """

    answers: dict[str, list[str]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def cells(self, keys: set[str]) -> list[tuple[str, str]]:
        """(key, source) of the answer cells of some questions, as they stand in the notebook."""
        sources = {key: iter(self.answers[key]) for key in keys if key in self.answers}
        return [(key, next(sources[key])) for key in self.order if key in sources]

    def text(self, key: str) -> str:
        """The whole answer to a question; "" if there is none."""
        return "\n\n".join(self.answers.get(key, []))


def find(cells: list[tuple[str, str]], exercise: Exercise) -> Parts:
    """Sort the cells of a notebook, (cell type, source), by question.

    A cell that lost its first line is known by what it defines, if it is the only such cell.
    """
    cells = [(kind, printable(source)) for kind, source in cells]
    keys = [_key(kind, source) for kind, source in cells]
    found = Parts()
    for key, question in exercise.questions.items():
        if key not in keys and question.kind != "written":
            place = _unmarked(cells, keys, question, exercise)
            if place is not None:
                keys[place] = key
                found.notes.append(f"The answer to {key} lacks its first line '# {question.kind}: {key}'.")
    for key, (_, source) in zip(keys, cells, strict=True):
        if key in exercise.questions:
            found.answers.setdefault(key, []).append(source)
            found.order.append(key)
        elif key:
            found.notes.append(f"{key[:LONGEST_KEY]!r} is no question of {exercise.name}.")
    for key, sources in found.answers.items():
        if len(sources) > 1:
            found.notes.append(f"{len(sources)} cells answer {key}; all were run, in their order.")
    del found.notes[MOST_NOTES:]
    return found


def _key(kind: str, source: str) -> str:
    match = MARKER.match(source) if kind == "code" else WRITTEN.search(source)
    return match[1] if match else ""


def _unmarked(
    cells: list[tuple[str, str]], keys: list[str], question: Question, exercise: Exercise
) -> int | None:
    """Place of the only cell without a known key that defines all that the question's answer defines."""
    names = set(DEFINED.findall(question.starter))
    fits = [
        place
        for place, (kind, source) in enumerate(cells)
        if kind == "code" and keys[place] not in exercise.questions
        if names and names <= set(DEFINED.findall(source))
    ]
    return fits[0] if len(fits) == 1 else None
