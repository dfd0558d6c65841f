"""Finding submissions in what a learning system gives: whose they are, and what is wrong with them."""

import io
import os
import stat
import zipfile
from pathlib import Path

import pytest

from coursekit.grading.archives import MAX_ENTRIES
from coursekit.grading.notebook import MAX_BYTES, Unreadable
from coursekit.grading.submissions import MAX_NOTEBOOKS, MAX_UNPACKED, find
from tests.grading.handed_in import notebook, put, zipped

NOTEBOOK = notebook("x = 1")


def names(folder: Path) -> list[tuple[str, str]]:
    return [(s.student, s.number) for s in find(folder)]


def reason(folder: Path) -> str:
    (one,) = find(folder)
    assert one.problem is not None, f"{one.path} should have been refused"
    return one.problem.reason


CANVAS = {"leeann_4711_99_03-vae.ipynb": NOTEBOOK, "wongbo_LATE_4712_98_03-vae-1.ipynb": NOTEBOOK}
MOODLE = {
    "Ann Lee_17_assignsubmission_file_/03-vae.ipynb": NOTEBOOK,
    "Bo Wong_18_assignsubmission_file_vae.ipynb": b"{}",
}
PLAIN = {"lee.ipynb": NOTEBOOK, "wong/03-vae.ipynb": NOTEBOOK}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (CANVAS, [("leeann", "4711"), ("wongbo", "4712")]),
        (MOODLE, [("Ann Lee", "17"), ("Bo Wong", "18")]),
        (PLAIN, [("lee", ""), ("wong", "")]),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_names_come_from_canvas_moodle_or_plain_files(tmp_path, files, expected, packed):
    """The folder and the zip of it, as downloaded, say the same."""
    if packed:
        (tmp_path / "submissions.zip").write_bytes(zipped(files))
        assert names(tmp_path / "submissions.zip") == expected
    else:
        assert names(put(tmp_path, files)) == expected


def test_the_folder_at_the_top_of_a_zip_is_no_student(tmp_path):
    """Zipping a folder of submissions puts its name before each."""
    file = tmp_path / "all.zip"
    file.write_bytes(zipped({"week3/lee.ipynb": NOTEBOOK, "week3/wong.ipynb": NOTEBOOK}))
    assert names(file) == [("lee", ""), ("wong", "")]


def test_hidden_files_and_what_a_mac_adds_are_no_submissions(tmp_path):
    """They would stand in the gradebook as students."""
    extra = {".DS_Store": b"", "__MACOSX/._lee.ipynb": b"", ".ipynb_checkpoints/lee.ipynb": NOTEBOOK}
    assert names(put(tmp_path, {"lee.ipynb": NOTEBOOK, **extra})) == [("lee", "")]


@pytest.mark.parametrize("packed", [False, True])
def test_the_notebook_in_a_students_zip_is_found_and_read(tmp_path, packed):
    """Also when that zip lies in the zip of all submissions."""
    files = {"lee_7_8_work.zip": zipped({"hw/03-vae.ipynb": NOTEBOOK, "hw/data.csv": b"1,2"})}
    if packed:
        (tmp_path / "all.zip").write_bytes(zipped(files))
    (one,) = find(tmp_path / "all.zip" if packed else put(tmp_path, files))
    assert (one.student, one.number, one.path) == ("lee", "7", "lee_7_8_work.zip/hw/03-vae.ipynb")
    assert one.read() == NOTEBOOK


def test_the_same_content_has_the_same_hash_wherever_it_lies(tmp_path):
    """The hash decides what must be graded again."""
    put(tmp_path, {"a.ipynb": NOTEBOOK, "b.zip": zipped({"b.ipynb": NOTEBOOK}), "c.ipynb": NOTEBOOK + b" "})
    a, b, c = (one.sha256 for one in find(tmp_path))
    assert a == b != c


def test_a_file_that_changes_after_it_was_found_is_not_graded_as_the_old_one(tmp_path):
    """Its result would be kept under the wrong hash."""
    (one,) = find(put(tmp_path, {"a.ipynb": NOTEBOOK}))
    put(tmp_path, {"a.ipynb": NOTEBOOK + b" "})
    with pytest.raises(Unreadable, match="changed"):
        one.read()


def test_a_symbolic_link_is_never_read(tmp_path):
    """It could point at the solutions, at another student's work, or at /etc/shadow."""
    secret = put(tmp_path / "secret", {"x.ipynb": NOTEBOOK})
    folder = put(tmp_path / "all", {})
    folder.mkdir()
    (folder / "file.ipynb").symlink_to(secret / "x.ipynb")
    (folder / "folder").symlink_to(secret)
    found = find(folder)
    assert [one.problem.reason for one in found] == ["symbolic link", "not a notebook"]
    assert not any(one.sha256 for one in found)


def test_a_pipe_does_not_block_the_grader(tmp_path):
    """Opened plainly, it would wait for a writer for ever."""
    os.mkfifo(tmp_path / "lee.ipynb")
    assert reason(tmp_path) == "not a file"


def link(name: str) -> bytes:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def lying(content: bytes) -> bytes:
    """A zip whose directory says that the member has 10 bytes."""
    true = len(content).to_bytes(4, "little")
    return zipped({"x.ipynb": content}, compression=zipfile.ZIP_DEFLATED).replace(
        true, (10).to_bytes(4, "little")
    )


