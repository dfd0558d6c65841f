"""Every notebook as the student gets it runs in Colab's versions, with one package more than there was."""

import pytest

from tests.built import ROOT
from tests.site.notebooks import LIST, Colab

CHAPTERS = sorted(path.stem for path in (ROOT / "book").glob("[0-9][0-9]-*.md"))
EXERCISES = sorted(f"exercises/{path.stem}" for path in (ROOT / "solutions").glob("[0-9][0-9]-*.md"))
NOTEBOOKS = ROOT / "_build" / "notebooks"


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """A clean environment with the wheel in it."""
    assert LIST.is_file(), (
        f"Colab's list of packages is not at {LIST}: tests/test_wheel.py says where to put it."
    )
    return Colab.make(tmp_path_factory.mktemp("colab"))


def test_the_wheel_is_the_one_package_more(colab):
    """Nothing else is installed or changed."""
    assert colab.changed() == {"dgm-coursekit"}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [*CHAPTERS, *EXERCISES])
def test_a_notebook_runs(colab, name, tmp_path):
    """From top to bottom, an exercise with no answer filled in, and it installs nothing."""
    path = NOTEBOOKS / f"{name}.ipynb"
    assert path.is_file(), f"There is no {path}; run `make notebooks`."
    colab.execute(path, tmp_path)
    assert colab.changed() == {"dgm-coursekit"}
