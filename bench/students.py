"""A class of students: notebooks for an exercise as they come, right, wrong, broken and hostile."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from coursekit.grading.exercise import Exercise

HOSTILE = {
    "loops": "while True:\n    pass",
    "exits": "import os\n\nos._exit(0)",
    "raises": "raise SystemExit",
    "eats memory": "x = []\nwhile True:\n    x.append(bytearray(10**8))",
    "forks": "import os\n\nwhile True:\n    os.fork()",
    "floods": "for _ in range(10**5):\n    print('x' * 100)",
    "patches": "import numpy as np\n\nnp.allclose = np.array_equal = lambda *a, **k: True",
    "spies": "open('/etc/shadow').read()",
}
BROKEN = {
    "cut": lambda content: content[: len(content) // 2],
    "a PDF": lambda content: b"%PDF-1.7 my homework",
    "empty": lambda content: b"",
    "no cells": lambda content: b'{"nbformat": 4}',
}
DEFINED = re.compile(r"^(?:def|class) (\w+)", re.M)
KINDS = ("right", "right", "right", "wrong", "wrong", "wrong", "wrong", "syntax", "left out", "starter")


@dataclass(frozen=True)
class Notebook:
    """What a student hands in.

    Attributes:
        name: of the student.
        kind: what is the matter with it.
        content: of the file.
        least: points that it deserves at least: for right answers that build on no wrong one.
    """

    name: str
    kind: str
    content: bytes
    least: float


def classroom(exercise: Exercise, n: int, hostile: bool = True, seed: int = 0) -> Iterator[Notebook]:
    """n different notebooks; with `hostile` one in ten attacks the grader or is no notebook at all."""
    draw = random.Random(seed)
    for i in range(n):
        name = f"student{i:04}"
        right, answers = _answers(exercise, draw)
        if hostile and i % 20 == 0:
            kind = draw.choice(list(BROKEN))
            yield Notebook(name, kind, BROKEN[kind](notebook(exercise, answers, name)), 0.0)
            continue
        kind = "ordinary"
        if hostile and i % 20 == 10:
            kind, key = draw.choice(list(HOSTILE)), draw.choice(list(exercise.questions))
            answers[key] = f"{exercise.questions[key].answer}\n\n\n{HOSTILE[kind]}"
            right = {other for other in right - {key} if not _builds_on(exercise, other, {key})}
        least = sum(exercise.questions[key].points for key in right)
        yield Notebook(name, kind, notebook(exercise, answers, name), least)


def _answers(exercise: Exercise, draw: random.Random) -> tuple[set[str], dict[str, str]]:
    """Keys of the questions answered rightly, and all answers."""
    right, answers = set(), {}
    for key, question in exercise.questions.items():
        kind = draw.choice(KINDS)
        if question.kind != "code" or kind == "left out":
            continue
        given = {
            "right": draw.choice([question.answer, *(source for _, source in question.right)]),
            "wrong": draw.choice(question.wrong)[1],
            "starter": question.starter,
            "syntax": question.answer.replace("return", "return ("),
        }
        answers[key] = given[kind]
        right |= {key} if kind == "right" else set()
    wrong = exercise.questions.keys() - right
    return {key for key in right if not _builds_on(exercise, key, wrong)}, answers


def _builds_on(exercise: Exercise, key: str, others: set[str]) -> bool:
    """Whether an answer uses what the answer to one of the other questions defines."""
    names = {name for other in others for name in DEFINED.findall(exercise.questions[other].answer)}
    question = exercise.questions[key]
    sources = [question.answer, question.probe, *(source for _, source in question.right)]
    return any(re.search(rf"\b{name}\b", source) for name in names for source in sources)


def notebook(exercise: Exercise, answers: dict[str, str], name: str) -> bytes:
    """The prelude, and each answer with its marker and probe; nothing that needs the package."""
    cells = [_cell("markdown", f"# {exercise.title}\n\n{name}"), _cell("code", exercise.prelude)]
    for key, question in exercise.questions.items():
        if key in answers:
            marker, body = question.answer.split("\n", 1)[0], answers[key].split("\n", 1)[1]
            cells.append(_cell("code", f"{marker}\n# {name}\n{body}"))
            if question.probe:
                cells.append(_cell("code", question.probe))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 4}).encode()


def _cell(kind: str, source: str) -> dict:
    cell = {"cell_type": kind, "metadata": {}, "source": source}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})
