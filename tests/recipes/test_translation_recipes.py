"""Recipes of translation train, come back from their folder, and are judged by the command line's judge."""

from functools import partial

import pytest
import torch

from coursekit import data, recipes
from coursekit.judge import judge
from coursekit.models.gan import CycleGAN, Pix2Pix

SETS = ("outlines", "label_maps", "domains")
TINY = {"width": 4, "critic_width": 4, "batch_size": 4}
CHOICES = [
    ("pix2pix", {"pairs": "outlines", "patch": 28}),
    ("pix2pix", {"pairs": "label_maps", "dropout": 0.5, "adversarial": 0}),
    ("cyclegan", {"domains": "serif", "identity": 5.0, "buffer": 3}),
    ("cyclegan", {"domains": "colour", "skips": True}),
]


@pytest.fixture(autouse=True)
def _few_glyphs(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in SETS:
        monkeypatch.setattr(data, name, partial(getattr(data, name), n=400, progress=False))


@pytest.mark.parametrize(("name", "keywords"), CHOICES)
def test_a_translator_is_trained_kept_and_judged(name, keywords, tmp_path):
    recipe = recipes.get(name, **TINY, **keywords)
    trained, _ = recipes.train(recipe, tmp_path / "run", steps=2, progress=False, device="cpu")
    loaded = recipes.load(tmp_path / "run")
    assert type(loaded) is {"pix2pix": Pix2Pix, "cyclegan": CycleGAN}[name]
    assert all(torch.equal(v, loaded.state_dict()[key]) for key, v in trained.state_dict().items())
    found = judge(tmp_path / "run", "test", torch.device("cpu"), n=20)
    assert found["features"]["name"] == "classifier-glyphs"
    for end, expected in kept_by_hand(loaded, recipe.data("test")).items():
        kept = found["metrics"][f"content_kept{end}"]
        assert kept["mean"] == pytest.approx(expected)
        assert kept["n"] == 20


@torch.no_grad()
def kept_by_hand(model: torch.nn.Module, test: data.PairedSet | data.UnpairedSet) -> dict[str, float]:
    """The first twenty translations, read here: the share with the label of what they were made from."""
    reader = recipes.pretrained("classifier-glyphs")
    torch.manual_seed(0)
    if isinstance(model, Pix2Pix):
        made = {"": (model.sample(20, test[:20].c), test.y)}
    else:
        made = {
            "_to_b": (model.encode(test.a[:20].x), test.a.y),
            "_to_a": (model.decode(test.b[:20].x), test.b.y),
        }
    return {
        end: (reader(y.amax(1, keepdim=True)).argmax(1) == labels[:20]).double().mean().item()
        for end, (y, labels) in made.items()
    }


@pytest.mark.parametrize(
    ("name", "keywords", "message"),
    [
        ("pix2pix", {"pairs": "maps"}, "pairs must be one of outlines, label_maps, got 'maps'"),
        ("pix2pix", {"patch": 70}, "patch must be one of 1, 8, 16, 28, got 70"),
        ("pix2pix", {"objective": "kl"}, "objective must be one of minimax"),
        ("pix2pix", {"objective": "wasserstein"}, "objective must be one of .*, got 'wasserstein'"),
        ("cyclegan", {"objective": "wasserstein"}, "objective must be one of .*, got 'wasserstein'"),
        ("cyclegan", {"domains": "size"}, "domains must be one of weight, serif, colour"),
        ("cyclegan", {"domains": "colour", "identity": 1.0}, "expected two equal ones"),
    ],
)
def test_what_can_not_be_is_named(name, keywords, message):
    with pytest.raises(ValueError, match=message):
        recipes.get(name, **keywords).build()


def test_there_is_no_third_split():
    with pytest.raises(ValueError, match="'train' and 'test', got 'valid'"):
        recipes.get("pix2pix").data("valid")
