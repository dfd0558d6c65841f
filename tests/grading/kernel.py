"""A kernel in the environment of Colab's versions, with nothing of the checkout but the package."""

import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parents[2]
PYTHON = Path(sys.prefix) / "colab" / "bin" / "python"


@dataclass
class Output:
    """What a cell showed.

    Attributes:
        html, text: of what it displayed, one piece after the other.
        printed: to stdout and stderr.
        error: name and message of an exception, else "".
    """

    html: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    printed: str = ""
    error: str = ""

    def add(self, message: dict[str, Any]) -> None:
        """Take in a message of the kernel."""
        content = message["content"]
        match message["msg_type"]:
            case "display_data" | "execute_result":
                self.html.append(content["data"].get("text/html", ""))
                self.text.append(content["data"]["text/plain"])
            case "stream":
                self.printed += content["text"]
            case "error":
                self.error = f"{content['ename']}: {content['evalue']}"


class Kernel:
    """A running kernel; the folder becomes its home, and is its only way to find coursekit."""

    def __init__(self, folder: Path):
        if not PYTHON.is_file():
            pytest.fail(
                f"There is no environment with Colab's versions at {PYTHON}. Run `make test`, which makes it."
            )
        shutil.copytree(
            ROOT / "coursekit", folder / "coursekit", ignore=shutil.ignore_patterns("__pycache__")
        )
        argv = [str(PYTHON), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": "Colab", "language": "python"}
        spec["env"] = {"PYTHONPATH": str(folder), "MPLBACKEND": "agg", "IPYTHONDIR": str(folder / ".ipython")}
        (folder / "kernels" / "colab").mkdir(parents=True)
        (folder / "kernels" / "colab" / "kernel.json").write_text(json.dumps(spec))
        specs = KernelSpecManager(kernel_dirs=[str(folder / "kernels")], ensure_native_kernel=False)
        self.manager = KernelManager(kernel_name="colab", kernel_spec_manager=specs)
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, source: str, timeout: float = 120) -> Output:
        """Run one cell; more seconds than `timeout` raise TimeoutError."""
        output = Output()
        self.client.execute_interactive(
            source, output_hook=output.add, timeout=timeout, allow_stdin=False, stop_on_error=False
        )
        return output

    def close(self) -> None:
        """End the kernel."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
