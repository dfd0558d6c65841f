"""Chapter 6: every labelled equation against numbers that were computed another way."""

import itertools
import math

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.testing import assert_close

from coursekit.models.flows import MAF, Affine, Chain, Coupling, Flow, LULinear, Spline, StandardNormal, nice
from coursekit.nets import MLP, MaskedMLP
from tests.equations.registry import checks

BELL = Normal(torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64))


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_weights(module: nn.Module, std: float = 0.5, seed: int = 0) -> nn.Module:
    """In double precision, far from the first weights."""
    torch.manual_seed(seed)
    for p in module.double().parameters():
        nn.init.normal_(p, std=std)
    return module


@checks("flow-1d")
@pytest.mark.parametrize("sign", [1, -1])
def test_the_density_is_the_slope_of_the_distribution_function(sign):
    """x = +-(z + z^3): P(x <= a) by bisection for z, its slope by differences, without the rule."""

    def inverse(x: float) -> float:
        low, high = -10.0, 10.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if middle + middle**3 < x else (low, middle)
        return low

    def distribution(a: float) -> float:
        z = BELL.cdf(torch.tensor(inverse(sign * a), dtype=torch.float64)).item()
        return z if sign > 0 else 1 - z

    for a in (-3.0, -0.2, 0.0, 1.7):
        z = inverse(sign * a)
        expected = BELL.log_prob(torch.tensor(z)).exp().item() / (1 + 3 * z**2)
        assert (distribution(a + 1e-5) - distribution(a - 1e-5)) / 2e-5 == pytest.approx(expected, rel=1e-6)


@checks("change-of-variables")
def test_an_affine_map_of_noise_has_the_density_of_a_gaussian_with_full_covariance():
    """And a map that bends keeps expectations: E exp(-|z|^2) = 1/3, as a sum over x with the density of x."""
    A, b, x = normal(3, 3), normal(3, seed=1), normal(20, 3, seed=2)
    z = torch.linalg.solve(A, (x - b).T).T
    by_rule = BELL.log_prob(z).sum(1) - torch.linalg.det(A).abs().log()
    assert_close(by_rule, MultivariateNormal(b, A @ A.T).log_prob(x))

    side = torch.linspace(-9, 9, 361, dtype=torch.float64)
    x = torch.cartesian_prod(side, side)
    z = torch.stack([x[:, 0], (x[:, 1] - x[:, 0] ** 2 / 4) * x[:, 0].tanh().exp()], 1)  # f^-1, in closed form
    p = (BELL.log_prob(z).sum(1) + x[:, 0].tanh()).exp()  # its Jacobian is triangular
    cell = (side[1] - side[0]) ** 2
    assert_close((p.sum() * cell).item(), 1.0, rtol=1e-3, atol=0)
    assert_close(((-z.square().sum(1)).exp() * p).sum().item() * cell.item(), 1 / 3, rtol=1e-3, atol=0)


@checks("flow-layer", "flow-chain")
def test_the_densities_of_a_chain_follow_one_another_and_both_signs_agree():
    """Log-determinants of single layers by autograd, upwards and downwards, against the package's flow."""
    layers = [
        random_weights(Coupling(MLP(1, 2, (8,)), flip=True)),
        random_weights(LULinear(2)),
        random_weights(Coupling(MLP(1, 2, (8,)))),
    ]
    flow, x = Flow(layers, StandardNormal(2)).double(), normal(2)
    z, up, down = x, 0.0, 0.0
    for k, layer in enumerate(layers):  # from data to base
        before = Flow(layers[k:], flow.base).log_prob(z[None])[0]
        backwards = jacobian(lambda v, layer=layer: layer(v[None])[0][0], z)
        z = layer(z[None])[0][0].detach()
        forwards = jacobian(lambda v, layer=layer: layer.inverse(v[None])[0][0], z)
        up = up + torch.linalg.det(backwards).abs().log()
        down = down + torch.linalg.det(forwards).abs().log()
        after = (
            Flow(layers[k + 1 :], flow.base).log_prob(z[None])[0] if k < 2 else flow.base.log_prob(z[None])[0]
        )
        assert_close(before, after + torch.linalg.det(backwards).abs().log())
    by_hand = BELL.log_prob(z).sum()
    assert_close(flow.log_prob(x[None])[0], by_hand + up)
    assert_close(flow.log_prob(x[None])[0], by_hand - down)


@checks("flow-kl")
def test_a_flow_misses_the_data_by_as_much_as_its_codes_miss_the_base():
    """Both divergences in closed form, for Gaussian data and an affine flow; neither knows of the other."""
    A, b, S = normal(3, 3), normal(3, seed=1), normal(3, 3, seed=2)
    truth = MultivariateNormal(normal(3, seed=3), S @ S.T)
    model = MultivariateNormal(b, A @ A.T)
    B = torch.linalg.inv(A)
    codes = MultivariateNormal(B @ (truth.mean - b), B @ truth.covariance_matrix @ B.T)
    eye = torch.eye(3, dtype=torch.float64)
    assert_close(kl_divergence(truth, model), kl_divergence(codes, MultivariateNormal(0 * b, eye)))


