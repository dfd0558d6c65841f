"""Where data lie on this computer, and files that are either whole or found out."""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

DIGEST = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """The user's cache folder for coursekit, where things that can be made again are kept.

    `$XDG_CACHE_HOME/coursekit` where that is set, else what the system uses. It need not exist yet.
    """
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "coursekit"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "coursekit"
    if sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"]) / "coursekit" / "Cache"
    return Path.home() / ".cache" / "coursekit"


def data_folder() -> Path:
    """The folder of the real data sets: `$COURSEKIT_DATA`, else `data` in the user's cache folder."""
    chosen = os.environ.get("COURSEKIT_DATA")
    return Path(chosen).expanduser() if chosen else cache_folder() / "data"


def write_sealed(path: Path, payload: bytes) -> None:
    """Writes the payload behind its SHA-256, at once: other processes see the whole file or none.

    Raises:
        OSError: the folder can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(payload).digest() + payload)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_sealed(path: Path) -> bytes:
    """The payload that `write_sealed` stored.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is cut short or was altered.
    """
    content = path.read_bytes()
    payload = content[DIGEST:]
    if hashlib.sha256(payload).digest() != content[:DIGEST]:
        raise ValueError(f"{path} is damaged: its content does not have the checksum it was stored with.")
    return payload
