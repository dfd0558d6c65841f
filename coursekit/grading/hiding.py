"""What may be told of problems once hidden inputs are known to the answers: their texts may carry those."""

import builtins
import re

from coursekit.grading.problem import Outcome, Problem

HIDDEN = {
    "inplace": "the call changed an argument in place.",
    "randomness": "the call changed a global random state.",
    "type": "a value of the wrong type came.",
    "timeout": "no result in time.",
    "died": "the process ended.",
    "protocol": "the answer wrote to the grader's channel.",
}
AGAIN = "it failed when it was run once more."


def hide(problem: Problem) -> Problem:
    """What may be told of a hidden test: the kind, and the type of an exception if it is Python's own."""
    if problem.kind != "exception":
        return Problem(problem.kind, HIDDEN.get(problem.kind, "the call failed."))
    kind = getattr(builtins, re.match(r"\w*", problem.text)[0], None)
    known = isinstance(kind, type) and issubclass(kind, BaseException)
    return Problem("exception", kind.__name__ if known else "an exception was raised.")


def fault(problem: Problem) -> Problem:
    """What may be told of a cell that fails when it runs again after hidden tests."""
    return Problem(problem.kind, AGAIN)


def again(outcome: Outcome, first: Outcome) -> Outcome:
    """What may be told of a public check after hidden tests, by what was told of it before them."""
    return Outcome(outcome.name, outcome.problem and (first.problem or hide(outcome.problem)))
