"""Sandboxes for tests: one for all, and a container where only root can read Python."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

from coursekit.grading.bubblewrap import INSTALL, Bubblewrap
from coursekit.grading.choose import problem
from coursekit.grading.container import Container
from coursekit.grading.limits import MEBIBYTE, Limits
from coursekit.grading.sandbox import PACKAGE, Sandbox

SMALL = Limits(
    call=0.7,
    cell=2.0,
    question=5.0,
    submission=20.0,
    memory=256 * MEBIBYTE,
    disk=8 * MEBIBYTE,
    threads=32,
    stops=1,
)


class Boxed(Container):
    """A `Container` inside bubblewrap, which only makes the folders above Python readable for all."""

    def start(self, limits: Limits, label: str, errors: IO[bytes]) -> subprocess.Popen:
        """See `Sandbox`."""
        user = str(self.identity()["user"])
        folders = [sys.prefix, sys.base_prefix, str(PACKAGE.parent)]
        above = sorted({str(parent) for folder in folders for parent in Path(folder).parents} - {"/"})
        homes = [path for path in above if path.count("/") == 1 and path not in ("/usr", "/opt")]
        tops = [word for home in homes for word in ("--perms", "0755", "--tmpfs", home)]
        below = [path for path in above if path.startswith(tuple(f"{home}/" for home in homes))]
        tops += [word for path in below for word in ("--perms", "0755", "--dir", path)]
        binds = [word for folder in folders for word in ("--bind", folder, folder)]
        box = ["bwrap", "--dev-bind", "/", "/", *tops, *binds, "--die-with-parent", "--cap-add", "ALL"]
        change = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
        return subprocess.Popen(
            [*box, *change, *self.command(limits, label)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=self.environment(),
            cwd="/",
            bufsize=0,
        )


def bubblewrap() -> Bubblewrap:
    """Bubblewrap, which these tests need."""
    why = problem(Bubblewrap())
    assert not why, f"These tests need bubblewrap; as root: {INSTALL}. {why}"
    return Bubblewrap()


def container() -> Sandbox:
    """A container that works for whoever runs the tests."""
    if not problem(Container()):
        return Container()
    assert shutil.which("bwrap"), f"This test needs bubblewrap; as root: {INSTALL}."
    return Boxed()
