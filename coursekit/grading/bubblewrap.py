"""Bubblewrap, the sandbox of choice: starts in hundredths of a second and needs no administrator."""

import os
import shutil
import sys
from dataclasses import dataclass

from coursekit.grading.limits import Limits
from coursekit.grading.sandbox import NOBODY, WORKER, Sandbox, readable

INSTALL = "apt-get install bubblewrap"


@dataclass(frozen=True)
class Bubblewrap(Sandbox):
    """Namespaces of the kernel, by `bwrap`: no network, no other process, a file system of its own."""

    name = "bubblewrap"
    advice = "It needs bubblewrap 0.8 or newer and user namespaces, which some systems keep from users."

    def command(self, limits: Limits, label: str) -> list[str]:
        """See `Sandbox`."""
        user = ["--uid", str(NOBODY), "--gid", str(NOBODY), "--cap-drop", "ALL", "--hostname", "sandbox"]
        alone = ["--unshare-all", "--unshare-user", "--disable-userns", "--as-pid-1"]
        ends = ["--die-with-parent", "--new-session"]
        temporary = ["--perms", "1777", "--size", str(limits.disk), "--tmpfs", self.folder]
        made = ["--proc", "/proc", "--dev", "/dev", *temporary]
        sealed = [word for path in ("/proc", "/dev/pts", "/dev", "/") for word in ("--remount-ro", path)]
        room = [*made, *self._binds(), *sealed, "--chdir", self.folder]
        return [shutil.which("bwrap") or "bwrap", *alone, *ends, *user, *room, "--", sys.executable, *WORKER]

    def missing(self) -> str:
        """See `Sandbox`."""
        if not shutil.which("bwrap"):
            return f"bwrap is not installed: {INSTALL}."
        return ""

    def _binds(self) -> list[str]:
        binds = []
        for path in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
            if os.path.islink(path):
                binds += ["--symlink", os.readlink(path), path]
            else:
                binds += ["--ro-bind-try", path, path]
        return binds + [word for path in readable() for word in ("--ro-bind-try", path, path)]
