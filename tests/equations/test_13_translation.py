"""Chapter 13: every labelled equation against numbers that were computed another way."""

import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from coursekit.nets import PatchGAN
from tests.equations.registry import checks


@checks("translation-median")
def test_the_l1_risk_changes_by_the_integral_of_twice_the_distribution_function_less_one():
    """Risks are sums over five values; the integral is one over a fine grid. Least at the median."""
    x = torch.tensor([-0.9, -0.2, 0.1, 0.4, 0.8], dtype=torch.float64)
    p = torch.tensor([0.1, 0.25, 0.3, 0.15, 0.2], dtype=torch.float64)

    def risk(a):
        return (p * (x - a).abs()).sum()

    for a, b in ((-1.0, -0.5), (-0.4, 0.3), (0.0, 1.0)):
        edges = torch.linspace(a, b, 100_001, dtype=torch.float64)
        t = (edges[1:] + edges[:-1]) / 2
        F = (p * (x <= t[:, None])).sum(1)
        assert_close(risk(b) - risk(a), (2 * F - 1).mean() * (b - a), rtol=0, atol=1e-5)
    grid = torch.linspace(-1, 1, 2001, dtype=torch.float64)
    assert grid[torch.stack([risk(a) for a in grid]).argmin()].item() == pytest.approx(0.1)


@checks("patch-receptive-field")
@pytest.mark.parametrize("layers", [[(4, 2)] * 3 + [(4, 1)] * 2, [(3, 1), (5, 3), (2, 2)], [(1, 1), (7, 4)]])
def test_a_score_changes_with_the_pixels_of_its_field_and_with_no_other(layers):
    """Pixel by pixel along one row, by changing it. The first is the paper's, 70 wide."""
    torch.manual_seed(0)
    critic = PatchGAN(layers=layers, width=2).double()
    k = 1 + sum((kernel - 1) * math.prod(s for _, s in layers[:i]) for i, (kernel, _) in enumerate(layers))
    x = torch.randn(1, 1, k, k + 4, dtype=torch.float64)
    others = x.repeat(k + 4, 1, 1, 1)
    others[torch.arange(k + 4), 0, 0, torch.arange(k + 4)] += 1.0
    with torch.no_grad():
        moved = critic(others)[:, 0, 0, 0] != critic(x)[0, 0, 0, 0]
    assert moved.nonzero().flatten().tolist() == list(range(k))
    if len(layers) == 5:
        assert k == 70


@checks("patch-critic")
def test_the_best_critic_of_patches_is_found_by_descent_on_its_scores():
    """Three kinds of patches at two places: scores fitted, then formula and minimum."""
    p = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]], dtype=torch.float64)  # p_i(u), places by kinds
    q = torch.tensor([[0.2, 0.2, 0.6], [0.4, 0.5, 0.1]], dtype=torch.float64)
    a = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    learn = torch.optim.LBFGS([a], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def loss():
        softplus = torch.nn.functional.softplus
        return (p * softplus(-a) + q * softplus(a)).sum(1).mean()

    def closure():
        learn.zero_grad()
        value = loss()
        value.backward()
        return value

    learn.step(closure)
    p_bar, q_bar = p.mean(0), q.mean(0)
    assert_close(a.detach().sigmoid(), p_bar / (p_bar + q_bar), rtol=1e-6, atol=1e-6)
    m = (p_bar + q_bar) / 2
    js = 0.5 * (p_bar * (p_bar / m).log()).sum() + 0.5 * (q_bar * (q_bar / m).log()).sum()
    assert_close(loss().detach(), math.log(4) - 2 * js)


@checks("cycle-symmetry")
def test_every_exchange_of_equally_likely_pictures_leaves_the_loss_as_it_is():
    """By counting, over all exchanges of five things and one solution with an imperfect cycle."""
    G, F = [1, 2, 3, 4, 0], [4, 0, 1, 3, 2]
    cycle = [F[G[a]] for a in range(5)]
    for pi in itertools.permutations(range(5)):
        back = [pi.index(b) for b in range(5)]
        G2, F2 = [pi[G[a]] for a in range(5)], [F[back[b]] for b in range(5)]
        assert [F2[G2[a]] for a in range(5)] == cycle
        assert sorted(G2) == sorted(G)


@checks("cycle-information")
def test_where_the_cycle_closes_the_image_holds_all_the_information():
    """From the joint table of a and G(a), a map that can be undone, and one that merges two."""
    p = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    entropy = -(p * p.log2()).sum()

    def information(G):
        joint = torch.zeros(4, 4, dtype=torch.float64)
        joint[torch.arange(4), torch.tensor(G)] = p
        apart = joint.sum(1, keepdim=True) * joint.sum(0)
        return torch.special.xlogy(joint, joint / apart.clamp(min=1e-300)).sum() / math.log(2)

    assert_close(information([2, 0, 3, 1]), entropy)
    merged = torch.tensor([0.4, 0.3], dtype=torch.float64)
    lost = -(merged * (merged / 0.7).log2()).sum()  # H(a | G(a)), where the first two fall together
    assert_close(information([0, 0, 1, 2]), entropy - lost)
