"""Which sandbox works on this machine."""

from coursekit.grading.bubblewrap import INSTALL, Bubblewrap
from coursekit.grading.container import Container, Unsafe
from coursekit.grading.engine import Docker, Podman
from coursekit.grading.limits import Limits
from coursekit.grading.remote import Worker
from coursekit.grading.sandbox import Sandbox, SandboxError

SANDBOXES = {kind.name: kind for kind in (Bubblewrap, Podman, Docker, Container, Unsafe)}
BY_ITSELF = ("bubblewrap", "podman", "docker")  # the others only when asked for by name
PROBE = Limits(start=60)


def choose(name: str | None = None) -> Sandbox:
    """A sandbox that was seen to work.

    Args:
        name: "bubblewrap", "podman", "docker", "container" or "unsafe"; or the first of three that works.

    Raises:
        ValueError: there is none of that name.
        SandboxError: it does not work here, or none of the three does; says what to do.
    """
    if name is not None and name not in SANDBOXES:
        raise ValueError(f"There is no sandbox {name!r}; there are {', '.join(SANDBOXES)}.")
    reasons = {}
    for each in (name,) if name else BY_ITSELF:
        sandbox = SANDBOXES[each]()
        reasons[each] = problem(sandbox)
        if not reasons[each]:
            return sandbox
    lines = "".join(f"\n  {each}: {reason}" for each, reason in reasons.items())
    raise SandboxError(
        f"No sandbox works here, so no submission is run.{lines}\n"
        f"Install bubblewrap (as root: {INSTALL}). Inside a container made for one submission take the "
        f"sandbox 'container'. On a machine that may be lost --unsafe-local runs them without a sandbox."
    )


def problem(sandbox: Sandbox) -> str:
    """Why a sandbox does not work here; "" if a worker starts in it and ends again."""
    if lacking := sandbox.missing():
        return lacking
    try:
        with Worker(sandbox, "", PROBE) as worker:
            answer = worker.session().run("", "probe", PROBE.start)
    except SandboxError as error:
        return f"{str(error).rstrip('.')}. {sandbox.advice}".strip()
    return answer.text if answer else ""
