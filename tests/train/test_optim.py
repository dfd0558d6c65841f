"""Optimizers that the trainer makes."""

import copy

import torch

from coursekit.train import adam

SHAPES = (3, 5), (7,), (16, 16), (1,)


def test_our_adam_takes_torchs_steps_bit_for_bit_whatever_comes_between():
    """Results that are printed in the book must not hang on which of the two made them: missing gradients,
    another learning rate and a restored state included."""
    torch.manual_seed(0)
    ours = [torch.randn(shape, requires_grad=True) for shape in SHAPES]
    theirs = [p.detach().clone().requires_grad_() for p in ours]
    mine, oracle = adam(ours, 1e-3), torch.optim.Adam(theirs, lr=1e-3, fused=True)
    for step in range(12):
        for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            p.grad = None if step == 4 and i % 2 else torch.randn_like(p)
            q.grad = p.grad
        mine.param_groups[0]["lr"] = oracle.param_groups[0]["lr"] = 1e-3 / (1 + step)
        mine.step()
        oracle.step()
        if step == 8:
            mine.load_state_dict(copy.deepcopy(mine.state_dict()))
        assert all(torch.equal(p, q) for p, q in zip(ours, theirs, strict=True))
    memories = [optimizer.state_dict()["state"] for optimizer in (mine, oracle)]
    for one, other in zip(*(memory.values() for memory in memories), strict=True):
        assert all(torch.equal(one[name], other[name]) for name in other)


def test_parameters_that_are_added_later_are_stepped_too():
    """As with torch's own: a net may be unfrozen in the middle of a training."""
    one, two = (torch.ones(3, requires_grad=True) for _ in range(2))
    optimizer = adam([one], 1e-3)
    for step in range(4):
        if step == 2:
            optimizer.add_param_group({"params": [two]})
        one.grad, two.grad = torch.ones(3), torch.ones(3)
        optimizer.step()
    assert (one < 1 - 3e-3).all()
    assert (two < 1 - 1e-3).all()
