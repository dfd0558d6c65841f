"""Facts about a run that belong to its result: machine, versions, time."""

import datetime
import os
import platform
import shlex
import sys
from pathlib import Path
from typing import Any

import torch

from coursekit import __version__


def record() -> dict[str, Any]:
    """Command line, date, hardware and versions of this process, JSON-able."""
    return {
        "command": shlex.join([*_program(), *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "hardware": hardware(),
        "versions": {
            "coursekit": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }


def _program() -> list[str]:
    """How this process was called: by its script's name, or as `python -m MODULE`."""
    spec = sys.modules["__main__"].__spec__
    return [Path(sys.argv[0]).name] if spec is None else ["python", "-m", spec.name.removesuffix(".__main__")]


def hardware() -> str:
    """In words: the GPU if torch sees one, the processor and how much of it this process may use."""
    gpu = [torch.cuda.get_device_name()] if torch.cuda.is_available() else []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ", ".join([*gpu, f"{_processor()}, {cores} cores, {torch.get_num_threads()} threads"])


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        if names:
            return names[0].split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
