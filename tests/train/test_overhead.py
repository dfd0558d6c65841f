"""What the trainer adds to a hand-written loop. `make bench` measures it finely; this catches a blunder."""

import time

import torch
from torch import nn

from coursekit.train import Trainer
from tests.train.models import points


class Line(nn.Module):
    """An affine map: so little work that what the trainer does itself can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(4, 4)

    def losses(self, x, c=None):
        yield "model", (self.net(x) - x).square().mean()


def test_a_trainers_step_costs_less_than_twice_the_cheapest_step_there_is():
    """On 4 numbers; the best of many short blocks of either side is what a busy machine disturbs least."""
    x, by_hand = points(), Line()
    trainer = Trainer(Line(), x, batch_size=8, device="cpu")
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=1e-3, fused=True)
    rows = torch.arange(8)

    def loop() -> None:
        for _ in range(20):
            _, loss = next(by_hand.losses(x[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def fit() -> None:
        trainer.run(trainer.step + 20, progress=False)

    best = {loop: 1.0, fit: 1.0}
    for _ in range(30):
        for work in best:
            started = time.perf_counter()
            work()
            best[work] = min(best[work], (time.perf_counter() - started) / 20)
    assert best[fit] < 2 * best[loop]


def test_a_step_queues_no_work_for_devices_that_are_not_there():
    """torch.manual_seed keeps a call and a traceback for a CUDA that may come later: a leak at every step."""
    trainer = Trainer(Line(), points(), batch_size=8, device="cpu")
    trainer.run(1, progress=False)
    waiting = len(torch.cuda._queued_calls)
    trainer.run(20, progress=False)
    assert len(torch.cuda._queued_calls) == waiting
