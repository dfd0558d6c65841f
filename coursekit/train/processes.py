"""Several processes that train one model: who am I, and how do we stay in step."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


def is_first_process() -> bool:
    """Whether this process is the one that writes files."""
    return Processes().rank == 0


class Processes:
    """The group of processes started by `accelerate launch` or `torchrun`; alone, a group of one.

    Args:
        device: where to compute; None takes the accelerator of this process, or the CPU.
    """

    def __init__(self, device: torch.device | str | None = None):
        from accelerate import PartialState

        state = PartialState(cpu=device is not None and torch.device(device).type == "cpu")
        self.rank, self.world = state.process_index, state.num_processes
        self.device = torch.device(device) if device is not None else state.device
        self.wait = state.wait_for_everyone

    def share(self, value):
        """This process's rows rank, rank + world, ... of a batch; tuples and lists item by item."""
        if self.world == 1 or value is None:
            return value
        if isinstance(value, (tuple, list)):
            return type(value)(self.share(item) for item in value)
        return value[self.rank :: self.world]

    @torch.no_grad()
    def average_gradients(self, parameters: Sequence[Tensor]) -> None:
        """Replace every gradient by its mean over the processes, in one message.

        A parameter that the loss did not reach counts as zero, unless no process reached it: then it
        keeps having no gradient. The message ends with one flag a parameter to tell the two apart.
        """
        if self.world == 1:
            return
        from accelerate.utils import reduce

        reached = [p.grad is not None for p in parameters]
        parts = [
            p.grad.flatten() if p.grad is not None else torch.zeros_like(p).flatten() for p in parameters
        ]
        flags = torch.tensor(reached, dtype=parts[0].dtype, device=parts[0].device)
        message = reduce(torch.cat([*parts, flags]), "mean")
        *means, flags = message.split([p.numel() for p in parameters] + [len(parts)])
        anywhere = reached if all(reached) else flags.gt(0).tolist()
        for p, mean, reach in zip(parameters, means, anywhere, strict=True):
            p.grad = mean.view_as(p).to(p.dtype) if reach else None

    def average(self, values: dict[str, float]) -> dict[str, float]:
        """Mean of named numbers over the processes."""
        if self.world == 1 or not values:
            return values
        from accelerate.utils import reduce

        numbers = torch.tensor(list(values.values()), dtype=torch.float32, device=self.device)
        return dict(zip(values, reduce(numbers, "mean").tolist(), strict=True))

    @torch.no_grad()
    def agree(self, tensors: Iterable[Tensor]) -> None:
        """Give every process the first one's values, in one message of bytes."""
        tensors = [t for t in tensors if t.numel()]
        if self.world == 1 or not tensors:
            return
        from accelerate.utils import broadcast

        parts = [t.detach().contiguous().flatten().view(torch.uint8) for t in tensors]
        message = broadcast(torch.cat(parts), from_process=0)
        for t, part in zip(tensors, message.split([len(p) for p in parts]), strict=True):
            t.copy_(part.clone().view(t.dtype).view(t.shape))
