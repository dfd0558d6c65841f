"""Chapter 7: every labelled equation against numbers that were computed another way."""

import itertools
import math

import pytest
import torch
from torch import Tensor, tensor
from torch.distributions import Normal
from torch.testing import assert_close

from coursekit.models.flows import (
    Coupling,
    Dequantized,
    Flatten,
    Flow,
    InvertibleConv,
    Logit,
    Split,
    StandardNormal,
    real_nvp,
)
from coursekit.nets import ConvNet
from tests.equations.registry import checks

LEVELS, DIMS = 3, 2


@pytest.fixture(autouse=True)
def float64_and_seed():
    """Random numbers that do not depend on the order of the tests; precision that shows a wrong constant."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@checks("image-spikes")
def test_bells_on_the_levels_have_a_density_as_high_as_one_likes_on_every_image():
    """The mixture of all L^D bells of the product, one by one; the bound has only one of them."""
    images = torch.tensor(list(itertools.product(range(LEVELS), repeat=DIMS)), dtype=torch.float64)
    for sigma in (1.0, 0.1, 1e-6):
        bells = torch.stack([Normal(centre, sigma).log_prob(images).sum(-1) for centre in images])
        log_p = bells.logsumexp(0) - DIMS * math.log(LEVELS)
        bound = -DIMS * math.log(LEVELS * math.sqrt(2 * math.pi * sigma**2))
        assert (log_p >= bound - 1e-12).all()
    assert_close(log_p, torch.full_like(log_p, bound))  # narrow bells: nothing else reaches the place


def two_pixels() -> tuple[Dequantized, Tensor, Tensor]:
    """A model of images of 1 x 2 pixels; a lattice of noise in one cell, (N, 1, 1, 2); all its images."""
    flow = Flow([Flatten((1, 1, 2)), *real_nvp(2, layers=3, hidden=(8,)).bijectors], StandardNormal(2))
    with torch.no_grad():
        for p in flow.parameters():
            p.add_(0.3 * torch.randn_like(p))
    line = (torch.arange(300) + 0.5) / 300
    u = torch.cartesian_prod(line, line).reshape(-1, 1, 1, 2)
    images = torch.tensor(list(itertools.product(range(LEVELS), repeat=2)), dtype=torch.float64)
    return Dequantized(flow, LEVELS), u, images.reshape(-1, 1, 1, 2)


@torch.no_grad()
@checks("image-cell-mass")
def test_the_masses_of_all_cells_make_the_mass_of_the_square():
    """The mass of [0, 1]^2 from a lattice that knows no cells, against the sum of P over all nine images."""
    model, u, images = two_pixels()
    P = torch.stack([(model.flow.log_prob((x + u) / LEVELS).exp() / LEVELS**2).mean() for x in images])
    line = (torch.arange(700) + 0.5) / 700
    square = torch.cartesian_prod(line, line).reshape(-1, 1, 1, 2)
    assert_close(P.sum(), model.flow.log_prob(square).exp().mean(), rtol=1e-4, atol=0)
    assert P.sum() < 1


@torch.no_grad()
@checks("image-dequantization")
def test_the_gap_of_the_bound_is_the_divergence_from_the_models_own_noise():
    """q is uniform, then tilted; posterior and divergence come from densities on a lattice."""
    model, u, images = two_pixels()
    for x, tilt in itertools.product(images[::4], (0.0, 3.0)):
        q = (tilt * u.sum((1, 2, 3))).softmax(0) * len(u)
        density = model.flow.log_prob((x + u) / LEVELS).exp() / LEVELS**2
        P = density.mean()
        bound = (q * (density / q).log()).mean()
        posterior = density / P
        assert_close(posterior.mean(), tensor(1.0))
        assert_close(P.log() - bound, (q * (q / posterior).log()).mean())
        assert P.log() > bound
    uniform = torch.stack([model.elbo(images[:1].expand(200, -1, -1, -1)).mean() for _ in range(200)])
    by_lattice = (model.flow.log_prob((images[0] + u) / LEVELS) - 2 * math.log(LEVELS)).mean()
    assert abs(uniform.mean() - by_lattice) < 4 * uniform.std() / 200**0.5


@checks("image-conv-det")
def test_a_convolution_of_one_pixel_has_one_determinant_for_each_place():
    """The Jacobian of all 3 * 2 * 4 numbers by autograd."""
    layer, x = InvertibleConv(3), torch.randn(1, 3, 2, 4)
    with torch.no_grad():
        layer.factors.add_(0.3 * torch.randn(3, 3))
    J = torch.autograd.functional.jacobian(lambda v: layer(v)[0], x).reshape(24, 24)
    assert_close(torch.linalg.slogdet(J)[1], 8 * torch.linalg.slogdet(layer.weight)[1])
    assert_close(layer(x)[1][0], torch.linalg.slogdet(J)[1])


@checks("image-logit")
def test_the_stretched_logit_has_the_stated_slope():
    """Slope by autograd of the formula; the package's bijector has the same map, and the slopes summed."""
    alpha, y = 0.05, torch.rand(4, 1, 1, 3, requires_grad=True)
    s = alpha + (1 - 2 * alpha) * y
    z = (s / (1 - s)).log()
    (slope,) = torch.autograd.grad(z.sum(), y)
    stated = math.log(1 - 2 * alpha) - s.log() - (1 - s).log()
    assert_close(slope.log(), stated)
    found, log_det = Logit(alpha)(y)
    assert_close(found, z)
    assert_close(log_det, slope.log().sum((1, 2, 3)))


