"""Files and members of zip archives, read into memory within limits: no link followed, nothing unpacked."""

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from coursekit.grading.notebook import MAX_BYTES, Unreadable

MAX_MEMBERS = 50_000  # of all submissions in one archive
MAX_ARCHIVE = 20_000_000  # bytes of a student's archive
MAX_ENTRIES = 2_000  # members of it
ENTRY = b"PK\x01\x02"  # stands before each member in an archive's directory
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)


@dataclass(frozen=True)
class Source:
    """Where the bytes of a file are: on disk, or in an archive on disk, or in an archive inside that one."""

    file: Path
    members: tuple[str, ...] = ()

    def read(self, limit: int = MAX_BYTES) -> bytes:
        """The content.

        Raises:
            Unreadable: "too large" (over `limit` bytes), "symbolic link", "not a file", "broken archive",
                "unsafe archive".
        """
        if not self.members:
            return read_file(self.file, limit)
        first, *inside = self.members
        with archive(self.file) as outer:
            content = read_member(outer, first, MAX_ARCHIVE if inside else limit)
        for member in inside:
            with student_archive(content) as inner:
                content = read_member(inner, member, limit)
        return content


def read_file(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The content of a regular file.

    Raises:
        Unreadable: "symbolic link", "not a file" (a pipe, a device, no permission) or "too large".
    """
    if path.is_symlink():
        raise Unreadable("symbolic link", f"{path.name} is a link; hand in the file itself.")
    try:
        # A pipe that nobody writes to would block for ever without O_NONBLOCK.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable("not a file", f"{path.name} can't be opened ({error.strerror}).") from error
    with open(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise Unreadable("not a file", f"{path.name} is no regular file.")
        return _bounded(file, path.name, facts.st_size, limit)


@contextmanager
def archive(file: Path | IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """A zip archive, open.

    Raises:
        Unreadable: "broken archive", also for what is found broken while it is in use; "unsafe archive".
    """
    with _named(), zipfile.ZipFile(file) as opened:
        if len(opened.infolist()) > MAX_MEMBERS:
            text = f"{len(opened.infolist())} files, at most {MAX_MEMBERS} are looked through."
            raise Unreadable("unsafe archive", text)
        yield opened


def student_archive(content: bytes) -> AbstractContextManager[zipfile.ZipFile]:
    """A student's own zip archive, open.

    Raises:
        Unreadable: as `archive`; "unsafe archive" also for more than MAX_ENTRIES members.
    """
    # The directory is not built before it is known to be small.
    if (count := content.count(ENTRY)) > MAX_ENTRIES:
        raise Unreadable("unsafe archive", f"{count} files, at most {MAX_ENTRIES} are looked through.")
    return archive(io.BytesIO(content))


def members(opened: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """The files of an archive, each name once, without folders and nameless ones."""
    for info in opened.NameToInfo.values():
        if not info.is_dir() and PurePosixPath(info.filename).parts:
            yield info


def read_member(opened: zipfile.ZipFile, name: str, limit: int = MAX_BYTES) -> bytes:
    """The content of one member; what the archive says of its size is not believed.

    Raises:
        Unreadable: "too large", "unsafe archive" (a link, a path that leads out of the archive) or
            "broken archive" (a password, a rare kind of compression).
    """
    info = opened.getinfo(name)
    check_member(info)
    with _named(), opened.open(info) as file:
        return _bounded(file, PurePosixPath(name).name, info.file_size, limit)


def check_member(info: zipfile.ZipInfo) -> None:
    """Refuse what an archive should not hold.

    Raises:
        Unreadable: as `read_member`.
    """
    path = PurePosixPath(info.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise Unreadable("unsafe archive", f"the path {info.filename[:80]!r} leads out of the archive.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Unreadable("unsafe archive", f"{info.filename[:80]!r} is a link; hand in the file itself.")
    if info.flag_bits & 0x1:
        raise Unreadable("broken archive", "it is locked with a password.")
    # Only these two are unpacked by zipfile in bounded steps.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable("broken archive", "its kind of compression is not read; use an ordinary zip.")


@contextmanager
def _named() -> Iterator[None]:
    """What a damaged archive raises has a name."""
    try:
        yield
    except Unreadable:
        raise
    except BROKEN as error:
        raise Unreadable("broken archive", f"it can't be read ({type(error).__name__}: {error}).") from error


def _bounded(file: IO[bytes], name: str, size: int, limit: int) -> bytes:
    content = file.read(limit + 1) if size <= limit else b""
    if size > limit or len(content) > limit:
        raise Unreadable("too large", f"{name[:80]} has more than {limit} bytes.")
    return content
