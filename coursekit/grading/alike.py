"""Answers that are alike beyond what the exercise explains, whatever their names and spaces are.

An answer is cut into runs of six tokens, in which all names that the student could choose are the same.
Runs that the starter or an answer of the master has are expected; runs that many students have are common.
What is left is the student's own, and two students should not share much of it.
"""

import keyword
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations

from coursekit.grading.exercise import Question

RUN = 6
LONGEST = 20_000  # characters of an answer that are looked at
LEAST = 12  # shared runs of one's own; fewer happen by chance
SIMILAR = 0.6
TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*|\\\n)
    |(?P<text>[rbfuRBFU]{0,2}(?:\"{3}(?:\\.|[^\\])*?(?:\"{3}|\Z)|'{3}(?:\\.|[^\\])*?(?:'{3}|\Z)
        |"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))
    |(?P<number>\d[\w.]*)
    |(?P<attribute>\.[^\W\d]\w*)
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>.)""",
    re.X | re.S,
)

Run = tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """Two students whose answers are alike.

    Attributes:
        students: their keys.
        share: of the own runs of the one who has fewer, how many the other has too; 0 to 1.
        questions: in which.
    """

    students: tuple[str, str]
    share: float
    questions: tuple[str, ...]


def tokens(source: str) -> list[str]:
    """A program without comments, spaces, names and texts; attributes and keywords stay."""
    found = []
    for match in TOKEN.finditer(source[:LONGEST]):
        kind, word = match.lastgroup, match[0]
        if kind == "name":
            found.append(word if keyword.iskeyword(word) else "name")
        elif kind != "skip":
            found.append("text" if kind == "text" else word)
    return found


def runs(source: str) -> set[Run]:
    """All runs of tokens."""
    words = tokens(source)
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


def alike(answers: dict[str, dict[str, str]], questions: dict[str, Question]) -> list[Pair]:
    """The pairs of students that somebody should look at, the most similar first.

    Args:
        answers: student -> key -> source.
        questions: of the exercise, by key.
    """
    expected = {key: _expected(question) for key, question in questions.items()}
    own = {
        student: {(key, run) for key, source in given.items() for run in runs(source) - expected[key]}
        for student, given in answers.items()
    }
    common = max(5, len(answers) // 10)
    counts = Counter(run for found in own.values() for run in found)
    own = {student: {run for run in found if counts[run] <= common} for student, found in own.items()}
    shared = _shared(own)
    pairs = [_pair(students, same, own) for students, same in shared.items() if len(same) >= LEAST]
    alike = [pair for pair in pairs if pair.share >= SIMILAR]
    return sorted(alike, key=lambda pair: (-pair.share, pair.students))


def _expected(question: Question) -> set[Run]:
    """Runs that come with the exercise."""
    sources = [question.starter, question.answer, *(source for _, source in question.wrong + question.right)]
    return set().union(*(runs(source) for source in sources))


def _shared(own: dict[str, set[tuple[str, Run]]]) -> dict[tuple[str, str], set[tuple[str, Run]]]:
    """Pair of students -> what both have."""
    owners: dict[tuple[str, Run], list[str]] = defaultdict(list)
    for student in sorted(own):
        for run in own[student]:
            owners[run].append(student)
    shared: dict[tuple[str, str], set[tuple[str, Run]]] = defaultdict(set)
    for run, students in owners.items():
        for pair in combinations(students, 2):
            shared[pair].add(run)
    return shared


def _pair(
    students: tuple[str, str], same: set[tuple[str, Run]], own: dict[str, set[tuple[str, Run]]]
) -> Pair:
    share = len(same) / min(len(own[student]) for student in students)
    return Pair(students, share, tuple(sorted({key for key, _ in same})))
