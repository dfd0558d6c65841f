"""What is known of the run that a page shows: how long, when, on what machine, with which versions.

The run stands beside the executed notebook in the cache, never in it: what a notebook holds is part of what
the cache compares. It is written by whoever executes a chapter, its test or the build.
"""

import json
import os
import platform
import resource
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import jupytext
from jupyter_cache import get_cache
from jupyter_cache.cache.db import NbCacheRecord
from nbformat import NotebookNode
from packaging.requirements import Requirement
from sphinx.application import Sphinx

PACKAGE = "dgm-coursekit"
STARTED = datetime.now(UTC)
"""When this process began: what was executed later was executed by it."""

before: dict[str, float] = {}


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def surroundings() -> dict[str, Any]:
    """The machine, and the versions of Python, of coursekit and of all that it requires."""
    required = [Requirement(line) for line in metadata.requires(PACKAGE) or []]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": processor(),
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "coursekit": metadata.version(PACKAGE),
        "versions": {each.name: metadata.version(each.name) for each in required if not each.marker},
    }


def match(notebook: NotebookNode, store: Path) -> NbCacheRecord | None:
    """The cached run of this very notebook; None if there is none."""
    try:
        return get_cache(store).match_cache_notebook(notebook)
    except KeyError:
        return None


def file_of(record: NbCacheRecord, store: Path) -> Path:
    """Where the run is noted."""
    return store / "runs" / f"{record.hashkey}.json"


def note(record: NbCacheRecord, store: Path, by: str, seconds: float, processor_seconds: float) -> None:
    """Write down a run that has just ended.

    Args:
        by: "test" or "build".
        seconds: by the clock.
        processor_seconds: of all cores together.
    """
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    times = {"seconds": round(seconds, 2), "processor_seconds": round(processor_seconds, 2)}
    path = file_of(record, store)
    path.parent.mkdir(exist_ok=True)
    run = {"executed": ended, "by": by, **times, **surroundings()}
    path.write_text(json.dumps(run, indent=1))


def recorded(path: Path, store: Path) -> dict[str, Any] | None:
    """The run of the notebook at `path`; None if nothing was written down."""
    record = match(jupytext.read(path), store)
    if record is None or not file_of(record, store).is_file():
        return None
    return json.loads(file_of(record, store).read_text())


def executed_by_this_process(record: NbCacheRecord) -> bool:
    """Whether the run is younger than this process; the cache keeps its dates in UTC, without a zone."""
    return record.created.replace(tzinfo=UTC) >= STARTED


def children_seconds() -> float:
    """What the processor has worked for kernels that this process started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def begin(app: Sphinx, docname: str, source: list[str]) -> None:
    """Before a page is read, and perhaps executed."""
    before[docname] = children_seconds()


def end(app: Sphinx, doctree: Any) -> None:
    """After a page is read: if that executed it, note the run."""
    docname = app.env.docname
    if not getattr(app.env, "nb_metadata", {}).get(docname, {}).get("exec_data"):
        return
    store = Path(app.config.nb_execution_cache_path)
    record = match(jupytext.read(app.env.doc2path(docname)), store)
    if record and executed_by_this_process(record):
        worked = children_seconds() - before[docname]
        note(record, store, "build", record.data["execution_seconds"], worked)
