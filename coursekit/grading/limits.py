"""How much time, memory and room a submission gets."""

from dataclasses import dataclass

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """Limits for one submission; whatever goes beyond them costs that question alone.

    Attributes:
        call: seconds for one call of an answer.
        cell: seconds for running one answer cell.
        question: seconds for all that belongs to one question.
        submission: seconds for everything.
        start: seconds for starting the sandbox and running the prelude.
        memory: bytes that the answers may take beyond what the prelude took.
        disk: bytes of the temporary folder, where there is one of its own.
        message: bytes of one message, either way.
        threads: of the process in which the answers run.
        stops: after so many calls of one question that hung or killed the process, no more are made.
    """

    call: float = 10.0
    cell: float = 10.0
    question: float = 30.0
    submission: float = 300.0
    start: float = 120.0
    memory: int = 2048 * MEBIBYTE
    disk: int = 64 * MEBIBYTE
    message: int = 16 * MEBIBYTE
    threads: int = 64
    stops: int = 2
