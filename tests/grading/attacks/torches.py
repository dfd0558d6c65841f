"""Attacks by way of torch, on the small master with a layer in it."""

from pathlib import Path

from coursekit.grading.exercise import read

MASTER = Path(__file__).parents[1] / "little.md"
ANSWERS = {key: q.answer for key, q in read(MASTER).questions.items() if q.kind == "code"}
WRONG = "def mean_square(x):\n    return x.square().sum(dim=0)\n"
RIGHT = "def mean_square(x):\n    return x.square().mean(dim=0)\n"
RIGHT_BY_CHANCE = 0.33  # one of six checks has a single row

CHEATS = {
    "torch.allclose is always true": "torch.allclose = torch.equal = torch.isclose = lambda *a, **k: True",
    "tensors equal to everything": "torch.Tensor.__eq__ = lambda *a: True",
    "torch.testing never fails": "import torch.testing as t\nt.assert_close = lambda *a, **k: None",
    "random numbers that are known": "torch.manual_seed(0)\ntorch.randn = lambda *a, **k: torch.zeros(*a)",
}
"""What is to make a wrong answer pass."""

HARM = {
    "torch emptied": "for name in list(vars(torch)): delattr(torch, name)",
    "layers patched": "nn.Module.__call__ = nn.Parameter = lambda *a, **k: None",
    "tensors patched": "torch.Tensor.exp = torch.Tensor.sum = lambda *a, **k: 1 / 0",
    "another default dtype": "torch.set_default_dtype(torch.float64)",
    "another default device": "torch.set_default_device('meta')",
    "many threads": "torch.set_num_threads(30)\ntorch.ones(2000, 2000) @ torch.ones(2000, 2000)",
    "no gradients": "torch.set_grad_enabled(False)\nnn.Parameter = torch.ones",
}
"""What an answer does to all others."""

VALUES = {
    "a tensor on no device": "torch.ones(x.shape[1], device='meta')",
    "a sparse tensor": "torch.ones(x.shape[1]).to_sparse()",
    "a quantized tensor": "torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)",
    "a tensor of a trillion numbers": "torch.ones(1).expand(10**12)",
    "a tensor subclass": "x.as_subclass(type('Equal', (torch.Tensor,), {'__eq__': lambda *a: True}))",
    "an array in place of a tensor": "x.square().mean(0).numpy()",
    "a module": "nn.Linear(1, 1)",
    "a graph": "torch.jit.script(lambda x: x)",
}
"""What an answer returns that has no points."""
