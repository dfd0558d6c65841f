"""`fit`: train any model in one call."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from coursekit.train.ema import EMA
from coursekit.train.history import History
from coursekit.train.optim import OptimizerFactory, Schedule, adam, constant
from coursekit.train.trainer import Trainer


def fit(
    model: nn.Module,
    data: Any,
    steps: int,
    *,
    batch_size: int = 128,
    lr: float | Mapping[str, float] = 1e-3,
    optimizer: OptimizerFactory | Mapping[str, OptimizerFactory] = adam,
    schedule: Schedule | Mapping[str, Schedule] = constant,
    clip_norm: float | None = None,
    ema: EMA | None = None,
    precision: str | None = None,
    device: torch.device | str | None = None,
    seed: int = 0,
    log_every: int = 10,
    every: tuple[int, Callable[[Trainer], None]] | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 1000,
    resume: bool = False,
    compile: bool = False,
    progress: bool = True,
) -> History:
    """Train a model until `steps` steps are done, and return what was logged on the way.

    Noise and batches depend on (seed, step) alone and the caller's random state is left as it was, so neither
    a callback nor an interruption changes the result: killed and resumed on a CPU, a run ends with the same
    bits.

    Args:
        model: has `losses(x, c)`, a generator of (player, loss); a player is "model", the whole, or the name
            of an attribute.
        data: a tensor (N, *), a pair of tensors (x, c), or an object with batch(step, size, seed) -> (x, c).
        steps: number of training steps in all, counted from the run's beginning.
        batch_size: rows a step, over all processes together.
        lr: learning rate; per player by a dict.
        optimizer: (parameters, lr) -> optimizer; per player by a dict.
        schedule: (step, steps) -> factor of the learning rate, such as `Cosine(warmup=500)`; per player by a
            dict.
        clip_norm: largest 2-norm of a player's gradient; longer ones are scaled down.
        ema: `EMA(model)`, updated after every step.
        precision: "no" or "bf16"; None takes what `accelerate launch` was told, else "no".
        device: None takes the accelerator that is there, else the CPU.
        seed: of the batches and of the noise.
        log_every: steps between two entries of the history, each the mean loss since the one before.
        every: (n, function): calls function(trainer) after every n-th step, with the model in
            evaluation mode.
        checkpoint: folder in which the state of the run is kept.
        checkpoint_every: steps between two checkpoints; the last step always writes one.
        resume: continue from the checkpoint in the folder, if there is one.
        compile: run the model's parts through torch.compile; the first step takes long.
        progress: show a progress bar.

    Raises:
        FloatingPointError: a loss became NaN or infinite; the message names player and step.
        FileExistsError: the folder holds a checkpoint and `resume` is False.
        ValueError: an argument is out of range, or the checkpoint is damaged or belongs to another run.
    """
    trainer = Trainer(
        model,
        data,
        batch_size=batch_size,
        lr=lr,
        optimizer=optimizer,
        schedule=schedule,
        clip_norm=clip_norm,
        ema=ema,
        precision=precision,
        device=device,
        seed=seed,
        log_every=log_every,
        compile=compile,
    )
    return trainer.run(
        steps,
        every=every,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        resume=resume,
        progress=progress,
    )
