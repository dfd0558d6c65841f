"""Chapter 8: every labelled equation against numbers that were computed another way."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linprog, minimize_scalar
from torch import Tensor
from torch.distributions import Normal
from torch.testing import assert_close

from coursekit.models import gan
from tests.equations.registry import checks

GRID = torch.linspace(-12, 12, 6001, dtype=torch.float64)
STEP = (GRID[1] - GRID[0]).item()


def bell(mean: float | Tensor, std: float) -> Normal:
    return Normal(torch.as_tensor(mean, dtype=torch.float64), std)


def dice(seed: int) -> tuple[Tensor, Tensor]:
    """Two distributions over seven values, one of which the second never gives."""
    rows = torch.rand(2, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows[1, 3] = 0
    return tuple(rows / rows.sum(1, keepdim=True))


def kl(p: Tensor, q: Tensor) -> Tensor:
    return torch.special.xlogy(p, p / q).sum()


def shannon(p: Tensor) -> Tensor:
    return -torch.special.xlogy(p, p).sum()


@checks("gan-value")
def test_the_value_is_minus_twice_the_cross_entropy_of_a_classifier():
    """By torch's loss with labels, with as many drawings as data; and it is the package's loss."""
    score = torch.randn(2, 500, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = torch.tensor([1.0, 0.0], dtype=torch.float64)[:, None].expand(2, 500)
    cross_entropy = torch.nn.functional.binary_cross_entropy(score.sigmoid(), labels)
    D = score.sigmoid()
    value = D[0].log().mean() + (1 - D[1]).log().mean()
    assert_close(value, -2 * cross_entropy)
    assert_close(-gan.Minimax().critic(*score), value)


@checks("gan-optimal")
@pytest.mark.parametrize("x", [-2.0, 0.1, 1.4])
def test_no_critic_beats_the_ratio_of_densities(x):
    """A search over all D at one place; and the raw score there is the logarithm of the ratio."""
    p, q = bell(-0.5, 0.8), bell(1.0, 1.3)
    a, b = (density.log_prob(torch.tensor(x)).exp().item() for density in (p, q))
    found = minimize_scalar(
        lambda t: -(a * math.log(t) + b * math.log(1 - t)), bounds=(1e-9, 1 - 1e-9), method="bounded",
        options={"xatol": 1e-10},
    ).x  # fmt: skip
    assert found == pytest.approx(a / (a + b), abs=1e-6)
    assert math.log(found / (1 - found)) == pytest.approx(math.log(a) - math.log(b), abs=1e-4)


@checks("jensen-shannon", "gan-js")
def test_the_best_value_is_a_divergence():
    """Over seven values: the best D by gradient ascent, the divergence by entropies, H(m) - mean H."""
    p, q = dice(0)
    score = torch.zeros(7, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([score], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-14)

    def minus_value() -> Tensor:
        optimizer.zero_grad()
        loss = (p * torch.nn.functional.softplus(-score) + q * torch.nn.functional.softplus(score)).sum()
        loss.backward()
        return loss

    optimizer.step(minus_value)
    by_entropies = shannon((p + q) / 2) - (shannon(p) + shannon(q)) / 2
    assert_close(-minus_value().item(), (2 * by_entropies - math.log(4)).item(), rtol=0, atol=1e-6)
    m = (p + q) / 2
    assert_close((kl(p, m) + kl(q, m)) / 2, by_entropies)


@checks("gan-js-range")
def test_the_divergence_lies_between_zero_and_log_two():
    """Zero for equal distributions, log 2 for those without common ground, in between for others."""
    p, q = dice(1)
    a, b = torch.eye(2, dtype=torch.float64)

    def js(p: Tensor, q: Tensor) -> float:
        return (shannon((p + q) / 2) - (shannon(p) + shannon(q)) / 2).item()

    assert js(p, p) == pytest.approx(0, abs=1e-12)
    assert js(a, b) == pytest.approx(math.log(2))
    assert 0 < js(p, q) < math.log(2)
    for mean in (0.5, 2.0, 8.0):
        p, q = (density.log_prob(GRID).exp() * STEP for density in (bell(0, 1), bell(mean, 1)))
        assert 0 < js(p, q) <= math.log(2) + 1e-9


@checks("gan-saturation")
def test_a_confident_critic_flattens_one_loss_and_not_the_other():
    """By autograd through the package's losses, from raw scores of -20 to 20."""
    for objective, slope in (
        (gan.Minimax(), lambda D: -D),
        (gan.NonSaturating(), lambda D: -(1 - D)),
    ):
        score = torch.linspace(-20, 20, 41, dtype=torch.float64, requires_grad=True)
        objective.generator(score).backward()
        assert_close(len(score) * score.grad, slope(1 / (1 + (-score.detach()).exp())))


