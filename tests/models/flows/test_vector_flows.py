"""Whole flows of vectors: densities that integrate to one, their draws, depth 32, and the same in zuko."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
import zuko
from torch import Tensor
from torch.testing import assert_close
from zuko.flows.coupling import GeneralCouplingTransform
from zuko.transforms import MonotonicAffineTransform, MonotonicRQSTransform

from coursekit import data, train
from coursekit.models.flows import (
    MAF,
    ActNorm,
    Affine,
    Coupling,
    Flow,
    Spline,
    StandardNormal,
    iaf,
    maf,
    nice,
    real_nvp,
    spline_flow,
)
from coursekit.nets import MLP, MaskedMLP
from tests.models.flows.vectors import grid, log_slopes, shaken

FLOWS = {"nice": nice, "real_nvp": real_nvp, "spline_flow": spline_flow, "maf": maf, "iaf": iaf}
every_flow = pytest.mark.parametrize("make", FLOWS.values(), ids=FLOWS)


def made(make: Callable[..., Flow], dim: int = 2, by: float = 0.05, **sizes) -> Flow:
    torch.manual_seed(0)
    return shaken(make(dim, hidden=(16, 16), **sizes), by)


def normal(n: int, dim: int = 2, scale: float = 1.0, seed: int = 1) -> Tensor:
    return scale * torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@every_flow
def test_the_density_integrates_to_one(make):
    """The midpoint rule in a square that holds all but a trifle; the density is no longer a Gaussian."""
    flow, half, n = made(make), 9.0, 300
    x = grid(half, n)
    with torch.no_grad():
        log_p = flow.log_prob(x)
    assert_close(log_p.exp().sum().item() * (2 * half / n) ** 2, 1.0, atol=1e-3, rtol=0)
    assert (log_p - StandardNormal(2).double().log_prob(x)).abs().max() > 0.1


@every_flow
@pytest.mark.parametrize("dim", [2, 5])
def test_there_and_back_and_the_whole_jacobian(make, dim):
    """Through all layers, in double precision; dimensions that can't be cut in equal halves too."""
    flow, x = made(make, dim), normal(5, dim)
    assert flow.inverse_error(x) < 1e-8
    assert_close(flow.decode(flow.encode(x)), x, atol=1e-8, rtol=0)
    log_p = StandardNormal(dim).double().log_prob(flow.encode(x)) + log_slopes(flow, x)
    assert_close(flow.log_prob(x), log_p, atol=1e-8, rtol=0)


@every_flow
def test_draws_follow_the_density(make):
    """A mean over draws against the same integral on a grid: 20,000 draws, within five standard errors."""
    flow, half, n = made(make), 9.0, 300
    points = grid(half, n)
    with torch.no_grad():
        p = flow.log_prob(points).exp() * (2 * half / n) ** 2
    torch.manual_seed(0)
    drawn = flow.sample(20_000)
    for f in (torch.sin, torch.cos, lambda x: x.prod(-1, keepdim=True).tanh()):
        expected, found = (p[:, None] * f(points)).sum(0), f(drawn)
        assert ((found.mean(0) - expected).abs() < 5 * found.std(0) / math.sqrt(len(found)) + 1e-3).all()


@every_flow
def test_a_condition_changes_the_density_which_integrates_to_one_under_each(make):
    flow, half, n = made(make, c_dim=2), 9.0, 180
    x = grid(half, n)
    densities = []
    for label in range(2):
        with torch.no_grad():
            densities.append(flow.log_prob(x, torch.full((len(x),), label)).exp())
    for p in densities:
        assert_close(p.sum().item() * (2 * half / n) ** 2, 1.0, atol=1e-2, rtol=0)
    assert (densities[0] - densities[1]).abs().max() > 1e-4


@every_flow
def test_depth_32_in_float32_is_finite_and_comes_back(make):
    """As built, and after some steps of training: a loss, all gradients, and the inverse of draws."""
    torch.manual_seed(0)
    flow, x = make(3, layers=32, hidden=(16, 16)), normal(64, 3, 3.0).float()
    flow.start(x)
    for steps in (0, 10):
        train.fit(flow, x, steps, batch_size=32, lr=5e-3, progress=False, device="cpu")
        loss = -flow.log_prob(x).mean()
        assert loss.isfinite()
        for gradient in torch.autograd.grad(loss, list(flow.parameters())):
            assert gradient.isfinite().all()
        assert flow.inverse_error(flow.sample(100)) < 1e-2


@pytest.mark.parametrize("sign", [-1, 1], ids=["least scales", "greatest scales"])
@pytest.mark.parametrize("make", [real_nvp, maf, iaf])
def test_scales_at_their_bound_in_32_layers_are_finite_in_float32(make, sign):
    """The most that nets can do to the scale, in every layer, all in one direction."""
    flow, x = make(4, layers=32, hidden=(8,)), normal(20, 4, 30.0).float()
    for layer in flow.modules():
        if isinstance(layer, MLP | MaskedMLP):
            last, half = layer.layers[-1], len(layer.layers[-1].bias) // 2  # the numbers a, then t
            last.weight.data[:half], last.bias.data[:half] = 0.0, sign * 1e4
    z, log_det = flow(x)
    assert_close(log_det.abs(), torch.full((20,), 128.0))
    assert z.isfinite().all()
    loss = -flow.log_prob(x).mean()
    assert loss.isfinite()
    for gradient in torch.autograd.grad(loss, list(flow.parameters())):
        assert gradient.isfinite().all()