@checks("triangular-det")
def test_the_determinant_of_a_triangular_matrix_is_the_product_of_its_diagonal():
    """Against the sum over all permutations, which is the definition."""
    J, total = normal(5, 5).tril(), 0.0
    for order in itertools.permutations(range(5)):
        swaps = sum(order[i] > order[j] for i in range(5) for j in range(i + 1, 5))
        total += (-1) ** swaps * math.prod(J[i, order[i]].item() for i in range(5))
    assert_close(math.log(abs(total)), J.diagonal().abs().log().sum().item())


@checks("coupling", "coupling-det")
def test_a_coupling_is_scale_and_shift_of_one_half_and_its_log_determinant_their_sum():
    """Written out with loops from the network's own output; the determinant by autograd."""
    net = random_weights(MLP(2, 4, (8,)))
    layer, x = Coupling(net, Affine(bound=2.0)), normal(4)
    a, t = net(x[None, :2])[0].chunk(2)
    s = [2 * math.tanh(value) for value in a.tolist()]
    expected = x.tolist()[:2] + [math.exp(s[j]) * x[2 + j].item() + t[j].item() for j in range(2)]
    z, log_det = layer(x[None])
    assert_close(z[0].tolist(), expected)
    assert_close(log_det.item(), sum(s))
    J = jacobian(lambda v: layer(v[None])[0][0], x)
    assert_close(torch.linalg.slogdet(J)[1], log_det[0])
    assert (J[:2, 2:] == 0).all()
    assert_close(layer.inverse(z)[0][0], x)


@checks("rq-spline")
def test_the_rational_quadratic_has_the_given_corners_and_slopes_and_increases():
    """The formula by itself; then each bin of the package's spline, between its own knots."""

    def curve(xi: Tensor, m: float, d: float, e: float) -> Tensor:
        return (m * xi**2 + d * xi * (1 - xi)) / (m + (d + e - 2 * m) * xi * (1 - xi))

    xi = torch.linspace(0, 1, 2001, dtype=torch.float64)
    for m, d, e in itertools.product((0.1, 1.0, 7.0), repeat=3):
        y = curve(xi, m, d, e)
        assert (y[0], y[-1]) == (0, 1)
        assert (y.diff() > 0).all()
        h = 1e-7  # slopes in units of the bin: m stands for height over width
        ends = curve(torch.tensor([h, 1 - h], dtype=torch.float64), m, d, e)
        assert ends[0].item() / h * m == pytest.approx(d, rel=1e-4)
        assert (1 - ends[1].item()) / h * m == pytest.approx(e, rel=1e-4)

    spline, theta = Spline(bins=4, bound=2.0), 1.5 * normal(1, 11, 1)
    sizes = theta[:, :8].view(1, 2, 4).softmax(2) * (1 - 4 * spline.least) + spline.least
    knots = torch.cat([torch.zeros(1, 2, 1, dtype=torch.float64), sizes.cumsum(2)], 2)[0] * 4 - 2  # x, z
    slopes = torch.nn.functional.softplus(theta[0, 8:, 0], beta=math.log(2))
    slopes = [1.0, *(slopes * (1 - spline.least) + spline.least).tolist(), 1.0]
    for k in range(4):
        (x0, x1), (z0, z1) = knots[0, k : k + 2].tolist(), knots[1, k : k + 2].tolist()
        m = (z1 - z0) / (x1 - x0)
        x = x0 + (x1 - x0) * xi[1:-1:100]
        z = spline.forward(x[:, None], theta[:, :, 0].expand(len(x), -1))[0][:, 0]
        assert_close(z, z0 + (z1 - z0) * curve(xi[1:-1:100], m, slopes[k], slopes[k + 1]))


@checks("nice-limit")
def test_no_rearranged_bell_comes_closer_to_a_uniform_density_than_one_minus_log_two():
    """The best one, ring by ring, over all scales; and NICE flows with any weights stay above."""
    area = 32.0
    a = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000  # shares of the area, from the middle
    scales = torch.logspace(-2, 1, 400, dtype=torch.float64)
    best = max(
        (d.log() - math.log(2 * math.pi) - (d * area * a / (2 * math.pi)).mean()).item() for d in scales
    )
    assert -math.log(area) - best == pytest.approx(1 - math.log(2), abs=1e-3)

    x = 8 * torch.rand(20_000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) - 4
    for seed in range(5):
        flow = random_weights(nice(2, layers=3, hidden=(8,)), 0.7, seed)
        with torch.no_grad():
            flow.bijectors[-1].log_scale.fill_(math.log(4 * math.pi / 64) / 2)  # the best one for this square
        assert -math.log(64) - flow.log_prob(x).mean().item() > 1 - math.log(2)