def locked() -> bytes:
    content = bytearray(zipped({"x.ipynb": NOTEBOOK}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


BOMB = b" " * (MAX_BYTES + 1)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"PK\x03\x04 but nothing more", "broken archive", id="damaged"),
        pytest.param(b"", "broken archive", id="empty"),
        pytest.param(zipped({"x.ipynb": NOTEBOOK * 99})[:-30], "broken archive", id="cut"),
        pytest.param(zipped({"readme.txt": b"my homework"}), "not a notebook", id="no-notebook"),
        pytest.param(zipped({"inner.zip": zipped({"x.ipynb": NOTEBOOK})}), "not a notebook", id="nested"),
        pytest.param(zipped({"../../lee.ipynb": NOTEBOOK}), "unsafe archive", id="traversal"),
        pytest.param(zipped({"/etc/cron.d/x.ipynb": NOTEBOOK}), "unsafe archive", id="absolute"),
        pytest.param(zipped({"..\\x.ipynb": NOTEBOOK}), "unsafe archive", id="backslash"),
        pytest.param(zipped({"C:/x.ipynb": NOTEBOOK}), "unsafe archive", id="drive"),
        pytest.param(link("x.ipynb"), "unsafe archive", id="link"),
        pytest.param(zipped({"x.ipynb": BOMB}, compression=zipfile.ZIP_DEFLATED), "too large", id="bomb"),
        pytest.param(lying(BOMB), "broken archive", id="lying"),
        pytest.param(
            zipped({"x.ipynb": NOTEBOOK}, compression=zipfile.ZIP_LZMA), "broken archive", id="lzma"
        ),
        pytest.param(locked(), "broken archive", id="locked"),
    ],
)
def test_a_hostile_or_broken_archive_has_a_named_reason(tmp_path, content, expected):
    """Nothing of it is ever unpacked; what can't be read says why."""
    assert reason(put(tmp_path, {"lee.zip": content})) == expected


def test_an_archive_of_very_many_files_is_not_looked_through(tmp_path, monkeypatch):
    """Its directory alone could fill the memory, so it is not even opened."""
    content = zipped({f"{i}.txt": b"" for i in range(MAX_ENTRIES)} | {"x.ipynb": NOTEBOOK})
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert reason(put(tmp_path, {"lee.zip": content})) == "unsafe archive"


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({f"{i}.ipynb": NOTEBOOK for i in range(MAX_NOTEBOOKS + 1)}, id="many"),
        pytest.param({f"{i}.ipynb": b" " * (MAX_UNPACKED // 9) for i in range(10)}, id="long"),
    ],
)
def test_too_many_notebooks_in_one_zip_cost_their_student_alone(tmp_path, members):
    """The class must not wait for them."""
    put(tmp_path, {"ann.ipynb": NOTEBOOK, "lee.zip": zipped(members, compression=zipfile.ZIP_DEFLATED)})
    found = {one.student: one.problem and one.problem.reason for one in find(tmp_path)}
    assert found == {"ann": None, "lee": "too large"}


def test_every_archive_is_opened_once_however_many_notebooks_it_holds(tmp_path, monkeypatch):
    """Opened for each member, it would take time that grows with the square of their number."""
    inner = zipped({f"{i}.ipynb": NOTEBOOK for i in range(MAX_NOTEBOOKS)})
    (tmp_path / "all.zip").write_bytes(zipped({"ann.zip": inner, "bo.zip": inner, "cy.ipynb": NOTEBOOK}))
    opened, open_archive = [], zipfile.ZipFile.__init__

    def counting(*arguments, **options) -> None:
        opened.append(arguments)
        open_archive(*arguments, **options)

    monkeypatch.setattr(zipfile.ZipFile, "__init__", counting)
    assert len(find(tmp_path / "all.zip")) == 2 * MAX_NOTEBOOKS + 1
    assert len(opened) == 3


def test_a_damaged_file_in_the_zip_of_all_costs_its_student_alone(tmp_path):
    """The others' files can still be read."""
    content = zipped({"ann.ipynb": NOTEBOOK, "lee.ipynb": b"spoilt " + NOTEBOOK})
    (tmp_path / "all.zip").write_bytes(content.replace(b"spoilt", b"SPOILT"))
    found = {one.student: one.problem and one.problem.reason for one in find(tmp_path / "all.zip")}
    assert found == {"ann": None, "lee": "broken archive"}


def test_a_harmless_notebook_is_found_beside_a_path_that_leads_out(tmp_path):
    """Nothing is unpacked, so the bad path hurts nobody and the work counts."""
    put(tmp_path, {"lee.zip": zipped({"../evil.ipynb": NOTEBOOK, "work.ipynb": NOTEBOOK})})
    assert sorted(one.problem is None for one in find(tmp_path)) == [False, True]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("lee.pdf", b"%PDF", "not a notebook"),
        ("lee.py", b"x", "not a notebook"),
        ("lee.ipynb", BOMB, "too large"),
    ],
)
def test_other_files_have_a_named_reason(tmp_path, name, content, expected):
    """A student who hands in a PDF is in the gradebook, with the reason."""
    assert reason(put(tmp_path, {name: content})) == expected


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: path / "nowhere", FileNotFoundError),
        (lambda path: path, ValueError),
        (lambda path: put(path, {"x.txt": b""}) / "x.txt", ValueError),
    ],
)
def test_a_wrong_folder_is_an_error_that_names_it(tmp_path, make, error):
    """Missing, empty, or something else."""
    with pytest.raises(error, match=str(tmp_path)):
        find(make(tmp_path))
