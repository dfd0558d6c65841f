"""What is told of one question: points, checks, and why points are missing."""

from dataclasses import dataclass
from typing import Any

from coursekit.grading import hiding
from coursekit.grading.exercise import Question
from coursekit.grading.likeness import Behaviour
from coursekit.grading.problem import Outcome, Problem
from coursekit.grading.wire import LONGEST_TEXT

STOPS = ("timeout", "died", "protocol")
NO_ANSWER = Problem("type", "there is no answer.")
NOT_REACHED = Problem("type", "not reached: the checks can't go on with what came before.")


@dataclass(frozen=True)
class Graded:
    """One question as one attempt went: behaviour in the "public" and in the "hidden" tests."""

    found: dict[str, Behaviour]
    fault: Problem | None

    @property
    def outcomes(self) -> list[tuple[str, Outcome]]:
        """(which, outcome) of all checks."""
        return [(which, outcome) for which, seen in self.found.items() for outcome in seen.outcomes]

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(outcome.problem is None for _, outcome in self.outcomes)

    @property
    def full(self) -> bool:
        """Whether all did."""
        return self.passed == len(self.outcomes)

    def after(self, first: "Graded") -> "Graded":
        """This later attempt, with no more told than may be after the hidden tests of the first one."""
        public, before = self.found["public"], first.found["public"]
        outcomes = list(map(hiding.again, public.outcomes, before.outcomes))
        fault = self.fault and (first.fault or hiding.fault(self.fault))
        return Graded(self.found | {"public": Behaviour(outcomes, public.values)}, fault)


def padded(came: list[Outcome], names: list[str]) -> list[Outcome]:
    """As many outcomes as the solution gets, under the same names."""
    same = [Outcome(name, outcome.problem) for name, outcome in zip(names, came, strict=False)]
    return same + [Outcome(name, NOT_REACHED) for name in names[len(came) :]]


def unanswered(names: dict[str, list[str]]) -> Graded:
    """No check passes; `names` are those of the "public" and the "hidden" ones."""
    outcomes = {which: [Outcome(name, NO_ANSWER) for name in of] for which, of in names.items()}
    return Graded({which: Behaviour(seen, []) for which, seen in outcomes.items()}, None)


def mark(
    question: Question, answer: str, graded: Graded | None, like: str | None, seconds: float
) -> dict[str, Any]:
    """The report on one question, as JSON holds it.

    Args:
        question: of the master.
        answer: source of its cells, "" if there are none.
        graded: None where points are given by hand.
        like: label of the wrong answer that it behaves like.
        seconds: that it took.
    """
    points = None
    if graded is not None:
        points = round(question.points * graded.passed / max(len(graded.outcomes), 1), 2)
    return {
        "kind": question.kind,
        "points": points,
        "max": question.points,
        "seconds": seconds,
        "reason": reason(question, answer, graded),
        "checks": [_check(*check) for check in graded.outcomes] if graded else [],
        "like": like,
        "answer": answer,
    }


def untouched(question: Question, answer: str) -> bool:
    """Whether an answer is as it was handed out."""
    return answer.strip() == question.starter.strip()


def reason(question: Question, answer: str, graded: Graded | None) -> str:
    """Why points are missing, where it is not for the values that came; "" otherwise."""
    if not answer:
        return "no answer"
    if untouched(question, answer):
        return "not answered: as it was handed out"
    if graded is None or graded.full:
        return ""
    if graded.fault:
        return f"its cell fails: {graded.fault.text}"
    seen = [(which, outcome.problem) for which, outcome in graded.outcomes if outcome.problem]
    problems = [problem if which == "public" else hiding.hide(problem) for which, problem in seen]
    stop = next((problem.text for problem in problems if problem.kind in STOPS), "")
    return stop and f"it stopped: {stop}"


def _check(which: str, outcome: Outcome) -> dict[str, Any]:
    problem = outcome.problem
    shown = None if problem is None else {"kind": problem.kind, "text": problem.text[:LONGEST_TEXT]}
    return {"name": outcome.name, "which": which, "passed": problem is None, "problem": shown}
