"""The book's own weights: found in a checkout, else downloaded, and each with a full manifest."""

import json
import shutil

import pytest
import torch

from coursekit import recipes
from coursekit.recipes import shelf

ROOT = shelf.checkout()
SHIPPED = sorted(path for path in (ROOT / shelf.SHELF).iterdir() if path.is_dir())
NAME = "classifier-digits"


@pytest.fixture
def made(tmp_path):
    """A checkout elsewhere with one small classifier on its shelf."""
    model = recipes.build("classifier", dataset="digits", features=4, width=4)
    recipes.save(model, tmp_path / "run", seed=3, training={"steps": 0})
    shelf.ship(tmp_path / "run", tmp_path / shelf.SHELF / NAME, {"accuracy": 0.1}, {"train": "none"})
    return model, tmp_path


@pytest.fixture
def installed(made, monkeypatch):
    """The package as it is without a checkout: from commit "abc" of a repository, with an empty cache."""
    model, root = made
    monkeypatch.setattr(shelf, "checkout", lambda: root / "nowhere")
    monkeypatch.setattr(shelf, "origin", lambda: (f"file://{root}/site", "abc"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / "cache"))
    shutil.copytree(root / shelf.SHELF, root / "site" / "raw" / "abc" / shelf.SHELF)
    return model, root


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(
        torch.equal(p, q) for p, q in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def test_shipped_weights_are_found_in_a_checkout(made, monkeypatch):
    model, root = made
    monkeypatch.setattr(shelf, "checkout", lambda: root)
    loaded = recipes.pretrained(NAME)
    assert same(loaded, model)
    assert not loaded.training
    manifest = json.loads((root / shelf.SHELF / NAME / "config.json").read_text())
    assert manifest["metrics"] == {"accuracy": 0.1}
    assert {"recipe", "keywords", "seed", "training", "sha256", "data"} <= manifest.keys()


def test_without_a_checkout_they_are_downloaded_once(installed):
    """The second time the repository may be gone."""
    model, root = installed
    assert same(recipes.pretrained(NAME), model)
    shutil.rmtree(root / "site")
    assert same(recipes.pretrained(NAME), model)


def test_a_damaged_download_is_noticed(installed):
    _, root = installed
    file = root / "site" / "raw" / "abc" / shelf.SHELF / NAME / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match="truncated or altered"):
        recipes.pretrained(NAME)


def test_weights_that_are_nowhere_are_an_error_that_says_what_to_do(installed, monkeypatch):
    """Which name, where it was looked for, what failed, three ways on."""
    words = (
        r"'glows' are not in .*nowhere.*there: none.*download from file://.* failed.*clone.*coursekit train"
    )
    with pytest.raises(FileNotFoundError, match=words):
        recipes.pretrained("glows")
    monkeypatch.setattr(shelf, "origin", lambda: ("", ""))
    with pytest.raises(FileNotFoundError, match="was not installed from a repository's address"):
        recipes.pretrained("glows")
    with pytest.raises(ValueError, match=r"name is '\.\./x'; expected small letters"):
        recipes.pretrained("../x")


def test_the_origin_is_what_pip_recorded_at_the_installation(monkeypatch):
    """An address that ends in .git, with the commit; a package from elsewhere has none."""

    class Package:
        def read_text(self, name):
            return self.files.get(name)

    package = Package()
    monkeypatch.setattr(shelf.metadata, "distribution", lambda name: package)
    facts = {"url": "https://example.org/us/book.git", "vcs_info": {"vcs": "git", "commit_id": "1f2e"}}
    package.files = {"direct_url.json": json.dumps(facts)}
    assert shelf.origin() == ("https://example.org/us/book", "1f2e")
    package.files = {"direct_url.json": json.dumps({"url": "file:///x", "dir_info": {}})}
    assert shelf.origin() == ("", "")
    package.files = {}
    assert shelf.origin() == ("", "")


def test_large_weights_are_not_shipped(made, monkeypatch):
    """The limit of a model, in bytes."""
    _, root = made
    monkeypatch.setattr(shelf, "LARGEST", 100)
    with pytest.raises(ValueError, match="at most 100 are shipped"):
        shelf.ship(root / "run", root / "other", {}, {})
    assert not (root / "other").exists()


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_every_shipped_model_loads_and_says_where_it_comes_from(folder):
    """Loading checks the hash against the file."""
    recipes.pretrained(folder.name)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    manifest = json.loads((folder / "config.json").read_text())
    assert {"recipe", "keywords", "seed", "data", "metrics", "sha256"} <= manifest.keys()
    assert {"steps", "seconds", "command", "date", "hardware", "versions"} <= manifest["training"].keys()


def test_the_shelf_is_no_larger_than_it_may_be():
    """2 MB each, 30 MB in all: every clone carries them."""
    sizes = [(folder / "model.safetensors").stat().st_size for folder in SHIPPED]
    assert sizes
    assert max(sizes) <= shelf.LARGEST
    assert sum(sizes) <= 30_000_000


def test_the_classifier_of_glyphs_scores_what_its_manifest_says():
    """On glyphs of another seed, which nobody has trained or measured on."""
    from coursekit import data
    from coursekit.metrics.accuracy import accuracy

    manifest = json.loads((ROOT / shelf.SHELF / "classifier-glyphs" / "config.json").read_text())
    glyphs = data.glyphs(1000, seed=11, train=False).conditioned()
    found = accuracy(recipes.pretrained("classifier-glyphs"), glyphs)
    assert found.mean == pytest.approx(manifest["metrics"]["accuracy"]["mean"], abs=0.005)
