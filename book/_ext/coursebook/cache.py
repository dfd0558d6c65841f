"""Where the executed chapters are kept, so that an edit of the package makes them run again.

A notebook cache looks at the code cells alone. What the cells import is part of the answer too, so the cache
folder is named after a hash of everything a chapter can read: the package, the lock file, the trained weights
and the recorded results.
"""

import hashlib
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
READ_BY_CHAPTERS = ("coursekit", "requirements/dev.txt", "book/weights", "book/results")
KEEP = 4


def files(path: Path) -> list[Path]:
    """The files below `path` (or `path` itself) that can change what a chapter shows, in a fixed order."""
    found = [path] if path.is_file() else path.rglob("*")
    return sorted(p for p in found if p.is_file() and "__pycache__" not in p.parts)


def cache_key(root: Path = ROOT, names: tuple[str, ...] = READ_BY_CHAPTERS) -> str:
    """16 hexadecimal digits that change with the content or name of any file in these places."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for path in (file for name in names for file in files(root / name)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def cache_path(root: Path = ROOT) -> Path:
    """The folder of executed chapters that belongs to the sources as they are now."""
    return root / "_build" / ".jupyter_cache" / cache_key(root)


def prune(current: Path, keep: int = KEEP) -> None:
    """Remove all but the `keep` newest cache folders beside `current`, which always stays."""
    others = [path for path in current.parent.glob("*") if path.is_dir() and path != current]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[keep - 1 :]:
        shutil.rmtree(path)
