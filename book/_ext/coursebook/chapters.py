"""Chapters as tests: every code cell is a test, and what it computes is what the built page shows.

nbval gives the collection; the cells are executed by nbclient, as the build would, and a chapter that passes
is put into the notebook cache that the build reads. So each chapter is executed once for both.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import jupytext
import psutil
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode
from nbval.plugin import IPyNbCell, IPyNbFile

from coursebook import cache, kernel, runs

SECONDS = 90.0
CELL_TIMEOUT = 300
KERNEL = "\nkernelspec:\n"


class ChapterError(Exception):
    """A cell failed; the message is all there is to say."""


class Chapter(IPyNbFile):
    """A MyST notebook; executed live unless this very notebook has been executed under these very sources."""

    def collect(self) -> Iterator[pytest.Item]:
        """One test a code cell, and at the end one for the time they took together."""
        self.nb: NotebookNode = jupytext.read(self.path)
        self.limit: float = self.config.getoption("chapter_seconds")
        self.client: NotebookClient | None = None
        self.store = cache.cache_path()
        self.seconds = recorded_seconds(self.nb, self.store)
        self.fresh = self.seconds is None or self.seconds > self.limit
        cells = [(i, cell) for i, cell in enumerate(self.nb.cells) if cell.cell_type == "code"]
        self.missing = {i for i, _ in cells} if self.fresh else set()
        for count, (index, cell) in enumerate(cells):
            name, options = f"cell {count + 1}", {"check": False}
            yield Cell.from_parent(self, name=name, cell_num=index, cell=cell, options=options)
        yield Duration.from_parent(self, name=f"runs in {self.limit:g} s")

    def setup(self) -> None:
        """Start the kernel, unless nothing needs to be executed."""
        if not self.fresh:
            return
        kernel.isolate()
        started = time.perf_counter()
        options = {"kernel_name": self.nb.metadata.kernelspec.name, "timeout": CELL_TIMEOUT}
        # By default outputs that come late, as on a busy machine, are dropped without a word.
        options |= {"iopub_timeout": CELL_TIMEOUT, "raise_on_iopub_timeout": True}
        self.client = NotebookClient(self.nb, record_timing=False, **options)
        self.client.reset_execution_trackers()
        self.client.create_kernel_manager()
        self.client.start_new_kernel(cwd=str(self.path.parent))
        self.client.start_new_kernel_client()
        reply = self.client.wait_for_reply(self.client.kc.kernel_info())
        self.nb.metadata["language_info"] = reply["content"]["language_info"]
        self.elapsed = time.perf_counter() - started

    def measure(self) -> None:
        """Seconds of the live run: elapsed, or those the processor worked where that is less.

        So neither a machine that is busy with other things nor a second thread makes a chapter slow.
        """
        times = psutil.Process(self.client.km.provisioner.pid).cpu_times()
        self.worked = times.user + times.system
        self.seconds = min(self.elapsed, self.worked)

    def run(self, index: int, cell: NotebookNode) -> None:
        """Execute one cell, with its time counted."""
        if any(earlier < index for earlier in self.missing):
            raise ChapterError("Not executed: an earlier cell failed or was not selected.")
        started = time.perf_counter()
        try:
            self.client.execute_cell(cell, index, execution_count=self.client.code_cells_executed + 1)
        except (CellExecutionError, CellTimeoutError) as error:
            raise ChapterError(str(error)) from None
        finally:
            self.elapsed += time.perf_counter() - started
        self.measure()
        if noise := "".join(out.text for out in cell.outputs if out.get("name") == "stderr"):
            raise ChapterError(f"The cell wrote to stderr, which the page would show:\n{noise}")
        self.missing.remove(index)

    def teardown(self) -> None:
        """Stop the kernel; keep the run if all of it passed in time."""
        if self.client is None:
            return
        self.client.set_widgets_metadata()
        self.client._cleanup_kernel()
        if not self.missing and self.seconds <= self.limit:
            bundle = CacheBundleIn(self.nb, str(self.path), data={"execution_seconds": self.seconds})
            kept = get_cache(self.store).cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            runs.note(kept, self.store, "test", self.elapsed, self.worked)


class Cell(IPyNbCell):
    """One code cell."""

    def runtest(self) -> None:
        """Execute it, or nothing where the whole chapter has passed before under the same sources."""
        if self.parent.fresh:
            self.parent.run(self.cell_num, self.cell)

    def repr_failure(self, excinfo: pytest.ExceptionInfo) -> str:
        """The cell's own traceback."""
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands."""
        return self.path, 0, f"{self.path.name}: {self.name}"


class Duration(pytest.Item):
    """The chapter's time, live or as recorded when it was executed."""

    def runtest(self) -> None:
        """Fail where a reader would wait too long."""
        self.user_properties.append(("chapter_seconds", self.parent.seconds))
        if self.parent.missing:
            raise ChapterError("Not timed: a cell failed or was not selected.")
        if self.parent.seconds > self.parent.limit:
            seconds, limit = self.parent.seconds, self.parent.limit
            raise ChapterError(f"{self.path.name} ran for {seconds:.0f} s, more than {limit:g} s.")

    def repr_failure(self, excinfo: pytest.ExceptionInfo) -> str:
        """One line."""
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands, and how long it took."""
        return self.path, 0, f"{self.path.name}: {self.name}"


def recorded_seconds(notebook: NotebookNode, store: Path) -> float | None:
    """How long the chapter ran when it was executed under the present sources; None if it was not."""
    record = runs.match(notebook, store)
    return record.data["execution_seconds"] if record else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """The limit can be raised on a slow machine, in the open."""
    parser.addoption("--chapter-seconds", type=float, default=SECONDS, help="time limit of one chapter")


def pytest_configure(config: pytest.Config) -> None:
    """Create the cache's database before any worker process could race for it."""
    if not hasattr(config, "workerinput"):
        assert get_cache(cache.cache_path()).db


def pytest_collect_file(parent: pytest.Collector, file_path: Path) -> Chapter | None:
    """Every MyST file of the book that names a kernel is executed: the chapters, and the first page."""
    if file_path.suffix == ".md" and file_path.parent.name == "book" and KERNEL in file_path.read_text():
        return Chapter.from_parent(parent, path=file_path)
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how long each chapter takes."""
    for report in terminalreporter.stats.get("passed", []):
        if seconds := dict(report.user_properties).get("chapter_seconds"):
            terminalreporter.write_line(f"{report.nodeid.split('::')[0]}: {seconds:.1f} s")
