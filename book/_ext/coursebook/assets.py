"""What the book takes from npm packages, once: scripts that it serves itself, fonts and tools.

`requirements/npm.json` pins every package by version and hash and names the files wanted of it, all of which
are published; `npm-tools.json` names what only the build needs, `npm-print.json` what only the printed book
needs, `npm-test.json` what only tests need. They are kept beside the Python environment, so that a cleaned
build folder needs no network.
"""

import hashlib
import json
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from coursebook.cache import ROOT
from coursebook.npm import npm

LOCK = ROOT / "requirements" / "npm.json"
TOOLS = LOCK.with_name("npm-tools.json")
PRINT = LOCK.with_name("npm-print.json")
TEST_LOCK = LOCK.with_name("npm-test.json")


def assets_path(lock: Path = LOCK) -> Path:
    """The folder that holds the files named in `lock`; a new lock file is a new folder."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    return Path(sys.prefix) / "share" / "coursebook" / digest


def ensure(lock: Path = LOCK) -> Path:
    """Fetch what `lock` names unless it is there already, and return its folder."""
    target = assets_path(lock)
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        unpacked = Path(folder) / "assets"
        for spec, package in json.loads(lock.read_text()).items():
            pick(verified(pack(spec, Path(folder)), package["sha512"]), package["files"], unpacked)
        unpacked.rename(target)
    return target


def pack(spec: str, folder: Path) -> Path:
    """Let npm fetch the package `spec` (name@version) into `folder`; the archive's path."""
    done = npm("pack", spec, "--pack-destination", folder)
    if done.returncode:
        raise FileNotFoundError(
            f"The book's scripts and fonts are not below {folder.parent}, and npm could not fetch {spec}:\n"
            f"{done.stderr.strip()}\nRun `make book` once with a network; after that none is needed."
        )
    return folder / done.stdout.split()[-1]


def verified(archive: Path, sha512: str) -> Path:
    """The archive itself, if its hash is the pinned one."""
    found = hashlib.sha512(archive.read_bytes()).hexdigest()
    if found != sha512:
        raise ValueError(f"{archive.name} has sha512 {found}, but the lock file pins {sha512}.")
    return archive


def pick(archive: Path, wanted: dict[str, str], target: Path) -> None:
    """Copy the files or folders `wanted` (path in the package -> path below target) out of the archive."""
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder, tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
        package = next(Path(folder).iterdir())
        for source, name in wanted.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (package / source).is_dir() else shutil.copy
            copy(package / source, target / name)


if __name__ == "__main__":
    for path in sys.argv[1:] or [LOCK, TOOLS, PRINT]:
        ensure(Path(path))