def test_the_temperature_scales_the_base():
    flow = made(real_nvp)
    torch.manual_seed(0)
    warm = flow.encode(flow.sample(10))
    torch.manual_seed(0)
    cold = flow.encode(flow.sample(10, temperature=0.5))
    assert_close(cold, warm / 2, atol=1e-9, rtol=0)
    assert_close(flow.sample(3, temperature=0.0), flow.decode(torch.zeros(3, 2).double()))


@every_flow
def test_training_comes_closer_to_the_density_it_learns_from(make):
    """The gap to the true log-density, KL(p || model), falls from its start."""
    torch.manual_seed(0)
    p, flow = data.EightGaussians(radius=2.0, std=0.5), make(2, hidden=(32,))
    flow.start(p.batch(0, 500)[0])
    x, _ = p.batch(1, 1000)

    def gap() -> float:
        with torch.no_grad():
            return (p.log_prob(x) - flow.log_prob(x)).mean().item()

    before = gap()
    train.fit(flow, p, 60, batch_size=200, lr=5e-3, progress=False, device="cpu")
    assert gap() < 0.8 * before


def test_maf_gives_the_log_prob_of_zuko_with_the_same_weights():
    """Two layers in opposite orders, with a condition; zuko's bound on the scale is off, ours is there."""
    torch.manual_seed(0)
    dim, c_dim, bound = 4, 3, 1.5

    def scaled(shift: Tensor, a: Tensor) -> MonotonicAffineTransform:
        return MonotonicAffineTransform(shift, bound * a.tanh(), slope=math.inf)

    sizes = {"hidden_features": (32, 32), "univariate": scaled}
    peer = zuko.flows.MAF(dim, c_dim, transforms=2, **sizes).double()
    layers = []
    for transform in peer.transform.transforms:
        net = MaskedMLP(dim, 2, (32, 32), c_dim, transform.order)
        load(net, transform.hyper, [1, 0])
        layers.append(MAF(net, Affine(bound)))
    flow = Flow(layers, StandardNormal(dim)).double()
    x, c = normal(50, dim, 2.0), normal(50, c_dim, seed=2)
    assert_close(flow.log_prob(x, c), peer(c).log_prob(x))
    z = normal(50, dim, seed=3)
    assert_close(flow.decode(z, c), peer(c).transform.inv(z), atol=1e-9, rtol=0)


def test_spline_couplings_give_the_log_prob_of_zuko_with_the_same_weights():
    """Two layers whose halves take turns, on data inside and outside of the square."""
    torch.manual_seed(0)
    dim, c_dim, bins, bound = 4, 2, 6, 2.0

    def spline(widths: Tensor, heights: Tensor, slopes: Tensor) -> MonotonicRQSTransform:
        slopes = F.softplus(slopes, beta=math.log(2)).log()  # zuko takes the exponential
        return MonotonicRQSTransform(widths, heights, slopes, bound=bound, slope=math.inf)

    shapes = [(bins,), (bins,), (bins - 1,)]
    masks = [torch.tensor([1, 1, 0, 0]), torch.tensor([0, 0, 1, 1])]
    sizes = {"univariate": spline, "shapes": shapes, "hidden_features": (32, 32)}
    theirs = [GeneralCouplingTransform(dim, c_dim, mask, **sizes) for mask in masks]
    base = zuko.lazy.UnconditionalDistribution(
        zuko.distributions.DiagNormal, torch.zeros(dim), torch.ones(dim), buffer=True
    )
    peer = zuko.lazy.Flow(theirs, base).double()
    layers = []
    for i, transform in enumerate(theirs):
        net, form = MLP(2, 2 * (3 * bins - 1), (32, 32), c_dim), Spline(bins, bound, least=0.0)
        load(net, transform.hyper, list(range(form.features)))
        layers.append(Coupling(net, form, flip=i == 1))
    flow = Flow(layers, StandardNormal(dim)).double()
    x, c = normal(200, dim, 2.0), normal(200, c_dim, seed=2)
    assert (x.abs() > bound).any(1).sum() > 50
    assert_close(flow.log_prob(x, c), peer(c).log_prob(x))
    z = normal(200, dim, seed=3)
    assert_close(flow.decode(z, c), peer(c).transform.inv(z), atol=1e-9, rtol=0)


def load(net: torch.nn.Module, peer: torch.nn.Sequential, parts: list[int]) -> None:
    """Weights and masks of a peer's perceptron; its outputs come by dimension, ours by part."""
    net.double()
    mine = [layer for layer in net.layers if isinstance(layer, torch.nn.Linear)]
    theirs = [layer for layer in peer if isinstance(layer, torch.nn.Linear) or hasattr(layer, "weight")]
    for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        for name, value in b.state_dict().items():
            if i == len(mine) - 1:
                value = value.unflatten(0, (-1, len(parts))).transpose(0, 1)[parts].flatten(0, 1)
            getattr(a, name).data.copy_(value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nice(1), "dim is 1; a coupling needs at least 2 dimensions"),
        (lambda: real_nvp(2, layers=0), "layers is 0"),
        (lambda: maf(2, order="raster"), "order must be 'reversed' or 'random', got 'raster'"),
        (lambda: real_nvp(3).log_prob(torch.zeros(4, 2)), r"x has shape \(4, 2\)"),
        (lambda: spline_flow(2).sample(2, torch.zeros(2, 3)), "built with c_dim=0"),
        (lambda: Flow([ActNorm(2)], StandardNormal(2)).start(torch.zeros(1, 2)), "at least two rows"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
