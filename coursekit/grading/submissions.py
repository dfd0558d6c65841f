"""Find what students handed in: a folder or a zip, as a learning system gives it, read without trust."""

import datetime
import functools
import hashlib
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from coursekit.grading.archives import MAX_ARCHIVE, Source, archive, members, read_member, student_archive
from coursekit.grading.notebook import MAX_BYTES, Unreadable, printable

MAX_NOTEBOOKS = 50  # in a student's archive
MAX_UNPACKED = 50_000_000  # bytes of all of them

CANVAS = re.compile(r"^(?P<name>[^_]+)(?:_LATE)?_(?P<number>\d+)_\d+_.+$")
MOODLE = re.compile(r"^(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+_")


@dataclass(frozen=True)
class Submission:
    """One file that a student handed in.

    Attributes:
        student: the student's name, as far as file and folder names tell it.
        number: that of the student (Canvas) or participant (Moodle) in the learning system, or "".
        path: where the file is, below the folder that was given; an archive counts as a folder.
        submitted: time of the file, in the local time zone; None if its archive does not tell.
        changed: time of the notebook inside the student's own archive, else `submitted`.
        source: how to read it.
        sha256: of its content, "" if it can't be read.
        problem: why it can't be graded, or None.
    """

    student: str
    number: str
    path: str
    submitted: datetime.datetime | None
    changed: datetime.datetime | None
    source: Source
    sha256: str = ""
    problem: Unreadable | None = field(default=None, compare=False)

    def read(self) -> bytes:
        """The content that was found.

        Raises:
            Unreadable: it can't be read any more, or is another one by now ("changed").
        """
        content = self.source.read()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise Unreadable("changed", f"{self.path} was changed while the grader ran; run it again.")
        return content


def find(folder: str | Path) -> list[Submission]:
    """Every file in a folder or a zip of submissions, sorted by path; hidden ones are passed over.

    Names are told by the file name (Canvas), the folder name (Moodle, or a folder per student), or are the
    file's name without its ending. A student's own zip is looked into.

    Raises:
        FileNotFoundError: there is no such folder or zip.
        ValueError: it holds nothing, or is neither.
    """
    folder = Path(folder)
    if folder.is_dir():
        found = list(_in_folder(folder))
    elif folder.is_file() and folder.suffix.lower() == ".zip":
        found = list(_in_archive(folder))
    elif folder.exists():
        raise ValueError(f"{folder} is neither a folder nor a .zip of submissions.")
    else:
        raise FileNotFoundError(f"{folder} is not there: give the folder, or the zip, of submissions.")
    if not found:
        raise ValueError(f"{folder} holds no file: give the folder that the learning system gave you.")
    return sorted(found, key=lambda one: one.path)


def who(path: PurePosixPath) -> tuple[str, str]:
    """Name and number of the student whose file has this path below the folder of submissions."""
    for part in path.parts:
        match = MOODLE.match(part)
        if match:
            return match["name"], match["number"]
    match = CANVAS.match(path.name)
    if match:
        return match["name"], match["number"]
    folders = [part for part in path.parts[:-1] if part not in ("..", "/")]
    return folders[0] if folders else path.stem, ""


def _in_folder(folder: Path) -> Iterator[Submission]:
    for parent, folders, files in os.walk(folder):  # which does not follow links
        folders[:] = [name for name in folders if not _hidden(name)]
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in (*files, *links):
            path = Path(parent, name)
            if not _hidden(name):
                below = PurePosixPath(printable(str(path.relative_to(folder))))
                time = datetime.datetime.fromtimestamp(path.lstat().st_mtime).astimezone()
                one = Submission(*who(below), str(below), time, time, Source(path))
                yield from _look_into(one, one.source.read)


def _in_archive(file: Path) -> Iterator[Submission]:
    with archive(file) as opened:
        infos = [info for info in members(opened) if not _any_hidden(info)]
        paths = [PurePosixPath(printable(info.filename)) for info in infos]
        shared = {path.parts[0] for path in paths}
        # A zip of a folder has one folder at the top: it is not the name of a student.
        whole = len(shared) == 1 and len(paths) > 1 and not MOODLE.match(shared.pop())
        for info, path in zip(infos, paths, strict=True):
            below = PurePosixPath(*path.parts[1:]) if whole and len(path.parts) > 1 else path
            time = _time(info)
            one = Submission(*who(below), str(below), time, time, Source(file, (info.filename,)))
            yield from _look_into(one, functools.partial(read_member, opened, info.filename))


def _look_into(one: Submission, read: Callable[[int], bytes]) -> list[Submission]:
    """The submission with its hash, or with its problem; for a student's archive, the notebooks in it.

    Args:
        one: where it is.
        read: its content, of at most so many bytes.
    """
    name, suffix = PurePosixPath(one.path).name, PurePosixPath(one.path).suffix.lower()
    try:
        if suffix == ".zip":
            return _notebooks(one, read(MAX_ARCHIVE))
        if suffix != ".ipynb":
            raise Unreadable("not a notebook", f"{name} is no .ipynb file.")
        return [replace(one, sha256=hashlib.sha256(read(MAX_BYTES)).hexdigest())]
    except Unreadable as error:
        return [replace(one, problem=error)]


def _notebooks(one: Submission, content: bytes) -> list[Submission]:
    name = PurePosixPath(one.path).name
    with student_archive(content) as opened:
        infos = [info for info in members(opened) if info.filename.lower().endswith(".ipynb")]
        infos = [info for info in infos if not _any_hidden(info)]
        if not infos:
            raise Unreadable("not a notebook", f"{name} holds no .ipynb file.")
        if len(infos) > MAX_NOTEBOOKS:
            text = f"{name} holds {len(infos)} notebooks, at most {MAX_NOTEBOOKS} are looked at."
            raise Unreadable("too large", text)
        # No member gives more bytes than its archive says; longer ones are not read at all.
        size = sum(info.file_size for info in infos if info.file_size <= MAX_BYTES)
        if size > MAX_UNPACKED:
            text = f"the notebooks in {name} have {size} bytes, at most {MAX_UNPACKED} are read."
            raise Unreadable("too large", text)
        return [_notebook(one, opened, info) for info in infos]


def _notebook(one: Submission, opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Submission:
    path = f"{one.path}/{printable(info.filename)}"
    source = Source(one.source.file, (*one.source.members, info.filename))
    inner = replace(one, path=path, source=source, changed=_time(info))
    try:
        content = read_member(opened, info.filename)
    except Unreadable as error:
        return replace(inner, problem=error)
    return replace(inner, sha256=hashlib.sha256(content).hexdigest())


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _any_hidden(info: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    return any(_hidden(part) for part in parts if part != "..")


def _time(info: zipfile.ZipInfo) -> datetime.datetime | None:
    """When the member was last changed; archives without times say 1980."""
    try:
        time = datetime.datetime(*info.date_time).astimezone()
    except ValueError:
        return None
    return time if time.year > 1980 else None
