"""Installing the wheel on Colab adds one package, ours, and changes none; and there it works."""

import os
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(os.environ.get("COURSEKIT_COLAB_LIST", ROOT.parent / "shared" / "colab" / "pip-freeze.txt"))
COLAB = Path(sys.prefix) / "colab"
PYTHON = {"python_version": "3.13", "python_full_version": "3.13.0", "sys_platform": "linux"}
TRAIN = """
import coursekit, torch
from coursekit import data, train
from coursekit.models.vae import VAE, GaussianDecoder
from coursekit.nets import MLP

torch.manual_seed(0)
decoder = GaussianDecoder(MLP(4, 64, hidden=(64,)), (1, 8, 8))
model = VAE(MLP((1, 8, 8), 8, hidden=(64,)), decoder, latent_dim=4)
x = data.digits().x
before = model.elbo(x).mean()
train.fit(model, x, steps=100, progress=False)
assert model.elbo(x).mean() > before + 1, "training did not raise the bound"
print(coursekit.__file__)
"""


@pytest.fixture(scope="module")
def listed() -> dict[str, str]:
    """Version of every package on Colab."""
    if not LIST.is_file():
        pytest.fail(
            f"Colab's list of packages is not at {LIST}. Put the pip-freeze.txt that Colab publishes "
            "(repository googlecolab/backend-info) there, or set COURSEKIT_COLAB_LIST to its path."
        )
    pins = re.findall(r"^([\w.-]+)==(\S+)", LIST.read_text(), re.M)
    return {canonicalize_name(name): version for name, version in pins}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The package as it is installed from the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed() -> dict[str, list[Requirement]]:
    """The packages in the environment of Colab's versions, with what each requires."""
    site = next(COLAB.glob("lib/python3.13/site-packages"), None)
    if site is None:
        pytest.fail(
            f"There is no environment with Colab's versions at {COLAB}. Run `make test`, which makes it; if "
            "that finds no Python 3.13, first run `.venv/bin/uv python install 3.13`."
        )
    found = {}
    for package in distributions(path=[str(site)]):
        found[canonicalize_name(package.name)] = [Requirement(text) for text in package.requires or ()]
    return found


def required(requirement: Requirement, extras: set[str]) -> bool:
    """Whether it applies to Python 3.13 on Linux, for one of the extras or for none."""
    settings = [default_environment() | PYTHON | {"extra": extra} for extra in extras or {""}]
    return requirement.marker is None or any(requirement.marker.evaluate(setting) for setting in settings)


def own_requirements(wheel: Path) -> list[Requirement]:
    """What the wheel itself requires, without extras."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist")
    return [requirement for requirement in map(Requirement, lines) if required(requirement, set())]


def test_every_requirement_is_met_by_what_colab_has(wheel, installed, listed):
    """One by one and transitively; torch's own requirements are Colab's affair."""
    waiting, seen, unmet = own_requirements(wheel), set(), []
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if not requirement.specifier.contains(listed.get(name, "0"), prereleases=True) or name not in listed:
            unmet.append(f"{requirement} (Colab has {listed.get(name, 'none')})")
        if name == "torch" or (name, *sorted(requirement.extras)) in seen:
            continue
        seen.add((name, *sorted(requirement.extras)))
        waiting += [more for more in installed[name] if required(more, requirement.extras)]
    assert len(seen) > 20, f"only {len(seen)} packages were looked at"
    assert unmet == []


def test_the_wheel_imports_and_trains_with_the_versions_of_colab(wheel, installed, tmp_path):
    """In Python 3.13, with nothing of this checkout in reach."""
    assert "dgm-coursekit" not in installed
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [str(COLAB / "bin" / "python"), "-c", TRAIN]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith(str(tmp_path))


def test_the_environment_has_the_versions_of_the_list(installed, listed):
    """But for the libraries that torch brings for its own CUDA."""
    site = next(COLAB.glob("lib/python3.13/site-packages"))
    versions = {
        canonicalize_name(package.name): package.version for package in distributions(path=[str(site)])
    }
    own = {"cuda", "nvidia", "triton"}
    wrong = {
        name: (version, listed.get(name))
        for name, version in versions.items()
        if name.split("-")[0] not in own and version != listed.get(name)
    }
    assert wrong == {}
