"""Flows of images put together: exact densities over several scales, sizes, depth and temperature."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from coursekit.models.flows import (
    Dequantized,
    Flow,
    Squeeze,
    glow,
    image_noise,
    image_real_nvp,
    multiscale_real_nvp,
)

SHAPE, CLASSES = (1, 4, 4), 3
FLOWS = {
    "one scale": lambda c_dim=0: image_real_nvp(SHAPE, 2, 4, c_dim),
    "two scales": lambda c_dim=0: multiscale_real_nvp(SHAPE, (2, 2), (4, 4), c_dim),
    "three scales": lambda c_dim=0: multiscale_real_nvp(SHAPE, (1, 2, 2), (4, 4, 4), c_dim),
    "glow": lambda c_dim=0: glow(SHAPE, 2, 2, 4, c_dim),
    "glow without priors": lambda c_dim=0: glow(SHAPE, 1, 2, 4, c_dim, learnt_prior=False),
}


def shaken(flow: Flow, by: float = 0.1) -> Flow:
    """In double precision, every parameter moved off its first value."""
    flow = flow.double()
    with torch.no_grad():
        for p in flow.parameters():
            p.add_(by * torch.randn_like(p))
    return flow


def image(n: int = 3) -> Tensor:
    return 0.02 + 0.96 * torch.rand(n, *SHAPE, dtype=torch.float64)


@pytest.mark.parametrize("name", FLOWS)
def test_the_density_is_that_of_the_base_times_the_jacobian(name):
    """log N(z) + log |det| of the 16 x 16 Jacobian that autograd finds; the inverse error is below 1e-8."""
    torch.manual_seed(0)
    flow, x = shaken(FLOWS[name](CLASSES)), image()
    c = torch.tensor([0, 1, 2])
    z = flow.encode(x, c).flatten(1)
    jacobian = torch.autograd.functional.jacobian(lambda row: flow.encode(row[None], c[1:2]).flatten(), x[1])
    log_det = torch.linalg.slogdet(jacobian.flatten(1)).logabsdet
    log_base = torch.distributions.Normal(0.0, 1.0).log_prob(z[1]).sum()
    assert_close(flow.log_prob(x, c)[1], log_base + log_det)
    assert flow.inverse_error(x, c) < 1e-8


@pytest.mark.parametrize("name", FLOWS)
def test_the_condition_changes_the_density(name):
    torch.manual_seed(0)
    flow, x, c = shaken(FLOWS[name](CLASSES)), image(), torch.tensor([0, 1, 2])
    assert not torch.isclose(flow.log_prob(x, c), flow.log_prob(x, (c + 1) % 3)).any()
    with pytest.raises(ValueError, match="needs a condition"):
        flow.log_prob(x)


def test_the_density_over_two_scales_is_a_sum_over_scales():
    """By hand: checkerboards, a squeeze, couplings; half is done; a squeeze and couplings of the rest."""
    torch.manual_seed(0)
    flow, x = shaken(multiscale_real_nvp(SHAPE, (1, 2, 2), (4, 4, 4))), image()
    normal, total, h = torch.distributions.Normal(0.0, 1.0), torch.zeros(3, dtype=torch.float64), x
    *before, middle = flow.bijectors
    *inner, split = middle.bijectors
    for bijector in (*before, *inner):
        h, log_det = bijector(h)
        total = total + log_det
    h, done = h.chunk(2, 1)
    total = total + normal.log_prob(done).flatten(1).sum(1)
    for bijector in split.rest.bijectors:
        h, log_det = bijector(h)
        total = total + log_det
    assert isinstance(inner[0], Squeeze)
    assert_close(flow.log_prob(x), total + normal.log_prob(h).sum(1))


@pytest.mark.parametrize(
    ("flow", "noise", "published"),
    [
        (lambda: image_real_nvp((1, 28, 28)), False, 556_312),
        (lambda: image_real_nvp((1, 28, 28)), True, 628_388),
        (lambda: multiscale_real_nvp((1, 28, 28)), True, 1_711_818),
    ],
)
def test_the_sizes_are_those_of_the_tutorial(flow, noise, published):
    """Within 4%: its channel couplings read masked channels, and each coupling has a learnt bound."""
    model = Dequantized(flow(), noise=image_noise((1, 28, 28)) if noise else None)
    size = sum(p.numel() for p in model.parameters())
    assert 0.96 * published < size <= published


@pytest.mark.parametrize("name", ["one scale", "two scales", "glow"])
def test_depth_32_stays_finite_in_single_precision(name):
    """32 layers with weights pushed far from the start, on black and white images: values and gradients."""
    torch.manual_seed(0)
    flow = {
        "one scale": lambda: image_real_nvp(SHAPE, 32, 4),
        "two scales": lambda: multiscale_real_nvp(SHAPE, (16, 16), (4, 4)),
        "glow": lambda: glow(SHAPE, 2, 16, 4),
    }[name]()
    flow = shaken(flow).float()
    x = torch.rand(4, *SHAPE).round()
    flow.start(x)
    log_p = flow.log_prob(x)
    log_p.mean().backward()
    assert log_p.isfinite().all()
    assert all(p.grad.isfinite().all() for p in flow.parameters())
    assert flow.sample(4).isfinite().all()


def test_glow_starts_from_a_batch():
    """Before training its latents have about the mean and the variance of the base."""
    torch.manual_seed(0)
    flow, x = glow((1, 8, 8), 2, 4, 8), 0.8 * torch.rand(256, 1, 8, 8)
    before = flow.encode(x)
    flow.start(x)
    z = flow.encode(x)
    assert before.std().item() > 1.3
    assert z.mean().abs().item() < 0.02
    assert z.std().item() == pytest.approx(1, abs=0.02)


def test_temperature_scales_the_latents():
    """Encoding what was drawn at temperature 1/2 gives latents of standard deviation 1/2."""
    torch.manual_seed(0)
    flow = shaken(glow(SHAPE, 2, 2, 4), 0.05)
    z = flow.encode(flow.sample(400, temperature=0.5))
    assert z.std().item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: glow((1, 6, 8)), r"an image \(2, 3, 4\) can't be squeezed at scale 1 of 2"),
        (lambda: glow((1, 8, 8), scales=0), "at scale 0 of 0"),
        (lambda: multiscale_real_nvp((1, 8, 8), (2,), (8,)), "at least 2 each"),
        (lambda: multiscale_real_nvp((1, 8, 8), (2, 2), (8, 8, 8)), "expected as many"),
    ],
)
def test_sizes_that_do_not_fit_are_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
