"""Recipes of text models: vocabulary, optimizer, schedule, and a folder that can be judged by the symbol."""

import json

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from coursekit import recipes
from coursekit.cli import app
from coursekit.recipes.ar import VOCABULARIES, decayed

TINY = {
    "gpt": {"layers": 1, "heads": 2, "width": 8, "context": 16},
    "char_rnn": {"cell": "gru", "width": 8, "window": 16},
}


@pytest.mark.parametrize("name", TINY)
def test_a_trained_folder_is_judged_by_the_symbol(name, tmp_path):
    """By the command line; the figure of three windows is that of the loaded model by hand."""
    recipe = recipes.get(name, batch_size=4, **TINY[name])
    recipes.train(recipe, tmp_path, steps=2, progress=False, device="cpu")
    command = ["evaluate", str(tmp_path), "--n", "3", "--device", "cpu", "--result", str(tmp_path / "r.json")]
    assert CliRunner().invoke(app, command).exit_code == 0
    found = json.loads((tmp_path / "r.json").read_text())["metrics"]
    assert found.keys() == {"log_prob"}
    x = next(recipe.data("test").windows(3, overlap=1))
    expected = recipes.load(tmp_path).log_prob(x).mean().item() / 16
    assert found["log_prob"]["mean"] == pytest.approx(expected, rel=1e-6)
    assert (found["log_prob"]["n"], found["log_prob"]["unit"]) == (48, "nats per symbol")


def test_the_recipe_of_nanogpts_cpu_setting_has_its_numbers():
    """4 layers, width 128, context 64; 0.80 million parameters without positions, as it prints."""
    recipe = recipes.get("gpt_shakespeare")
    model = recipe.build()
    counted = sum(p.numel() for p in model.parameters()) - model.net.position.weight.numel()
    assert counted == 65 * 128 + 4 * (12 * 128 * 128 + 2 * 128) + 128
    assert (recipe.steps, recipe.batch_size, recipe.lr, recipe.clip_norm) == (2000, 12, 1e-3, 1.0)
    lr = [recipe.lr * recipe.schedule(step, 2000) for step in (0, 99, 100, 1999)]
    assert lr == pytest.approx([1e-3 / 101, 1e-3 * 100 / 101, 1e-3, 1e-4])
    assert len(VOCABULARIES["shakespeare"]) == 65


def test_decay_pulls_matrices_alone():
    """Without a gradient a step multiplies matrices by 1 - lr * decay and leaves biases."""
    layer = nn.Linear(3, 2)
    optimizer = decayed(0.5, (0.9, 0.99))(layer.parameters(), 0.1)
    before = [p.detach().clone() for p in layer.parameters()]
    for p in layer.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    torch.testing.assert_close(layer.weight.detach(), before[0] * (1 - 0.1 * 0.5))
    assert torch.equal(layer.bias, before[1])
    assert [group["betas"] for group in optimizer.param_groups] == [(0.9, 0.99)] * 2


@pytest.mark.parametrize("name", TINY)
def test_a_choice_that_does_not_exist_lists_the_choices(name):
    with pytest.raises(
        ValueError, match="dataset must be one of python_docs, shakespeare, got 'war_and_peace'"
    ):
        recipes.get(name, dataset="war_and_peace")
    with pytest.raises(ValueError, match="split: this recipe has 'train' and 'test', got 'valid'"):
        recipes.get(name).data("valid")
