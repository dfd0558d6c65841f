"""Two processes train one model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

from coursekit.train import fit
from tests.train.models import Regression, points

ROOT = Path(__file__).parents[2]


State = dict[str, torch.Tensor]
JOBS = {
    "regression": {"model": "regression", "steps": 20, "clip_norm": 0.5},
    "noisy": {"model": "noisy", "steps": 20, "averaged": True},
    "duel": {"model": "duel", "steps": 20, "averaged": True},
    "lazy": {"model": "lazy", "steps": 20, "averaged": True},
    "part": {"model": "noisy", "steps": 9, "averaged": True, "checkpoint": "run"},
    "resumed": {"model": "noisy", "steps": 20, "averaged": True, "checkpoint": "run", "resume": True},
    "probe": {"model": "probe", "steps": 2},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """All jobs were run here by two processes with gloo, under one torchrun."""
    folder = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    jobs = [{"out": name, **job} for name, job in JOBS.items()]
    command += ["-m", "tests.train.worker", json.dumps(jobs)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return folder


def states(folder: Path, name: str) -> list[State]:
    """What each of the two processes ended with."""
    return [load_file(folder / f"{name}.{rank}.safetensors") for rank in range(2)]


def differing(one: State, other: State) -> list[str]:
    return [name for name in one if not torch.equal(one[name], other[name])]


def test_two_processes_equal_one_on_the_joined_batch(folder):
    """The loss is a mean over rows, so the mean of two half-batch gradients is the whole batch's."""
    model = Regression()
    options = {"batch_size": 32, "device": "cpu", "progress": False, "log_every": 7, "clip_norm": 0.5}
    history = fit(model, points(), 20, **options)
    for state in states(folder, "regression"):
        for name, value in model.state_dict().items():
            assert_close(state[f"model.{name}"], value, rtol=1e-5, atol=1e-6)
    logged = json.loads((folder / "regression.json").read_text())
    assert_close([record["model"] for record in logged], history["model"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["noisy", "duel", "lazy"])
def test_two_processes_stay_in_step(name, folder):
    """Each draws noise of its own and sees rows of its own, yet both end with the same bits."""
    assert differing(*states(folder, name)) == []


def test_two_processes_resume_where_they_stopped(folder):
    """One process writes the checkpoint, both read it."""
    for whole, resumed in zip(states(folder, "noisy"), states(folder, "resumed"), strict=True):
        assert differing(whole, resumed) == []


def test_processes_draw_different_noise(folder):
    """With equal noise, two processes would be no better than one with half the rows."""
    one, other = states(folder, "probe")
    assert not torch.allclose(one["model.drawn_here"], other["model.drawn_here"])