@checks("image-lu")
def test_the_determinant_of_the_factors_product_is_the_product_of_the_diagonal():
    """The package's W, multiplied out, against a determinant that knows no factors."""
    layer = InvertibleConv(5)
    with torch.no_grad():
        layer.factors.add_(torch.randn(5, 5))
        layer.log_diagonal.add_(torch.randn(5))
    lower, upper = layer.triangles()
    order = torch.eye(5)[layer.order]
    assert_close(layer.weight, order @ lower @ upper)
    assert_close(lower.diagonal(), torch.ones(5))
    assert_close(torch.linalg.det(layer.weight).abs().log(), upper.diagonal().abs().log().sum())


@torch.no_grad()
@checks("image-split")
def test_a_gaussian_prior_learnt_from_the_other_half_is_one_more_coupling():
    """log N(x2; m(x1), e^2a(x1)) from torch's Normal; a coupling before a split gives the same density."""
    net, x = ConvNet(2, 4, width=8), torch.randn(6, 4, 3, 3)
    net.out.weight.normal_(std=0.3)
    x1, x2 = x.chunk(2, 1)
    log_scale, shift = net(x1).chunk(2, 1)
    a = -2 * log_scale.tanh()  # the coupling multiplies, the prior divides
    mean = -shift * a.exp()
    prior = Normal(mean, a.exp()).log_prob(x2).sum((1, 2, 3))
    epsilon = (x2 - mean) / a.exp()
    assert_close(prior, Normal(0.0, 1.0).log_prob(epsilon).sum((1, 2, 3)) - a.sum((1, 2, 3)))
    split = Split((4, 3, 3), Flatten((2, 3, 3)))
    flow = Flow([Coupling(net), split], StandardNormal(36))
    assert_close(flow.log_prob(x), Normal(0.0, 1.0).log_prob(x1).sum((1, 2, 3)) + prior)


@checks("image-mixing")
def test_scaled_mixtures_of_independent_codes_are_standard_normal():
    """The mixture is a linear map of the stacked codes; its covariance is that map times its transpose."""
    w = torch.rand(4)
    mixing = torch.cat([weight * torch.eye(3) for weight in w], 1) / w.square().sum().sqrt()
    assert_close(mixing @ mixing.T, torch.eye(3))
    straight = mixing * w.square().sum().sqrt() / w.sum()
    assert torch.linalg.norm(straight @ straight.T, 2) < 1  # without the scale it falls inside the bell


@checks("image-strangers")
def test_a_simple_stranger_may_cost_less_than_the_data_themselves():
    """Sums over all outcomes of a small alphabet; entropy and divergence from torch."""
    P = torch.tensor([0.4, 0.3, 0.2, 0.1])
    r = torch.tensor([0.9, 0.1, 0.0, 0.0])
    model, stranger = torch.distributions.Categorical(P), torch.distributions.Categorical(r)
    cost = sum(-weight * p.log() for weight, p in zip(r, P, strict=True))
    divergence = torch.distributions.kl_divergence(stranger, model)
    assert_close(cost, stranger.entropy() + divergence)
    assert divergence > 0.1
    assert cost < model.entropy()
