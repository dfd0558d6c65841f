"""A master notebook of solutions/, read into an `Exercise`: text, questions, solutions, tests, answers."""

import ast
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("prelude", "exercise", "experiment", "probe", "check", "hidden", "wrong", "right")
MARKER = re.compile(rf"^# ({'|'.join(KINDS)})(?:: ([\w.-]+))?(?: \((\d+) points?\))?(?: \| (.+))?$")
WRITTEN = re.compile(r"^\*\*Answer to `([\w.-]+)` \((\d+) points?, graded by hand\)\.\*\*", re.M)
SOLUTION = re.compile(r"^([ ]*)# BEGIN SOLUTION\n(.*?)^[ ]*# END SOLUTION\n?", re.M | re.S)
MODEL_ANSWER = re.compile(r"<!-- BEGIN SOLUTION -->\n(.*?)<!-- END SOLUTION -->\n?", re.S)
STARTER = "# starter: "
HINT = re.compile(r"<summary>Hint \d</summary>")


@dataclass(frozen=True)
class Cell:
    """One cell of the master: its source, and the marker in its first line.

    Attributes:
        kind: "markdown", "code" (unmarked) or one of `KINDS`.
        key: of the question that the cell belongs to, else "".
        source: the whole text, marker included.
        label: what stands after `|` in the marker: which mistake a wrong answer is.
        points: of an answer cell, else None.
    """

    kind: str
    source: str
    key: str = ""
    label: str = ""
    points: int | None = None


@dataclass
class Question:
    """One question.

    Attributes:
        kind: "code" (graded by tests), "experiment" or "written" (both graded by hand).
        answer: source of the answer cell with its solution.
        target: name of the object that `check(key, target, public)` hands to the tests.
        probe: code that runs beside the answer and defines `target`, or "".
        public, hidden: code that defines `public(target)` and `hidden(target)`, generators of
            (name, value, expected) or (name, value, expected, tolerance).
        wrong, right: (label, source of the whole answer cell).
    """

    key: str
    kind: str
    points: int
    answer: str
    target: str = ""
    probe: str = ""
    public: str = ""
    hidden: str = ""
    hints: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=list)
    right: list[tuple[str, str]] = field(default_factory=list)

    @property
    def starter(self) -> str:
        """The answer cell as students get it."""
        return starter(self.answer)


@dataclass
class Exercise:
    """A master notebook.

    Attributes:
        name: of the file, such as "03-vae".
        title: its first heading.
        minutes: what a student needs.
        hardware: where it was measured.
        cells: all cells, in order.
        questions: by key, in order.
        version: hash of the whole text; results of another version are graded again.
    """

    name: str
    title: str
    minutes: int
    hardware: str
    cells: list[Cell]
    questions: dict[str, Question]
    version: str

    @property
    def prelude(self) -> str:
        """The instructor's code that runs before every answer."""
        return "\n\n".join(cell.source for cell in self.cells if cell.kind == "prelude")

    @property
    def points(self) -> int:
        """The most that can be reached."""
        return sum(question.points for question in self.questions.values())


def starter(source: str) -> str:
    """The text with every solution cut out; lines `# starter: ...` take its place, else `raise`."""

    def cut(match: re.Match) -> str:
        indent, body = match[1], match[2]
        given = [line.strip() for line in body.splitlines() if line.strip().startswith(STARTER.strip())]
        if not given:
            return f'{indent}raise NotImplementedError("Write your answer here.")\n'
        return "".join(indent + line[len(STARTER) :] + "\n" for line in given)

    return MODEL_ANSWER.sub("*Write your answer here.*\n", SOLUTION.sub(cut, source))


def read(path: str | Path) -> Exercise:
    """Read a master.

    Raises:
        ValueError: a marker is malformed, a key repeats, or a part belongs to no question; names the place.
    """
    return parse(Path(path).read_text(encoding="utf-8"), Path(path).stem)


def parse(text: str, name: str) -> Exercise:
    """The exercise in the text of a master; raises as `read`."""
    import jupytext

    where = f"{name}.md"
    notebook = jupytext.reads(text, fmt="md:myst")
    facts = notebook.metadata.get("exercise", {})
    cells = [_cell(cell.source, cell.cell_type, where) for cell in notebook.cells]
    headings = (re.search(r"^# (.+)$", cell.source, re.M) for cell in cells if cell.kind == "markdown")
    title = next((match[1] for match in headings if match), "")
    if not title or not isinstance(facts.get("minutes"), int) or not facts.get("hardware"):
        raise ValueError(
            f"{where}: needs a heading, and `exercise: {{minutes: 90, hardware: ...}}` in its header."
        )
    version = hashlib.sha256(text.encode()).hexdigest()[:16]
    questions = _questions(cells, where)
    return Exercise(name, title, facts["minutes"], facts["hardware"], cells, questions, version)


def _cell(source: str, cell_type: str, where: str) -> Cell:
    first = source.split("\n", 1)[0]
    if cell_type != "code":
        match = WRITTEN.search(source)
        return Cell("markdown", source, match[1], points=int(match[2])) if match else Cell("markdown", source)
    match = MARKER.match(first)
    if match:
        kind, key, points, label = match.groups()
        return Cell(kind, source, key or "", label or "", int(points) if points else None)
    if re.match(rf"# ?({'|'.join(KINDS)})\b", first):
        raise ValueError(
            f"{where}: can't read the marker {first!r}; expected such as '# exercise: vae.kl (2 points)'."
        )
    return Cell("code", source)


def _questions(cells: list[Cell], where: str) -> dict[str, Question]:
    questions: dict[str, Question] = {}
    hints = 0  # above a check, since the check before
    for cell in cells:
        hints += len(HINT.findall(cell.source)) if cell.kind == "markdown" else 0
        if cell.kind in ("exercise", "experiment") or (cell.kind == "markdown" and cell.key):
            if cell.key in questions:
                raise ValueError(f"{where}: the key {cell.key!r} stands twice; every question needs its own.")
            if not cell.key or not cell.points:
                raise ValueError(
                    f"{where}: {cell.source[:60]!r} needs a key and points, as in 'vae.kl (2 points)'."
                )
            kind = {"exercise": "code", "markdown": "written"}.get(cell.kind, cell.kind)
            questions[cell.key] = Question(cell.key, kind, cell.points, cell.source)
        elif cell.kind not in ("markdown", "code", "prelude"):
            if cell.key not in questions:
                raise ValueError(
                    f"{where}: '# {cell.kind}: {cell.key}' stands before its question, or has none."
                )
            question = questions[cell.key]
            if cell.kind in ("wrong", "right"):
                getattr(question, cell.kind).append((cell.label, cell.source))
            else:
                name = "public" if cell.kind == "check" else cell.kind
                if getattr(question, name):
                    raise ValueError(f"{where}: '# {cell.kind}: {cell.key}' stands twice.")
                setattr(question, name, cell.source)
            if cell.kind == "check":
                question.target, question.public = _split_check(cell.source, question.key, where)
                question.hints, hints = hints, 0
    return questions


def _split_check(source: str, key: str, where: str) -> tuple[str, str]:
    """Name of the checked object, and the cell without its last line, the call of check."""
    tree = ast.parse(source)
    last = tree.body[-1]
    match last:
        case ast.Expr(ast.Call(ast.Name("check"), [ast.Constant(k), ast.Name(target), ast.Name("public")])):
            if k == key:
                return target, "\n".join(source.splitlines()[: last.lineno - 1])
    raise ValueError(f"{where}: '# check: {key}' must end in check({key!r}, NAME, public).")
