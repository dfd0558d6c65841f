"""Bijectors of images, in double precision: inverses, and log-determinants beside autograd's Jacobian."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from coursekit.models.flows import (
    ActNorm,
    Chain,
    Coupling,
    Flatten,
    InvertibleConv,
    Logit,
    MaskedCoupling,
    Shift,
    Split,
    Squeeze,
    checkerboard,
)
from coursekit.nets import ConvNet, GatedConvNet

SHAPE, CLASSES = (2, 4, 4), 3


def split(*rest: nn.Module) -> Split:
    return Split(SHAPE, Chain([*rest, Flatten((1, 4, 4))]))


BIJECTORS = {
    "squeeze": lambda c_dim=0: Squeeze(),
    "flatten": lambda c_dim=0: Flatten(SHAPE),
    "logit": lambda c_dim=0: Logit(0.01),
    "actnorm": lambda c_dim=0: ActNorm((2, 1, 1)),
    "1x1 convolution": lambda c_dim=0: InvertibleConv(2),
    "checkerboard": lambda c_dim=0: MaskedCoupling(GatedConvNet(2, 4, 4, 1, c_dim), checkerboard(4, 4)),
    "odd checkerboard": lambda c_dim=0: MaskedCoupling(ConvNet(2, 4, 4, c_dim), checkerboard(4, 4, odd=True)),
    "additive checkerboard": lambda c_dim=0: MaskedCoupling(
        ConvNet(2, 2, 4, c_dim), checkerboard(4, 4), Shift()
    ),
    "channel coupling": lambda c_dim=0: Coupling(ConvNet(1, 2, 4, c_dim)),
    "channel coupling, flipped": lambda c_dim=0: Coupling(GatedConvNet(1, 2, 4, 1, c_dim), flip=True),
    "split": lambda c_dim=0: split(MaskedCoupling(ConvNet(1, 2, 4, c_dim), checkerboard(4, 4))),
}
CONDITIONAL = [name for name in BIJECTORS if "checkerboard" in name or "coupling" in name or name == "split"]


def shaken(module: nn.Module) -> nn.Module:
    """In double precision, every parameter moved off its first value: couplings start as the identity."""
    module = module.double()
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return module


@pytest.fixture(params=BIJECTORS)
def named(request):
    torch.manual_seed(0)
    return request.param, shaken(BIJECTORS[request.param]())


def image(n: int = 3) -> Tensor:
    """Values in (0, 1), where every bijector is defined."""
    return torch.rand(n, *SHAPE, dtype=torch.float64)


def jacobian(function, x: Tensor) -> Tensor:
    """d f / d x of one row, (D, D)."""
    return torch.autograd.functional.jacobian(lambda row: function(row[None])[0].flatten(), x).flatten(1)


def test_the_inverse_undoes_the_map(named):
    """To 1e-8, and the two log-determinants cancel."""
    _, bijector = named
    x = image()
    z, forward = bijector(x)
    back, inverse = bijector.inverse(z)
    assert_close(back, x, rtol=0, atol=1e-8)
    assert_close(inverse, -forward)
    assert forward.shape == inverse.shape == (3,)


def test_the_log_determinant_is_that_of_the_jacobian(named):
    """log |det| of the 32 x 32 Jacobian that autograd finds, in both directions."""
    _, bijector = named
    x = image()
    z, log_det = bijector(x)
    assert_close(log_det[1], torch.linalg.slogdet(jacobian(bijector.forward, x[1])).logabsdet)
    _, log_det = bijector.inverse(z)
    assert_close(log_det[1], torch.linalg.slogdet(jacobian(bijector.inverse, z[1].detach())).logabsdet)


@pytest.mark.parametrize("name", CONDITIONAL)
def test_the_condition_moves_the_image_and_the_inverse_knows_it(name):
    torch.manual_seed(0)
    bijector, x = shaken(BIJECTORS[name](CLASSES)), image()
    c = torch.arange(3)
    z, _ = bijector(x, c)
    assert not torch.isclose(z, bijector(x, (c + 1) % 3)[0]).all()
    assert_close(bijector.inverse(z, c)[0], x, rtol=0, atol=1e-8)


def test_a_masked_coupling_leaves_what_its_mask_keeps():
    """And moves every other pixel."""
    torch.manual_seed(0)
    mask, x = checkerboard(4, 4), image()
    z, _ = shaken(MaskedCoupling(ConvNet(2, 4, 4), mask))(x)
    kept = mask.expand(3, 2, 4, 4)
    assert torch.equal(z[kept], x[kept])
    assert (z[~kept] != x[~kept]).all()


def test_the_two_checkerboards_share_the_pixels():
    even, odd = checkerboard(3, 4), checkerboard(3, 4, odd=True)
    assert even[0].tolist() == [True, False, True, False]
    assert torch.equal(even, ~odd)


def test_squeeze_makes_each_block_of_four_pixels_one_pixel():
    """Channels come in the order of the block, row by row."""
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    z, _ = Squeeze()(x)
    assert z[0, :, 0, 0].tolist() == [0, 1, 4, 5]
    assert z[0, :, 1, 0].tolist() == [8, 9, 12, 13]


def test_a_coupling_before_a_split_is_a_learnt_prior():
    """Standard normal density of z times the Jacobian is N(x1; 0, 1) N(x2; mean(x1), scale(x1)^2)."""
    torch.manual_seed(0)
    coupling, x = shaken(Coupling(ConvNet(1, 2, 4))), image()
    z, log_det = Chain([coupling, split()])(x)
    x1, x2 = x.chunk(2, 1)
    a, t = coupling.net(x1).chunk(2, 1)
    inverse_scale = (coupling.transform.bound * a.tanh()).exp()
    normal = torch.distributions.Normal
    expected = normal(0.0, 1.0).log_prob(x1) + normal(-t / inverse_scale, 1 / inverse_scale).log_prob(x2)
    log_p = normal(0.0, 1.0).log_prob(z).sum(1) + log_det
    assert_close(log_p, expected.flatten(1).sum(1))


def test_actnorm_of_an_image_starts_from_the_batch():
    """After it each channel has mean 0 and variance 1, over images and pixels."""
    x = 5 + 3 * torch.randn(64, 2, 4, 4, dtype=torch.float64)
    norm = ActNorm((2, 1, 1)).double()
    norm.start_from(x)
    z, _ = norm(x)
    assert_close(z.mean((0, 2, 3)), torch.zeros(2, dtype=torch.float64))
    assert_close(z.var((0, 2, 3), correction=0), torch.ones(2, dtype=torch.float64))


def test_a_1x1_convolution_is_one_matrix_at_every_pixel():
    """And starts as a rotation, which keeps the length of each pixel."""
    conv, x = InvertibleConv(2).double(), image()
    z, log_det = conv(x)
    assert_close(z, torch.einsum("dc,bchw->bdhw", conv.weight, x))
    assert_close(z.square().sum(1), x.square().sum(1), rtol=1e-5, atol=1e-5)
    assert_close(log_det, torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-5)


def test_the_logit_is_finite_on_black_and_white():
    """0 and 1 go to -log((1 - alpha) / alpha) and its negative, in single precision too."""
    z, log_det = Logit(1e-5)(torch.tensor([[0.0, 1.0]]))
    assert_close(z[0, 1], torch.tensor(math.log((1 - 1e-5) / 1e-5)), rtol=1e-3, atol=0)
    assert_close(z[0, 0], -z[0, 1], rtol=1e-3, atol=0)
    assert log_det.isfinite().all()


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: Squeeze()(torch.zeros(1, 1, 3, 4)), r"expected \(B, C, H, W\) with even H and W"),
        (lambda: Squeeze().inverse(torch.zeros(1, 2, 3, 4)), r"expected \(B, 4C, H, W\)"),
        (lambda: Flatten(SHAPE)(torch.zeros(1, 1, 4, 4)), r"expected \(B, 2, 4, 4\)"),
        (lambda: Split((3, 4, 4), Flatten((1, 4, 4))), "even number of channels"),
        (lambda: split().inverse(torch.zeros(1, 16)), r"expected \(B, 32\)"),
        (lambda: Logit(0.5), "alpha is 0.5"),
        (lambda: MaskedCoupling(nn.Identity(), torch.ones(4, 4)), "expected a boolean one"),
        (
            lambda: MaskedCoupling(nn.Identity(), checkerboard(4, 4))(torch.zeros(1, 2, 4, 3)),
            r"expected \(B, C, 4, 4\)",
        ),
        (lambda: InvertibleConv(3)(torch.zeros(1, 2, 4, 4)), r"expected \(B, 3, H, W\)"),
    ],
)
def test_what_does_not_fit_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