@checks("maf")
def test_the_autoregressive_layer_is_a_product_of_gaussians_given_the_past():
    """log p by MAF against normal densities with mean -t e^-s and deviation e^-s, multiplied by hand."""
    net = random_weights(MaskedMLP(4, 2, (16,)))
    flow, x = Flow([MAF(net, Affine(2.0))], StandardNormal(4)).double(), normal(6, 4)
    a, t = net(x).chunk(2, 1)
    s = 2 * a.tanh()
    assert_close(flow.log_prob(x), Normal(-t * (-s).exp(), (-s).exp()).log_prob(x).sum(1))
    J = jacobian(lambda v: flow.encode(v[None])[0], x[0])
    assert (J.triu(1) == 0).all()
    assert_close(J.diagonal().log().sum(), s[0].sum())


@checks("rosenblatt")
def test_quantiles_of_the_conditionals_make_a_gaussian_standard_normal():
    """Conditionals by the formula for Gaussians; the map must be L^-1 (x - mean), by Cholesky."""
    S = normal(3, 3)
    cov, mean, x = S @ S.T, normal(3, seed=1), normal(10, 3, seed=2)
    columns = []
    for d in range(3):
        weights = torch.linalg.solve(cov[:d, :d], cov[:d, d]) if d else cov[:0, d]
        given = mean[d] + (x[:, :d] - mean[:d]) @ weights
        deviation = (cov[d, d] - cov[:d, d] @ weights).sqrt()
        columns.append(BELL.icdf(Normal(given, deviation).cdf(x[:, d])))
    L = torch.linalg.cholesky(cov)
    whitened = torch.linalg.solve_triangular(L, (x - mean).T, upper=False).T
    near = whitened.abs() < 4  # further out the distribution function has no digits left
    assert near.double().mean() > 0.8
    assert_close(torch.stack(columns, 1)[near], whitened[near], rtol=1e-6, atol=1e-6)


@checks("filament")
@pytest.mark.parametrize("m", [0.3, 0.01, 1e-4])
def test_the_map_with_the_least_slope_across_a_gap_reaches_the_bound(m):
    """A straight piece over the gap attains it; any other increasing map has a steeper place."""
    w, edge = 3.0, BELL.icdf(torch.tensor(0.5 + m / 2, dtype=torch.float64)).item()
    bound = w / (2 * edge)
    z = torch.linspace(-edge, edge, 2001, dtype=torch.float64)
    for bend in (0.0, 0.3, 0.9):
        u = (z + edge) / (2 * edge)
        x = w * (u + bend * (2 * math.pi * u).sin() / (2 * math.pi))  # increasing from 0 to w
        slope = (x.diff() / z.diff()).max().item()
        assert slope == pytest.approx(bound * (1 + bend), rel=1e-3)
    if m < 0.05:
        assert bound == pytest.approx(w / (m * math.sqrt(2 * math.pi)), rel=1e-3)


@checks("det-trace")
def test_the_log_determinant_of_a_small_step_is_its_trace_to_first_order():
    """The remainder falls with the square of the step."""
    A = normal(5, 5)
    eye = torch.eye(5, dtype=torch.float64)
    rest = [(torch.linalg.slogdet(eye + h * A)[1] - h * A.trace()).abs().item() for h in (1e-2, 1e-3, 1e-4)]
    assert 80 < rest[0] / rest[1] < 125
    assert 95 < rest[1] / rest[2] < 105


@checks("continuous-flow")
def test_the_density_along_a_path_falls_by_the_trace_of_the_velocity():
    """v(z) = A z moves N(0, I) to N(0, e^tA e^tA^T); and a chain of many small steps comes to the same."""
    A, z, t = 0.5 * normal(3, 3), normal(3, seed=1), 0.8
    E = torch.linalg.matrix_exp(t * A)
    start = MultivariateNormal(torch.zeros(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64))
    end = MultivariateNormal(start.mean, E @ E.T)
    assert_close(end.log_prob(E @ z), start.log_prob(z) - t * A.trace())

    class Step(nn.Module):
        def inverse(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
            step = torch.eye(3, dtype=torch.float64) + t / 2000 * A
            return z @ step.T, torch.linalg.slogdet(step)[1].expand(len(z))

    x, log_det = Chain([Step()] * 2000).inverse(z[None])
    assert_close(x[0], E @ z, rtol=1e-3, atol=1e-3)
    assert_close(log_det[0], t * A.trace(), rtol=1e-3, atol=1e-3)
