"""An environment with Colab's versions and the wheel; its kernels see nothing of the checkout."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from tests.built import ROOT

LIST = Path(os.environ.get("COURSEKIT_COLAB_LIST", ROOT.parent / "shared" / "colab" / "pip-freeze.txt"))
UV = Path(sys.prefix) / "bin" / "uv"
REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
CELL_SECONDS = 600
KERNEL = ("ipykernel", "ipython", "ipywidgets")


def run(*command: str | Path) -> str:
    """Run a command in the checkout; what it printed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass
class Colab:
    """The environment in `folder`; `clean` is what was there before the wheel came."""

    folder: Path
    clean: dict[str, str]

    @classmethod
    def make(cls, folder: Path) -> "Colab":
        """Set it up and install the wheel as pip would, free to fetch or change what the wheel requires."""
        run("bash", "requirements/colab.sh", UV, folder / "env", LIST, *KERNEL)
        colab = cls(folder, {})
        colab.clean = colab.packages()
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist")
        wheel = next((folder / "dist").glob("*.whl"))
        run(UV, "pip", "install", "--quiet", "--python", folder / "env", wheel)
        return colab

    def packages(self) -> dict[str, str]:
        """Name and version of everything installed."""
        listed = json.loads(run(UV, "pip", "list", "--format", "json", "--python", self.folder / "env"))
        return {package["name"]: package["version"] for package in listed}

    def changed(self) -> set[str]:
        """Packages that were installed, removed or changed since it was clean."""
        return {name for name, _ in self.clean.items() ^ self.packages().items()}

    def variables(self, home: Path) -> dict[str, str]:
        """The kernel's surroundings: an empty home, and this checkout as what git finds at the address."""
        away = {
            "HOME": str(home),
            "IPYTHONDIR": str(home / ".ipython"),
            "XDG_CACHE_HOME": str(home / "cache"),
        }
        away |= {
            "PYTHONPATH": "",
            "COURSEKIT_STATIC": "",
            "MPLBACKEND": "",
            "MPLCONFIGDIR": str(home / "mpl"),
        }
        here = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf"}
        return away | here | {"GIT_CONFIG_VALUE_0": REPOSITORY}

    def execute(self, notebook: Path, home: Path) -> nbformat.NotebookNode:
        """Run the notebook from top to bottom in the folder `home`; a cell that fails raises.

        The wheel does not know the repository's address, so the trained models lie where it says to put them.
        """
        shutil.copytree(ROOT / "book" / "weights", home / "cache" / "coursekit" / "weights")
        argv = [
            str(self.folder / "env" / "bin" / "python"),
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
        ]
        spec = {"argv": argv, "display_name": "Colab", "language": "python", "env": self.variables(home)}
        (home / "kernels" / "colab").mkdir(parents=True)
        (home / "kernels" / "colab" / "kernel.json").write_text(json.dumps(spec))
        specs = KernelSpecManager(kernel_dirs=[str(home / "kernels")], ensure_native_kernel=False)
        manager = AsyncKernelManager(kernel_name="colab", kernel_spec_manager=specs)
        content = nbformat.read(notebook, as_version=4)
        resources = {"metadata": {"path": str(home)}}
        client = NotebookClient(content, km=manager, timeout=CELL_SECONDS, resources=resources)
        return client.execute(cleanup_kc=True)  # a manager that was given is left running otherwise
