"""Flows under autocast: their nets are rounded to bf16, and nothing else is."""

import pytest
import torch
from torch import Tensor, nn

from coursekit.models.flows import (
    Dequantized,
    glow,
    image_noise,
    image_real_nvp,
    maf,
    multiscale_real_nvp,
    nice,
    real_nvp,
    spline_flow,
)
from coursekit.nets import MLP, Beside, ConvNet, GatedConvNet, MaskedMLP

SHAPE = (1, 8, 8)
FLOWS = {
    "nice": lambda: nice(6),
    "real_nvp": lambda: real_nvp(6),
    "spline_flow": lambda: spline_flow(6),
    "maf": lambda: maf(6),
    "one scale": lambda: image_real_nvp(SHAPE, 2, 8),
    "several scales": lambda: multiscale_real_nvp(SHAPE, (2, 2), (8, 8)),
    "glow": lambda: glow(SHAPE, 2, 2, 8),
}
NETS = (MLP, MaskedMLP, ConvNet, GatedConvNet, Beside)


def rounded(net: nn.Module, args: tuple[Tensor, ...]) -> Tensor:
    """What the net gives under autocast, whatever the precision around it."""
    with torch.autocast("cpu", torch.bfloat16):
        return type(net).forward(net, *args).float()


@pytest.mark.parametrize("name", FLOWS)
@torch.no_grad()
def test_under_autocast_only_the_nets_are_rounded(name, monkeypatch):
    """Training in bf16 gives, bit by bit, the density whose nets alone are rounded; sums of log-scales and
    linear maps in bf16 would be off by nats in a deep flow."""
    flow = FLOWS[name]()
    for p in flow.parameters():
        p.add_(0.1 * torch.randn_like(p))
    x = torch.rand(16, *(SHAPE if "scale" in name or name == "glow" else (6,)))
    with torch.autocast("cpu", torch.bfloat16):
        trained = flow.log_prob(x)
        there_and_back = flow.decode(flow.encode(x))
    for net in (module for module in flow.modules() if isinstance(module, NETS)):
        monkeypatch.setattr(net, "forward", lambda *args, net=net: rounded(net, args))
    assert trained.dtype == torch.float32
    assert torch.equal(trained, flow.log_prob(x))
    torch.testing.assert_close(there_and_back, x, atol=2e-3, rtol=1e-3)


def test_a_bound_trained_in_bf16_has_finite_gradients_in_full_precision():
    """Learnt noise and several scales: every parameter gets a finite gradient of its own precision."""
    model = Dequantized(multiscale_real_nvp(SHAPE, (2, 2), (8, 8)), 4, image_noise(SHAPE, 4, 2, 8))
    x = torch.randint(4, (8, *SHAPE)).float()
    with torch.autocast("cpu", torch.bfloat16):
        (_, loss), *_ = model.losses(x)
    loss.backward()
    assert loss.dtype == torch.float32
    assert all(p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in model.parameters())
