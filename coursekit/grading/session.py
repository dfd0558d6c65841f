"""One process for the answers of one submission, as the grader sees it."""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from coursekit.grading.channel import Channel, end
from coursekit.grading.problem import Problem
from coursekit.grading.wire import ProtocolError

ENDING = 10.0  # seconds for the end of a session, before the whole worker is killed


class Session(AbstractContextManager):
    """Runs cells and calls functions until one hangs, kills or cheats; then `alive` is False.

    Args:
        channel: to its process.
        kill: ends the worker; used where the process can't be ended alone.
    """

    def __init__(self, channel: Channel, kill: Callable[[], None]):
        self.channel, self.kill = channel, kill
        self.alive = True

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, source: str, name: str, seconds: float) -> Problem | None:
        """Run a cell, named in messages, for so many seconds; what it defines before it fails stays."""
        value = self._ask("run", [source, name], seconds)
        return value if isinstance(value, Problem) else None

    def call(self, name: str, args: list[Any], keywords: dict[str, Any], seconds: float) -> Any:
        """What a function returns, or a `Problem`.

        Args:
            name: of the function.
            args, keywords: values that `wire.pack` knows.
            seconds: how long it may take.

        Raises:
            TypeError: an argument is of another kind.
        """
        return self._ask("call", [name, args, keywords], seconds)

    def close(self) -> None:
        """End the process, whatever it does."""
        if self.alive:
            self._end()

    def _ask(self, act: str, value: list[Any], seconds: float) -> Any:
        try:
            return self.channel.ask(act, value, seconds)
        except TimeoutError:
            self._end()
            return Problem("timeout", f"no result within {seconds:.3g} s.")
        except ProtocolError as error:
            self._end()
            return Problem("protocol", f"the answer wrote to the grader's channel: {error}")
        except EOFError:
            return Problem("died", f"the process ended{self._end()}.")

    def _end(self) -> str:
        """End the process; how it had ended by itself, for people."""
        self.alive = False
        try:
            how = end(self.channel.line, ENDING)
        except (OSError, EOFError):
            how = {"clean": False, "status": 0}
        if not how["clean"]:
            self.kill()
        return cause(how["status"])


def cause(status: int) -> str:
    """How a process ended, from what waitpid said."""
    if not os.WIFSIGNALED(status):
        return f" with exit code {os.WEXITSTATUS(status)}"
    name = signal.Signals(os.WTERMSIG(status)).name
    return f" by {name}" + (", as happens with too many threads or files" if name == "SIGKILL" else "")