@checks("gan-nonsaturating")
def test_the_second_loss_descends_a_reverse_kl_less_two_jensen_shannons():
    """Left by moving the drawings under a critic that is held, right by central differences of sums."""
    p, spread = bell(0.4, 0.9), 1.2
    noise = spread * bell(0, 1).icdf((torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000)

    def right(theta: float) -> float:
        p_x, q_x = p.log_prob(GRID).exp() * STEP, bell(theta, spread).log_prob(GRID).exp() * STEP
        m = (p_x + q_x) / 2
        return (kl(q_x, p_x) - kl(p_x, m) - kl(q_x, m)).item()

    for at in (-1.5, 1.1):
        theta = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        x = theta + noise
        score = p.log_prob(x) - bell(at, spread).log_prob(x)  # the best critic for theta as it is
        torch.nn.functional.softplus(-score).mean().backward()
        by_differences = (right(at + 1e-4) - right(at - 1e-4)) / 2e-4
        assert theta.grad.item() == pytest.approx(by_differences, rel=1e-3)


@checks("bilinear-simultaneous", "bilinear-alternating")
def test_gradient_steps_on_xy_run_away_together_and_circle_in_turns():
    """By autograd on the value; 500 steps."""
    eta = 0.2
    for in_turns in (False, True):
        x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.0, -0.4))
        start_x, start_y = x.item(), y.item()
        for _ in range(500):
            by_x, by_y = torch.autograd.grad(x * y, (x, y))
            x = (x - eta * by_x).detach().requires_grad_()
            if in_turns:
                (by_y,) = torch.autograd.grad(x * y, y)
            y = (y + eta * by_y).detach().requires_grad_()
        if in_turns:
            kept = start_x**2 + start_y**2 - eta * start_x * start_y
            assert (x * x + y * y - eta * x * y).item() == pytest.approx(kept)
        else:
            grown = (1 + eta**2) ** 500 * (start_x**2 + start_y**2)
            assert (x * x + y * y).item() == pytest.approx(grown)


@checks("bilinear-damped")
def test_damping_shrinks_every_area():
    """The area of a small triangle of players after one step in turns, against the determinant."""
    eta, gamma = 0.3, 0.5
    corners = torch.tensor([[0.2, 0.1], [1.0, -0.3], [0.4, 0.9]], dtype=torch.float64)

    def area(c: Tensor) -> Tensor:
        return torch.linalg.det(c[1:] - c[0]).abs() / 2

    x = corners[:, 0] - eta * corners[:, 1]
    y = corners[:, 1] + eta * (x - gamma * corners[:, 1])
    assert_close((area(torch.stack([x, y], 1)) / area(corners)).item(), 1 - eta * gamma)


@checks("bilinear-damped")
@pytest.mark.parametrize(("eta", "gamma"), [(0.3, 0.5), (0.01, 1.98), (1.0, 0.9), (0.01, 2.5), (0.4, 1.7)])
def test_a_damped_step_turns_exactly_while_step_and_damping_stay_below_two(eta, gamma):
    """Eigenvalues of a step by autograd: a pair of size sqrt(1 - eta gamma), or two real ones below 1."""

    def step(players: Tensor) -> Tensor:
        x = players[0] - eta * players[1]
        return torch.stack([x, players[1] + eta * (x - gamma * players[1])])

    found = torch.linalg.eigvals(
        torch.autograd.functional.jacobian(step, torch.zeros(2, dtype=torch.float64))
    )
    assert bool((found.imag != 0).all()) == (eta + gamma < 2)
    if eta + gamma < 2:
        assert_close(found.abs(), torch.full((2,), math.sqrt(1 - eta * gamma), dtype=torch.float64))
    else:
        assert found.abs().max() < 1


