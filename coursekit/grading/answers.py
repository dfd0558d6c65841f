"""Runs answers, in the one process that student code shares; nothing that it says is trusted."""

import re
import sys
from collections.abc import Callable
from typing import Any

from coursekit.grading.compare import describe
from coursekit.grading.frames import read_exactly, write_all
from coursekit.grading.guard import Guard, explain
from coursekit.grading.problem import Problem
from coursekit.grading.tests import execute
from coursekit.grading.wire import LARGEST_HEADER, PREFIX, pack, unpack

MAGIC = re.compile(r"^[ \t]*[%!].*$", re.M)


class StandIn:
    """Stands for what a notebook has and the sandbox has not; does nothing, whatever is asked of it."""

    def __call__(self, *_: Any, **__: Any) -> "StandIn":
        return self

    def __getattr__(self, name: str) -> "StandIn":
        return self


def serve(incoming: int, outgoing: int, namespace: dict[str, Any], longest: int) -> None:
    """Answer messages until the pipe closes.

    Args:
        incoming, outgoing: file descriptors.
        namespace: in which the prelude has run.
        longest: bytes of a reply.
    """
    namespace |= dict.fromkeys(("check", "sheet", "display", "get_ipython"), StandIn())
    acts: dict[str, Callable[..., Any]] = {"run": run, "call": call}
    while prefix := read_exactly(incoming, PREFIX.size):
        header, body = PREFIX.unpack(prefix)
        fields, value = unpack(read_exactly(incoming, header), read_exactly(incoming, body), sys.maxsize)
        result = acts[fields["op"]](namespace, *value)
        write_all(outgoing, _reply(fields["id"], result, longest))


def run(namespace: dict[str, Any], source: str, name: str) -> Problem | None:
    """Run a cell. What it defined before it failed stays defined."""
    try:
        try:
            execute(source, namespace, name)
        except SyntaxError:
            plain = MAGIC.sub("", source)  # notebooks know lines such as %matplotlib
            if plain == source:
                raise
            execute(plain, namespace, name)
    except BaseException as error:  # an answer may raise anything, and all of it is reported
        return Problem("exception", _explained(error))
    return None


def call(namespace: dict[str, Any], name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
    """The value of a call, or its problem."""
    if name not in namespace:
        return Problem("exception", f"NameError: {name} is not defined")
    try:
        return Guard(namespace[name])(*args, **keywords)
    except BaseException as error:  # as above
        return Problem("exception", _explained(error))


def _explained(error: BaseException) -> str:
    try:
        return explain(error)
    except Exception:  # raised by the student's own __str__
        return type(error).__name__


def _reply(identity: str, result: Any, longest: int) -> bytes:
    try:
        reply = pack({"id": identity}, result)
    except (TypeError, MemoryError):
        return pack({"id": identity}, Problem("type", f"{describe(result)} came, which can't be compared."))
    if len(reply) > longest or PREFIX.unpack_from(reply)[0] > LARGEST_HEADER:
        text = f"{describe(result)} came, {len(reply)} bytes, which is too large to be compared."
        return pack({"id": identity}, Problem("type", text))
    return reply
