"""What a student reads after a check: a small table in a notebook, plain text elsewhere."""

from dataclasses import dataclass
from html import escape
from itertools import groupby

from coursekit.grading.problem import Outcome, Problem

WORDS = {
    "type": "Wrong type",
    "shape": "Wrong shape",
    "dtype": "Wrong dtype",
    "device": "Wrong device",
    "nan": "NaN or infinity",
    "value": "Wrong value",
    "inplace": "Argument changed",
    "randomness": "Random state changed",
    "exception": "Exception",
}
NOT_YET = "NotImplementedError"
UNANSWERED = "Not answered yet. Write your answer in the cell above, run it, then run this cell again."
STUCK = "Stuck? The hints above this cell open one at a time."
# Middle tones: they read on white and on black. What they say is said by signs and words, too.
GOOD, BAD, GREY = "#259b5e", "#de5b49", "rgba(128,128,128,0.35)"
TABLE = "color:inherit;border-collapse:collapse;border-left:4px solid {color};margin:0.3em 0"
CELL = "text-align:left;vertical-align:top;padding:0.25em 0.8em;color:inherit;background:transparent"
VALUES = "white-space:pre-wrap;font-family:monospace;font-size:0.95em"


@dataclass(frozen=True)
class Feedback:
    """The result of one call of check.

    Attributes:
        key: of the question.
        outcomes: of its public checks, in order.
        points, of: reached and reachable; `of` is None where points are given by hand.
        total, total_of: of all checks of the exercise so far.
    """

    key: str
    outcomes: tuple[Outcome, ...]
    points: float
    of: int | None
    total: float
    total_of: int

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(outcome.problem is None for outcome in self.outcomes)

    @property
    def unanswered(self) -> bool:
        """Whether the starter is still untouched."""
        texts = [outcome.problem.text for outcome in self.outcomes if outcome.problem]
        return len(texts) == len(self.outcomes) and all(text.startswith(NOT_YET) for text in texts)

    @property
    def headline(self) -> str:
        """Key, checks passed and points."""
        points = "graded by hand" if self.of is None else f"{self.points:g} of {self.of} points"
        return f"{self.key}: {self.passed} of {len(self.outcomes)} checks passed, {points}"

    @property
    def footer(self) -> list[str]:
        """What to do next, and the points so far."""
        failed = self.passed < len(self.outcomes) and not self.unanswered
        so_far = f"Points so far: {self.total:g} of {self.total_of}, by public checks."
        return [*([STUCK] if failed else []), so_far]

    @property
    def rows(self) -> list[tuple[str, Problem | None]]:
        """Names and problem; checks in a row with the same problem share one."""
        groups = groupby(self.outcomes, key=lambda outcome: outcome.problem)
        rows = []
        for problem, group in groups:
            names = [outcome.name for outcome in group]
            rows += [(", ".join(names), problem)] if problem else [(name, None) for name in names]
        return rows

    def __repr__(self) -> str:
        lines = [self.headline]
        for names, problem in [] if self.unanswered else self.rows:
            lines.append(f"  {'FAILED' if problem else 'passed'}  {names}")
            if problem:
                lines += [f"          {line}" for line in f"{_word(problem)}: {problem.text}".splitlines()]
        lines += [f"  {UNANSWERED}"] if self.unanswered else []
        return "\n".join([*lines, *(f"  {line}" for line in self.footer)])

    def _repr_html_(self) -> str:
        rows = [_row("·", GREY, UNANSWERED, "")] if self.unanswered else []
        for names, problem in [] if self.unanswered else self.rows:
            sign, color = ("✗", BAD) if problem else ("✓", GOOD)
            rows.append(_row(sign, color, escape(names), _explained(problem) if problem else "passed"))
        color = GREY if self.unanswered else GOOD if self.passed == len(self.outcomes) else BAD
        return _table(color, self.headline, rows, self.footer)


@dataclass(frozen=True)
class Score:
    """The sheet at the end: what the public checks gave, and what is graded by hand.

    Attributes:
        exercise: its name.
        questions: key, points (None: not checked yet), of how many.
        by_hand: key -> how many points.
    """

    exercise: str
    questions: tuple[tuple[str, float | None, int], ...]
    by_hand: dict[str, int]

    @property
    def headline(self) -> str:
        """The points so far."""
        reached = sum(points or 0 for _, points, _ in self.questions)
        return f"{self.exercise}: {reached:g} of {sum(of for *_, of in self.questions)} points"

    @property
    def footer(self) -> list[str]:
        """What these points are."""
        lines = ["These points are by public checks. Hidden checks of the same kind join them in grading."]
        by_hand = sum(self.by_hand.values())
        return lines + ([f"{by_hand} more points are given by hand."] if by_hand else [])

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """Sign, key, points in words."""
        rows = []
        for key, points, of in self.questions:
            words = "not checked yet" if points is None else f"{points:g} of {of}"
            rows.append(("✓" if points == of else "·" if points is None else "✗", key, words))
        return rows + [("·", key, f"graded by hand, of {of}") for key, of in self.by_hand.items()]

    def __repr__(self) -> str:
        width = max(len(key) for _, key, _ in self.rows)
        lines = [f"  {sign} {key:<{width}}  {words}" for sign, key, words in self.rows]
        return "\n".join([self.headline, *lines, *(f"  {line}" for line in self.footer)])

    def _repr_html_(self) -> str:
        colors = {"✓": GOOD, "✗": BAD, "·": GREY}
        rows = [_row(sign, colors[sign], escape(key), words) for sign, key, words in self.rows]
        whole = all(points == of for _, points, of in self.questions)
        return _table(GOOD if whole else GREY, self.headline, rows, self.footer)


def _word(problem: Problem) -> str:
    return WORDS.get(problem.kind, problem.kind.capitalize())


def _explained(problem: Problem) -> str:
    first, *others = problem.text.splitlines() or [""]
    values = f'<div style="{VALUES}">{escape(chr(10).join(others))}</div>' if others else ""
    return f"<b>{_word(problem)}:</b> {escape(first)}{values}"


def _row(sign: str, color: str, name: str, text: str) -> str:
    mark = f'<td style="{CELL};width:1em;color:{color};font-weight:bold">{sign}</td>'
    if not text:
        return f'<tr>{mark}<td style="{CELL}" colspan=2>{name}</td></tr>'
    return f'<tr>{mark}<td style="{CELL};min-width:9em">{name}</td><td style="{CELL}">{text}</td></tr>'


def _table(color: str, headline: str, rows: list[str], footer: list[str]) -> str:
    head = f'<tr><th colspan=3 style="{CELL}">{escape(headline)}</th></tr>'
    foot = f'<tr><td colspan=3 style="{CELL};opacity:0.75">{escape(" ".join(footer))}</td></tr>'
    return f'<table style="{TABLE.format(color=color)}">{head}{"".join(rows)}{foot}</table>'
