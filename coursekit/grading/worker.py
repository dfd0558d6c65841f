"""The process that the sandbox starts: runs the prelude once, then forks a process for each session.

Every session so begins with the same state, without importing anything again. This process never reads
what an answer says; a second fork, the relay, carries bytes. Nothing of a session stays in its memory.
"""

import gc
import os
import shutil
import signal
import sys
import tempfile
from typing import Any

from coursekit.grading import confine, frames, landlock, seccomp
from coursekit.grading.answers import call, run, serve
from coursekit.grading.problem import Problem
from coursekit.grading.relay import Relay
from coursekit.grading.wire import PREFIX, pack, unpack

OWN = "session"  # the folder of each session, within that of the worker

Settings = dict[str, Any]


def main() -> None:
    """Serve the grader on stdin and stdout until it closes them."""
    _, payload = frames.read_frame(0)
    settings = message(payload)
    grader = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    restricted = restrict(settings)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    problem = run(namespace, settings["prelude"], "prelude") or warm_up(dict(namespace))
    os.dup2(null, 2)
    facts = {"filter": seccomp.supported(), "landlock": restricted, "user": os.getuid()}
    frames.write_frame(grader[1], frames.READY, pack({}, {"problem": problem and problem.text, **facts}))
    gc.collect()
    gc.freeze()
    while frames.read_frame(grader[0])[0] == frames.START:
        status, clean = session(*grader, namespace, settings)
        frames.write_frame(grader[1], frames.END, pack({}, {"status": status, "clean": clean}))


def warm_up(namespace: dict[str, Any]) -> Problem | None:
    """Run and call something once: what libraries load at first use is then there for every session."""
    return run(namespace, "def same(x):\n    return x\n", "warm-up") or call(namespace, "same", [None], {})


def message(data: bytes) -> Any:
    """The value of a message from the grader."""
    header, _ = PREFIX.unpack_from(data)
    return unpack(data[PREFIX.size : PREFIX.size + header], data[PREFIX.size + header :], sys.maxsize)[1]


def restrict(settings: Settings) -> bool:
    """Guard this process, and give up files by Landlock if that is asked for and possible; whether it did."""
    confine.guard_process()
    os.chdir(settings["folder"] or "/")
    if not settings["landlock"] or not landlock.version():
        return False
    landlock.restrict(settings["readable"], [os.devnull])
    return True


def session(
    grader_in: int, grader_out: int, namespace: dict[str, Any], settings: Settings
) -> tuple[int, bool]:
    """Run one session: how its process ended (as by waitpid), and whether it left the folder empty."""
    answers_in, answers_out = os.pipe(), os.pipe()
    answers = os.fork()
    if answers == 0:
        _in_child(_answer, answers_in[0], answers_out[1], namespace, settings)
    relay = os.fork()
    if relay == 0:
        os.close(answers_out[1])
        ends = grader_in, grader_out, answers_in[1], answers_out[0]
        _in_child(_carry, Relay(*ends, answers, settings["threads"], settings["folder"]), answers_in[0])
    for end in (*answers_in, *answers_out):
        os.close(end)
    os.waitpid(relay, 0)
    os.set_blocking(grader_out, True)  # as it was before the relay, which has the same end
    os.kill(answers, signal.SIGKILL)
    _, status = os.waitpid(answers, 0)
    return status, not settings["folder"] or wipe(settings["folder"])


def wipe(folder: str) -> bool:
    """Empty the temporary folder, and have its times tell nothing; whether that worked."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            os.unlink(entry.path)
    os.utime(folder)
    return not os.listdir(folder)


def move_in(folder: str) -> None:
    """Make a fresh folder for this session, within the worker's, and give up writing anywhere else."""
    own = os.path.join(folder, OWN)
    os.mkdir(own, 0o700)
    os.chdir(own)
    os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = own
    if landlock.version():
        landlock.restrict(["/"], [own, os.devnull])


def _in_child(function: Any, *args: Any) -> None:
    """Run a function in a fresh fork, which ends with it."""
    try:
        function(*args)
    finally:
        os._exit(0)


def _answer(incoming: int, outgoing: int, namespace: dict[str, Any], settings: Settings) -> None:
    incoming, outgoing = os.dup2(incoming, 500), os.dup2(outgoing, 501)  # out of the way of 3 and 4
    os.dup2(incoming, 3)
    os.dup2(outgoing, 4)
    os.closerange(5, 1024)
    if settings["folder"]:
        move_in(settings["folder"])
    confine.confine(settings["memory"], settings["seconds"], settings["disk"])
    serve(3, 4, namespace, settings["message"])


def _carry(relay: Relay, unused: int) -> None:
    os.close(unused)
    confine.guard_process()
    relay.run()


if __name__ == "__main__":
    main()
    sys.exit()
