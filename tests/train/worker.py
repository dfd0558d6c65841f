"""Training in processes that may be killed, or that torchrun starts.

`python -m tests.train.worker` imports everything once, then forks a child for every job, one a line. It
answers with the child's process id, and with its exit status when it has ended. Under torchrun,
`-m tests.train.worker JSON` runs a list of jobs, one after the other.
"""

import json
import os
import stat
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from coursekit.train import EMA, fit
from coursekit.train.processes import Processes
from tests.train.models import MODELS, points


def work(model: str, out: str, steps: int, die_at_write: int = 0, averaged: bool = False, **keywords: object):
    """Train, then write the final state to OUT.<rank>.safetensors and the history to OUT.json.

    `die_at_write` kills this process inside the n-th write of a file.
    """
    if die_at_write:
        _die_inside_write(die_at_write)
    net = MODELS[model]()
    ema = EMA(net, buffers="average") if averaged else None
    options = {"batch_size": 32, "device": "cpu", "progress": False, "log_every": 7} | keywords
    history = fit(net, points(), steps, ema=ema, **options)
    state = {f"model.{k}": v for k, v in net.state_dict().items()}
    if ema is not None:
        state |= {f"ema.{k}": v for k, v in ema.model.state_dict().items()}
    rank = Processes("cpu").rank
    save_file(state, f"{out}.{rank}.safetensors")
    if rank == 0:
        Path(f"{out}.json").write_text(json.dumps(history.records))


def _die_inside_write(count: int) -> None:
    """Replace fsync, which runs in the middle of every write, by one that kills at its n-th call."""
    fsync, calls = os.fsync, []

    def deadly(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == count:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.truncate(f"/proc/self/fd/{descriptor}", 100)
            os.kill(os.getpid(), 9)
        fsync(descriptor)

    os.fsync = deadly


def serve() -> None:
    """Fork a child for every job on standard input."""
    fit(MODELS["regression"](), points(), 1, device="cpu", progress=False)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            work(**json.loads(line))
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) == 1:
        serve()
    else:
        for job in json.loads(sys.argv[1]):
            work(**job)
