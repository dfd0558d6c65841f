"""Bijectors of vectors: there and back, log-determinants against the Jacobian, promises of their own."""

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from coursekit.models.flows import (
    IAF,
    MAF,
    ActNorm,
    Affine,
    Chain,
    Coupling,
    CouplingStack,
    ElementwiseAffine,
    Flow,
    Inverse,
    LULinear,
    Permutation,
    Shift,
    Spline,
    StandardNormal,
)
from coursekit.nets import MLP, MaskedMLP
from tests.models.flows.vectors import log_slopes, shaken

D, CLASSES = 5, 3


def coupling(transform, c_dim: int = 0, flip: bool = False) -> Coupling:
    kept, mapped = (2, 3) if flip else (3, 2)
    return Coupling(MLP(kept, transform.features * mapped, (16,), c_dim), transform, flip)


def stack(c_dim: int = 0) -> CouplingStack:
    return CouplingStack([coupling(Affine(), c_dim, flip) for flip in (False, True, True)])


def masked(kind, transform, c_dim: int = 0, order=None) -> nn.Module:
    return kind(MaskedMLP(D, transform.features, (32, 32), c_dim, order), transform)


CONDITIONAL = {
    "additive coupling": lambda c_dim=0: coupling(Shift(), c_dim),
    "affine coupling": lambda c_dim=0: coupling(Affine(), c_dim),
    "affine coupling, flipped": lambda c_dim=0: coupling(Affine(), c_dim, True),
    "spline coupling": lambda c_dim=0: coupling(Spline(6, 2.0), c_dim),
    "coupling stack": lambda c_dim=0: stack(c_dim),
    "maf": lambda c_dim=0: masked(MAF, Affine(), c_dim),
    "maf, another order": lambda c_dim=0: masked(MAF, Affine(), c_dim, [3, 0, 4, 1, 2]),
    "maf of splines": lambda c_dim=0: masked(MAF, Spline(4, 3.0), c_dim),
    "iaf": lambda c_dim=0: masked(IAF, Affine(), c_dim, [4, 3, 2, 1, 0]),
    "inverse": lambda c_dim=0: Inverse(coupling(Spline(4), c_dim)),
    "chain": lambda c_dim=0: Chain([LULinear(D), coupling(Affine(), c_dim), ActNorm(D)]),
}
BIJECTORS = CONDITIONAL | {
    "elementwise affine": lambda: ElementwiseAffine(D),
    "actnorm": lambda: ActNorm(D),
    "permutation": lambda: Permutation([3, 0, 4, 1, 2]),
    "lu": lambda: LULinear(D),
    "lu, from the identity": lambda: LULinear(D, random=False),
}
every_bijector = pytest.mark.parametrize("name", BIJECTORS)
every_conditional = pytest.mark.parametrize("name", CONDITIONAL)


def made(name: str, *arguments) -> nn.Module:
    torch.manual_seed(0)
    return shaken(BIJECTORS[name](*arguments), 0.3)


