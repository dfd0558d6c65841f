"""The training loop: players, their optimizers, and what happens in one step."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from coursekit.train import checkpoints
from coursekit.train.around import autocast, compiled, mode, own_noise, seed_noise
from coursekit.train.batches import as_data, move
from coursekit.train.ema import EMA
from coursekit.train.history import History, LossWindow
from coursekit.train.optim import OptimizerFactory, Schedule, adam, constant
from coursekit.train.processes import Processes


@dataclass
class Player:
    """A part of the model with an optimizer of its own."""

    parameters: list[Tensor]
    optimizer: Optimizer
    schedule: Schedule


class Trainer:
    """Steps every player of a model on its own loss; the arguments are those of `fit`.

    Attributes:
        model: the model, on `device`.
        step: number of steps done.
        history: what was logged so far.
        players: name -> Player, of those that have played.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Any,
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
        compile: bool = False,
    ):
        self.processes = Processes(device)
        self.device = self.processes.device
        if batch_size < 1 or batch_size % self.processes.world:
            raise ValueError(
                f"batch_size must be a multiple of the {self.processes.world} processes, got {batch_size}."
            )
        if log_every < 1:
            raise ValueError(f"log_every must be at least 1, got {log_every}.")
        if ema is not None and ema.source is not model:
            raise ValueError(
                "ema averages another model: make it with EMA(model) of the model that is trained."
            )
        self.model, self.ema = model.to(self.device), ema and ema.to(self.device)
        data = as_data(data)
        self.data = data.to(self.device) if hasattr(data, "to") else data
        self.batch_size, self.seed, self.log_every = batch_size, seed, log_every
        self.lr, self.optimizer, self.schedule, self.clip_norm = lr, optimizer, schedule, clip_norm
        self.autocast = autocast(precision, self.device)
        self.compile = compile
        self.step, self.steps = 0, 0
        self.history, self.players, self._window = History(), {}, LossWindow()

    def run(
        self,
        steps: int,
        *,
        every: tuple[int, Callable[["Trainer"], None]] | None = None,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 1000,
        resume: bool = False,
        progress: bool = True,
    ) -> History:
        """Train until `steps` steps are done; the arguments are those of `fit`."""
        self.steps = steps
        folder = Path(checkpoint) if checkpoint is not None else None
        if folder is not None:
            self._open(folder, resume)
        for shared in [self.model] + ([self.ema.model] if self.ema is not None else []):
            self.processes.agree(_state(shared))
        started, before = time.perf_counter(), self.history.seconds
        bar = tqdm(total=steps, initial=self.step, disable=not progress or self.processes.rank > 0)
        with mode(self.model, True), compiled(self.model, self.compile), own_noise(self.device), bar:
            while self.step < steps:
                self.train_step()
                last = self.step == steps
                self.history.seconds = before + time.perf_counter() - started
                bar.update()
                if last or self.step % self.log_every == 0:
                    self._log(bar)
                if every is not None and self.step % every[0] == 0:
                    with mode(self.model, False):
                        every[1](self)
                if folder is not None and (last or self.step % checkpoint_every == 0):
                    self.save(folder)
        return self.history

    def train_step(self) -> None:
        """One batch: every loss that the model yields steps its player before the next one is computed."""
        seed_noise(self.device, self.seed, self.step, self.processes.rank)
        x, c = self.data.batch(self.step, self.batch_size, self.seed)
        x, c = (move(self.processes.share(part), self.device) for part in (x, c))
        losses = self.model.losses(x, c)
        while (item := self._resume(losses)) is not None:
            self._update(*item)
        if self.processes.world > 1:
            # Buffers may follow the data, and some layers start from their first batch.
            self.processes.agree(self.model.buffers() if self.step else _state(self.model))
        if self.ema is not None:
            self.ema.update()
        self.step += 1

    def log(self, **values: float) -> None:
        """Add named numbers to the history, at the present step."""
        self.history.add(self.step, values)

    def save(self, folder: Path) -> None:
        """Write a checkpoint of the whole run into a folder (the first process does)."""
        self._window.settle()
        if self.processes.rank == 0:
            tensors = checkpoints.pack("model", self.model.state_dict())
            if self.ema is not None:
                tensors |= checkpoints.pack("ema", self.ema.model.state_dict())
            numbers = {}
            for name, player in self.players.items():
                memory, numbers[name] = checkpoints.optimizer_state(player.optimizer)
                tensors |= checkpoints.pack(f"player/{name}", memory)
            checkpoints.save(folder, self.step, tensors, self._facts() | {"players": numbers})
        self.processes.wait()

    def _facts(self) -> dict[str, Any]:
        """What a checkpoint records beside tensors and optimizers."""
        return {
            "settings": {"batch_size": self.batch_size, "seed": self.seed, "ema": self.ema is not None},
            "ema_updates": self.ema.updates if self.ema is not None else 0,
            "window": self._window.values,
            "history": self.history.to_json(),
        }

    def _open(self, folder: Path, resume: bool) -> None:
        """Continue from the folder's checkpoint, if it has one."""
        if not checkpoints.exists(folder):
            return
        if not resume:
            raise FileExistsError(
                f"{folder} holds the checkpoint of a run: pass resume=True to continue it, or another folder."
            )
        tensors, state = checkpoints.load(folder)
        settings = self._facts()["settings"]
        if state["settings"] != settings:
            raise ValueError(
                f"{folder} holds a run with {state['settings']}, not {settings}: use another folder."
            )
        if state["step"] > self.steps:
            raise ValueError(f"{folder} holds a run of {state['step']} steps, more than steps={self.steps}.")
        self._restore(folder, tensors, state)

    def _restore(self, folder: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Take over a checkpoint's content."""
        models = {"model": self.model} | ({"ema": self.ema.model} if self.ema is not None else {})
        for prefix, model in models.items():
            try:
                model.load_state_dict(checkpoints.unpack(prefix, tensors))
            except RuntimeError as error:
                raise ValueError(f"{folder} holds another model than the one given: {error}") from error
        for name, numbers in state["players"].items():
            player = self._player(name)
            memory = checkpoints.unpack(f"player/{name}", tensors)
            checkpoints.restore_optimizer(player.optimizer, memory, numbers)
        if self.ema is not None:
            self.ema.updates = state["ema_updates"]
        self.step, self.history = state["step"], History(**state["history"])
        self._window.values.update(state["window"])

    def _resume(self, losses: Iterator[tuple[str, Tensor]]) -> tuple[str, Tensor] | None:
        """The model's next (player, loss), in the precision asked for; None after the last."""
        with self.autocast:
            return next(losses, None)

    def _update(self, name: str, loss: Tensor) -> None:
        """One optimizer step of one player; nobody else's parameters get a gradient."""
        player = self.players.get(name) or self._player(name)
        if loss.ndim:
            raise ValueError(
                f"The loss of player {name!r} has shape {tuple(loss.shape)}; yield its mean, a scalar."
            )
        self._window.add(self.step + 1, name, loss)
        loss.backward(inputs=player.parameters)
        self.processes.average_gradients(player.parameters)
        if self.clip_norm is not None:
            nn.utils.clip_grad_norm_(player.parameters, self.clip_norm)
        factor = player.schedule(self.step, self.steps)
        for group in player.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
        player.optimizer.step()
        for p in player.parameters:
            p.grad = None

    def _player(self, name: str) -> Player:
        """Make a player at its first move: the parameters of the attribute with its name."""
        part = self.model if name == "model" else getattr(self.model, name, None)
        if not isinstance(part, (nn.Module, nn.Parameter)):
            raise ValueError(
                f"{type(self.model).__name__}.losses yielded player {name!r}, which is neither 'model' "
                "nor the name of a module or parameter of the model."
            )
        tensors = part.parameters() if isinstance(part, nn.Module) else [part]
        parameters = [p for p in tensors if p.requires_grad]
        if not parameters:
            raise ValueError(f"Player {name!r} has no parameter that requires a gradient.")
        for p in parameters:
            p.grad = None
        optimizer = _for(name, self.optimizer, "optimizer")(parameters, _for(name, self.lr, "lr"))
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        self.players[name] = Player(parameters, optimizer, _for(name, self.schedule, "schedule"))
        return self.players[name]

    def _log(self, bar: tqdm) -> None:
        means = self.processes.average(self._window.means())
        self.log(**means)
        bar.set_postfix({name: f"{value:.4g}" for name, value in means.items()}, refresh=False)


def _state(model: nn.Module) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]


def _for(player: str, option: Any, name: str) -> Any:
    """A player's own value of an option that may be a dict."""
    if isinstance(option, Mapping) and player not in option:
        raise ValueError(f"{name} has no entry for player {player!r}, only for {', '.join(option)}.")
    chosen = option[player] if isinstance(option, Mapping) else option
    if name != "lr" and not callable(chosen):
        raise ValueError(f"{name} is {chosen!r}; expected a function, or leave it out for the default.")
    return chosen
