"""Killed and resumed, a run ends as if nothing had happened; a damaged checkpoint is noticed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from coursekit.train import EMA, fit
from tests.train.models import Duel, Noisy, Regression, points

ROOT = Path(__file__).parents[2]


class Server:
    """A process that forks one child a job, so that killing many costs one import of torch."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.train.worker"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)

    def start(self, **job: object) -> int:
        """Start a job; returns its process id."""
        print(json.dumps(job), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def end(self) -> int:
        """Wait for the job; returns its exit status, -9 if it was killed."""
        return int(self.process.stdout.readline())

    def run(self, **job: object) -> int:
        self.start(**job)
        return self.end()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.process.stdin.close()
    server.process.wait()
    server.process.stdout.close()


def outcome(out: Path) -> tuple[dict[str, torch.Tensor], list[dict]]:
    return load_file(f"{out}.0.safetensors"), json.loads(Path(f"{out}.json").read_text())


def assert_same_outcome(one: Path, other: Path) -> None:
    (state, records), (expected, expected_records) = outcome(one), outcome(other)
    assert state.keys() == expected.keys()
    assert [name for name in state if not torch.equal(state[name], expected[name])] == []
    assert records == expected_records


@pytest.mark.parametrize("model", ["noisy", "duel"])
def test_killed_at_random_moments_and_resumed_a_run_ends_with_the_same_bits(model, server, tmp_path):
    """SIGKILL gives no chance to clean up; checkpoints every three steps make kills inside a write likely."""
    job = {"model": model, "steps": 1000, "averaged": True}
    assert server.run(**job, out=str(tmp_path / "whole")) == 0
    job |= {"out": str(tmp_path / "broken"), "checkpoint": str(tmp_path / "run"), "checkpoint_every": 3}
    index, chance = tmp_path / "run" / "training.json", random.Random(model)
    for _ in range(6):
        before = index.read_bytes() if index.exists() else b""
        child = server.start(**job, resume=True)
        while not index.exists() or index.read_bytes() == before:
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.1))
        os.kill(child, signal.SIGKILL)
        assert server.end() == -signal.SIGKILL
    assert server.run(**job, resume=True) == 0
    assert_same_outcome(tmp_path / "broken", tmp_path / "whole")


def test_killed_inside_the_write_of_a_checkpoint_the_one_before_is_whole(server, tmp_path):
    """Four syncs make a checkpoint: of the tensors, the folder, the index, the folder again."""
    job = {"model": "noisy", "steps": 40}
    assert server.run(**job, out=str(tmp_path / "whole")) == 0
    job |= {"out": str(tmp_path / "broken"), "checkpoint": str(tmp_path / "run"), "checkpoint_every": 5}
    for write in (1, 3, 5, 6, 7, 8):
        assert server.run(**job, resume=True, die_at_write=write) == -signal.SIGKILL
    assert server.run(**job, resume=True) == 0
    assert_same_outcome(tmp_path / "broken", tmp_path / "whole")
    left = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert left == ["training-00000040.safetensors", "training.json"]


def train(folder: Path, steps: int = 4, model: type = Duel, **keywords: object):
    options = {"batch_size": 8, "progress": False, "device": "cpu", "checkpoint": folder, "resume": True}
    return fit(model(), points(), steps, **options | keywords)


def test_a_finished_run_is_returned_and_a_longer_one_goes_on(tmp_path):
    """Asking for more steps later is how a run is prolonged."""
    first = train(tmp_path, 4)
    assert train(tmp_path, 4).records == first.records
    assert train(tmp_path, 6).steps == [4, 6]


def test_an_existing_checkpoint_is_neither_used_nor_overwritten_unasked(tmp_path):
    """Both would be surprises."""
    train(tmp_path)
    with pytest.raises(FileExistsError, match="pass resume=True"):
        train(tmp_path, resume=False)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"seed": 1}, "'seed': 0.*'seed': 1"),
        ({"batch_size": 16}, "use another folder"),
        ({"model": Regression}, "holds another model"),
        ({"model": Noisy}, "holds another model"),
        ({"steps": 2}, "a run of 4 steps, more than steps=2"),
    ],
)
def test_another_runs_checkpoint_is_refused(keywords, message, tmp_path):
    """What would silently become a different run is an error."""
    train(tmp_path)
    with pytest.raises(ValueError, match=message):
        train(tmp_path, **keywords)


@pytest.mark.parametrize("damage", ["truncated", "altered", "foreign"])
@pytest.mark.parametrize("name", ["training-00000004.safetensors", "training.json"])
def test_a_damaged_file_is_named(name, damage, tmp_path):
    """One flipped bit in a weight is noticed as surely as a missing half."""
    train(tmp_path)
    path = tmp_path / name
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "altered":
        content[-9 if name.endswith("json") else -1] ^= 64
    else:
        content = b"[1, 2, 3]"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}.*(truncated|altered)"):
        train(tmp_path, 6)


def test_a_missing_file_is_named(tmp_path):
    """Half a folder was copied."""
    train(tmp_path)
    (tmp_path / "training-00000004.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"training-00000004.safetensors is missing"):
        train(tmp_path, 6)


def test_a_checkpoint_without_the_average_is_refused_when_one_is_asked_for(tmp_path):
    """The average would start in the middle of the run."""
    model = Duel()
    train(tmp_path)
    with pytest.raises(ValueError, match="'ema': False"):
        fit(
            model, points(), 6, batch_size=8, ema=EMA(model), checkpoint=tmp_path, resume=True, progress=False
        )


def test_an_optimizer_that_keeps_strange_things_can_not_be_saved(tmp_path):
    """Without pickle there is no place for them, and dropping them would change the resumed run."""
    with pytest.raises(TypeError, match="Quasi keeps 'old_dirs' as a list"):
        train(tmp_path, optimizer=Quasi)


class Quasi(torch.optim.LBFGS):
    """LBFGS on the gradient that the trainer computed."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr=lr)

    def step(self, closure=None):
        return super().step(lambda: 0.0)