@checks("gan-best-response")
def test_against_a_fixed_critic_the_best_distribution_is_a_point():
    """A linear program over all distributions on a grid of 200 places."""
    loss = np.random.default_rng(0).normal(size=200)
    best = linprog(loss, A_eq=np.ones((1, 200)), b_eq=[1.0], bounds=(0, None))
    assert best.fun == pytest.approx(loss.min())
    assert best.x.max() == pytest.approx(1.0)


def transport(x: np.ndarray, y: np.ndarray, p: np.ndarray, q: np.ndarray) -> tuple[float, float]:
    """The cheapest plan's cost, and the largest gap of means by a function of slope at most one."""
    n, m = len(x), len(y)
    cost = np.linalg.norm(x[:, None] - y, axis=-1)
    marginals = np.concatenate([np.kron(np.eye(n), np.ones((1, m))), np.kron(np.ones((1, n)), np.eye(m))])
    plan = linprog(cost.ravel(), A_eq=marginals, b_eq=np.concatenate([p, q]), bounds=(0, None))
    points, mass = np.concatenate([x, y]), np.concatenate([p, -q])
    i, j = np.nonzero(~np.eye(n + m, dtype=bool))
    slope = np.eye(n + m)[i] - np.eye(n + m)[j]
    limit = np.linalg.norm(points[i] - points[j], axis=-1)
    dual = linprog(-mass, A_ub=slope, b_ub=limit, bounds=(-100, 100))
    return plan.fun, -dual.fun


@checks("gan-duality")
def test_the_cheapest_plan_costs_what_the_best_critic_says():
    """Two linear programs over heaps of points in the plane, of different sizes and weights."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(9, 2)), 1 + 2 * rng.normal(size=(12, 2))
    cheapest, best = transport(x, y, rng.dirichlet(np.ones(9)), rng.dirichlet(np.ones(12)))
    assert cheapest == pytest.approx(best, rel=1e-6)
    assert cheapest > 0.5


@checks("gan-parallel")
@pytest.mark.parametrize("theta", [0.0, 0.05, -0.7, 3.0])
def test_parallel_lines_are_log_two_apart_for_a_classifier_and_theta_for_a_mover(theta):
    """Lines of 15 points: transport by a linear program, the divergence by entropies over all places."""
    u = (np.arange(15) + 0.5) / 15
    x, y = np.stack([0 * u, u], 1), np.stack([0 * u + theta, u], 1)
    even = np.full(15, 1 / 15)
    assert transport(x, y, even, even)[0] == pytest.approx(abs(theta))
    places, where = np.unique(np.concatenate([x, y]), axis=0, return_inverse=True)
    p, q = (torch.from_numpy(np.bincount(line, minlength=len(places)) / 15) for line in where.reshape(2, 15))
    js = shannon((p + q) / 2) - (shannon(p) + shannon(q)) / 2
    assert js.item() == pytest.approx(math.log(2) if theta else 0.0, abs=1e-6)


@checks("gan-soft-slope")
@pytest.mark.parametrize("theta", [0.4, 2.0])
def test_a_penalized_critic_is_steeper_than_one_where_the_distance_is_large(theta):
    """The package's two losses of a linear critic, a(x) = s x_1 with s < 0, minimized over s."""
    u = torch.rand(2, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    real, fake = torch.stack([0 * u[0], u[0]], 1), torch.stack([theta + 0 * u[1], u[1]], 1)

    def loss(s: float) -> float:
        def scores(x: Tensor, c: Tensor | None = None) -> Tensor:
            return -s * x[:, 0]

        penalty = gan.GradientPenalty(10.0)(scores, real, fake)
        return (gan.Wasserstein().critic(scores(real), scores(fake)) + penalty).item()

    assert minimize_scalar(loss, bounds=(0.5, 2), method="bounded").x == pytest.approx(
        1 + theta / 20, abs=1e-4
    )