def some(n: int = 40, scale: float = 2.0) -> torch.Tensor:
    return scale * torch.randn(n, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@every_bijector
def test_there_and_back_again(name):
    """In both directions, in double precision; the two log-determinants cancel."""
    bijector, x = made(name), some()
    z, log_det = bijector(x)
    back, log_det_back = bijector.inverse(z)
    assert_close(back, x, atol=1e-8, rtol=0)
    assert_close(log_det_back, -log_det, atol=1e-8, rtol=0)
    assert_close(bijector(bijector.inverse(x)[0])[0], x, atol=1e-8, rtol=0)
    assert log_det.shape == (len(x),)


@every_bijector
def test_the_log_determinant_is_that_of_the_whole_jacobian(name):
    """Autograd's Jacobian knows nothing of triangles."""
    bijector, x = made(name), some(6)
    assert_close(bijector(x)[1], log_slopes(bijector, x), atol=1e-9, rtol=0)


@every_conditional
def test_a_condition_changes_the_map_and_comes_back_too(name):
    """With labels and with the same as one-hot rows, and each row with a condition of its own."""
    bijector, x = made(name, CLASSES), some(6)
    labels = torch.arange(6) % CLASSES
    c = nn.functional.one_hot(labels, CLASSES).double()
    z, log_det = bijector(x, c)
    assert_close(bijector(x, labels)[0], z)
    assert not torch.allclose(bijector(x, c.roll(1, 0))[0], z)
    assert_close(bijector.inverse(z, c)[0], x, atol=1e-8, rtol=0)
    assert_close(log_det, log_slopes(bijector, x, c), atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", [name for name in CONDITIONAL if "coupling" not in name and name != "chain"])
def test_the_first_dimension_sees_the_condition(name):
    """It depends on nothing else, so a mask that is too strict would lose it."""
    bijector, x = made(name, CLASSES), some(3)
    first = bijector.bijector if isinstance(bijector, Inverse) else bijector
    i = first.net.order[0] if hasattr(first.net, "order") else 3
    one, other = (bijector(x, torch.full((3,), label))[0][:, i] for label in (0, 1))
    assert (one - other).abs().min() > 1e-4


@every_bijector
def test_gradients_are_finite_and_reach_every_parameter(name):
    """Also where half of the entries lie outside of a spline's square."""
    bijector = made(name)
    z, log_det = bijector(some(scale=4.0).requires_grad_())
    parameters = list(bijector.parameters())
    if parameters:
        for p in torch.autograd.grad(z.square().sum() - log_det.sum(), parameters):
            assert p.isfinite().all()
            assert p.abs().sum() > 0


@pytest.mark.parametrize("flip", [False, True])
def test_a_coupling_leaves_one_part_as_it_is_and_asks_only_that_part(flip):
    bijector, x = shaken(coupling(Affine(), flip=flip), 0.3), some(4)
    kept, mapped = (slice(3, 5), slice(0, 3)) if flip else (slice(0, 3), slice(3, 5))
    z = bijector(x)[0]
    assert torch.equal(z[:, kept], x[:, kept])
    jacobian = torch.autograd.functional.jacobian(lambda v: bijector(v)[0].sum(0), x)
    block = jacobian[mapped, :, mapped]  # d z_i / d x_j of the mapped part: one scale each
    assert block[torch.arange(len(block)), :, torch.arange(len(block))].abs().min() > 0
    off = block * (1 - torch.eye(len(block), dtype=torch.float64))[:, None]
    assert off.abs().max() == 0


def test_a_stack_of_couplings_is_the_chain_of_them():
    couplings, x = shaken(stack(), 0.3), some()
    chain = Chain(couplings.couplings)
    for one, other in ((couplings, chain), (couplings.inverse, chain.inverse)):
        assert_close(one(x), other(x), atol=1e-12, rtol=0)


@pytest.mark.parametrize("order", [None, [3, 0, 4, 1, 2]])
def test_maf_looks_back_only(order):
    """dz_i/dx_j is zero wherever j comes after i in the order, and nowhere else."""
    bijector, x = shaken(masked(MAF, Affine(), order=order), 0.3), some(4)
    jacobian = torch.autograd.functional.jacobian(lambda v: bijector(v)[0].sum(0), x).abs().sum(1)
    position = torch.tensor(bijector.net.order).argsort()
    after = position[None] > position[:, None]
    assert jacobian[after].max() == 0
    assert jacobian[~after].min() > 0


def test_iaf_is_maf_the_other_way_round():
    """The same net: what costs one gives for nothing, the other pays for."""
    net, x = MaskedMLP(D, 2, (16,)), some()
    iaf, maf = shaken(IAF(net), 0.3), MAF(net)
    assert torch.equal(iaf.inverse(x)[0], maf(x)[0])
    assert torch.equal(iaf(x)[0], maf.inverse(x)[0])


def test_actnorm_starts_with_mean_zero_and_variance_one_in_every_layer():
    """The second ActNorm starts from what the first layers, started by then, make of the batch."""
    torch.manual_seed(0)
    flow = Flow([ActNorm(D), coupling(Affine()), LULinear(D), Chain([ActNorm(D)])], StandardNormal(D))
    x = 3 * torch.randn(200, D) @ torch.randn(D, D) + 7
    assert torch.equal(ActNorm(D)(x)[0], x)  # until then it is the identity
    flow.start(x)
    for z in (flow.bijectors[0](x)[0], flow.encode(x)):
        assert_close(z.mean(0), torch.zeros(D), atol=1e-4, rtol=0)
        assert_close(z.var(0, correction=0), torch.ones(D), atol=1e-4, rtol=0)


def test_actnorm_of_images_has_one_scale_for_each_channel():
    """Mean and variance over rows and places; the log-determinant counts every place."""
    torch.manual_seed(0)
    norm, x = ActNorm((2, 1, 1)).double(), torch.randn(8, 2, 3, 4).double() * 5 + 2
    norm.start_from(x)
    z, log_det = norm(x)
    assert_close(z.mean((0, 2, 3)), torch.zeros(2).double())
    assert_close(z.var((0, 2, 3), correction=0), torch.ones(2).double())
    assert_close(log_det, (12 * norm.log_scale.sum()).expand(8))
    assert_close(norm.inverse(z)[0], x)


def test_a_dimension_that_does_not_vary_keeps_its_scale():
    """The border pixels of digits: a scale of one over zero would be infinite."""
    norm, x = ActNorm(2), torch.tensor([[1.0, 4.0], [3.0, 4.0]])
    norm.start_from(x)
    assert_close(norm(x)[0], torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))


def test_a_start_needs_hooks_no_longer_than_it_takes():
    """Training must not start the layers anew, nor a copy of the flow carry their hooks."""
    flow = Flow([ActNorm(2)], StandardNormal(2))
    flow.start(torch.randn(10, 2))
    before = copy.deepcopy(flow.state_dict())
    flow(5 * torch.randn(10, 2))
    for name, value in flow.state_dict().items():
        assert torch.equal(value, before[name])


def test_lu_is_a_rotation_at_first_and_its_weight_is_what_it_applies():
    torch.manual_seed(0)
    linear, x = LULinear(D).double(), some()
    assert_close(linear.weight @ linear.weight.T, torch.eye(D).double(), atol=1e-6, rtol=0)
    linear = shaken(linear, 0.3)
    assert_close(linear(x)[0], x @ linear.weight.T)
    assert_close(linear.log_abs_det, torch.linalg.slogdet(linear.weight)[1])
    assert_close(linear.solve(x.T), torch.linalg.solve(linear.weight, x.T))
    assert_close(LULinear(D, random=False).weight, torch.eye(D))


def test_a_spline_is_the_identity_at_zero_and_outside_of_its_square():
    """Outside its slope is 1, whatever the net says, so data may lie anywhere."""
    spline, x = Spline(8, 2.0), torch.linspace(-9, 9, 61, dtype=torch.float64)[:, None]
    same, log_det = spline.forward(x, torch.zeros(61, 23, dtype=torch.float64))
    assert_close(same, x)
    assert_close(log_det, torch.zeros_like(log_det))
    theta = 2 * torch.randn(61, 23, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z, log_det = spline.forward(x, theta)
    outside = (x.abs() >= 2)[:, 0]
    assert_close(z[outside], x[outside])
    assert_close(log_det[outside], torch.zeros_like(log_det[outside]))
    assert (log_det[~outside].abs() > 1e-6).all()


def test_a_spline_goes_through_its_knots_with_its_slopes_and_rises():
    """A bin's ends from softmax and sum, by hand; the slope there by autograd, from both sides."""
    theta = torch.randn(11, generator=torch.Generator().manual_seed(0), dtype=torch.float64)  # K = 4
    spline, least = Spline(4, 3.0, least=0.01), 0.01
    widths, heights = (least + (1 - 4 * least) * part.softmax(0) for part in (theta[:4], theta[4:8]))
    slopes = least + (1 - least) * (2.0 ** theta[8:]).log1p() / torch.log(torch.tensor(2.0).double())
    knots_x, knots_z = (6 * sizes.cumsum(0)[:-1] - 3 for sizes in (widths, heights))
    for shift in (-1e-9, 1e-9):
        x = (knots_x + shift)[:, None].requires_grad_()
        z, _ = spline.forward(x, theta.expand(3, -1))
        assert_close(z[:, 0], knots_z, atol=1e-7, rtol=0)
        (slope,) = torch.autograd.grad(z.sum(), x)
        assert_close(slope[:, 0], slopes, atol=1e-6, rtol=1e-6)
    x = torch.linspace(-3.5, 3.5, 500, dtype=torch.float64)[:, None]
    assert (spline.forward(x, theta.expand(500, -1))[0].diff(dim=0) > 0).all()


@pytest.mark.parametrize("size", [1.0, 10.0, 100.0])
def test_a_spline_stays_finite_in_float32_however_extreme_its_parameters(size):
    """In the narrowest bins rounding leaves the bin, where the slope would be negative."""
    noise = torch.Generator().manual_seed(0)
    spline, x = Spline(8, 4.0), 3 * torch.randn(2000, 3, generator=noise)
    theta = size * torch.randn(2000, 3 * 23, generator=noise)
    z, log_det = spline.forward(x, theta)
    back, log_det_back = spline.inverse(z, theta)
    assert z.isfinite().all()
    assert log_det.isfinite().all()
    assert back.isfinite().all()
    assert log_det_back.isfinite().all()
    assert (spline.forward(back, theta)[0] - z).abs().quantile(0.99) < 1e-3


def test_the_log_scale_of_an_affine_map_is_bounded():
    """Parameters as large as may be; the scale stays within exp(+-bound)."""
    a = torch.tensor([[-1e9], [-1.0], [0.0], [1.0], [1e9]])
    theta = torch.cat([a, torch.zeros(5, 1)], 1)
    z, log_det = Affine(3.0).forward(torch.ones(5, 1), theta)
    assert_close(log_det, 3 * a[:, 0].tanh())
    assert_close(z[:, 0], log_det.exp())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Chain([]), "bijectors is empty"),
        (lambda: CouplingStack([]), "couplings is empty"),
        (lambda: Affine(0.0), "bound is 0.0; expected a number above 0"),
        (lambda: Spline(1), "bins is 1.*expected at least 2"),
        (lambda: Spline(8, -1.0), "bound is -1.0"),
        (lambda: Spline(8, least=0.2), r"least is 0.2; expected .* below 1 / bins = 0.125"),
        (lambda: LULinear(0), "dim is 0"),
        (lambda: Permutation([0, 2]), r"each of 0 .. D - 1 once, got \[0, 2\]"),
        (lambda: MaskedMLP(3, order=[0, 0, 1]), r"each of 0 .. 2 once, got \[0, 0, 1\]"),
        (lambda: MaskedMLP(3, hidden=()), "a hidden layer"),
        (lambda: MAF(MaskedMLP(3, 2), Shift()), "out_features=2; Shift needs out_features=1"),
        (lambda: coupling(Affine())(torch.zeros(2, 1)), "a coupling needs two parts"),
        (lambda: stack()(torch.zeros(2)), "a coupling needs two parts"),
        (lambda: coupling(Affine())(torch.zeros(2, 8)), r"x has shape \(2, 4\); expected \(B, 3\)"),
        (
            lambda: Coupling(MLP(3, 2), Affine())(torch.zeros(2, 5)),
            "2 numbers; Affine needs 2 for each of 2",
        ),
        (
            lambda: ActNorm(3)(torch.zeros(2, 4)),
            r"x has shape \(2, 4\); expected \(B, \*\), with \* as \(3,\)",
        ),
        (lambda: ActNorm(3).start_from(torch.zeros(1, 3)), "at least two rows"),
        (lambda: ActNorm(1).start_from(torch.tensor([[0.0], [float("nan")]])), "holds NaN"),
        (lambda: LULinear(3)(torch.zeros(2, 4)), r"expected \(B, 3\)"),
        (lambda: Permutation([1, 0])(torch.zeros(2, 3)), r"expected \(B, 2\)"),
        (lambda: MaskedMLP(3)(torch.zeros(2, 4)), r"expected \(B, 3\)"),
        (lambda: coupling(Affine(), 3)(torch.zeros(2, 5)), "needs a condition c"),
        (lambda: coupling(Affine())(torch.zeros(2, 5), torch.zeros(2, 3)), "built with c_dim=0"),
        (lambda: StandardNormal(3).log_prob(torch.zeros(2, 4)), r"z has shape \(2, 4\); expected \(B, 3\)"),
        (lambda: StandardNormal(3).sample(2, -1.0), "temperature is -1.0"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
