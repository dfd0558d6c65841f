"""Objectives of both players, against closed forms."""

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from coursekit.models.gan import Hinge, LeastSquares, Minimax, NonSaturating, Wasserstein

P, Q = torch.tensor([[0.5, 0.3, 0.15, 0.05], [0.1, 0.2, 0.3, 0.4]], dtype=torch.float64)


def test_the_saturating_loss_pulls_with_the_strength_of_the_critics_belief():
    """d log(1 - sigmoid(a)) / da = -sigmoid(a): nothing is left where the critic is sure."""
    a = torch.linspace(-30, 30, 25, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(len(a) * Minimax().generator(a), a)
    assert_close(slope, -torch.sigmoid(a.detach()))
    (slope,) = torch.autograd.grad(len(a) * NonSaturating().generator(a), a)
    assert_close(slope, torch.sigmoid(a.detach()) - 1)


def best(objective, steps: int = 200) -> tuple[Tensor, Tensor]:
    """The critic's best scores where data follow P and fakes Q on four points, and its loss with them."""
    scores = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([scores], max_iter=steps, tolerance_grad=1e-12, tolerance_change=1e-15)
    rows = (
        torch.arange(4).repeat_interleave(torch.tensor([10, 6, 3, 1])),
        torch.arange(4).repeat_interleave(torch.tensor([1, 2, 3, 4])),
    )  # as often as P and Q say

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = objective.critic(scores[rows[0]], scores[rows[1]])
        loss.backward()
        return loss

    optimizer.step(closure)
    return scores.detach(), closure().detach()


def test_the_best_minimax_critic_is_p_over_p_plus_q_and_its_value_is_a_divergence():
    """max_D V = 2 JS(p, q) - log 4."""
    scores, loss = best(NonSaturating())
    assert_close(torch.sigmoid(scores), P / (P + Q), rtol=0, atol=1e-6)
    mean = (P + Q) / 2
    js = 0.5 * (P * (P / mean).log() + Q * (Q / mean).log()).sum()
    assert_close(-loss, 2 * js - math.log(4))


def test_the_best_least_squares_critic_is_p_over_p_plus_q_without_a_sigmoid():
    """Half the squared error of labels 1 and 0 is minimal at the mean label."""
    scores, loss = best(LeastSquares())
    assert_close(scores, P / (P + Q), rtol=0, atol=1e-6)
    assert_close(loss, 0.5 * (P * Q / (P + Q)).sum())


def test_a_hinge_critic_gains_nothing_beyond_the_margin():
    """Its best score is the sign of p - q; the loss is then 2 - sum |p - q|."""
    real, fake = (torch.tensor(a, requires_grad=True) for a in ([0.5, 1.5], [-0.5, -1.5]))
    grads = torch.autograd.grad(Hinge().critic(real, fake), (real, fake))
    assert_close(torch.stack(grads), torch.tensor([[-0.5, 0.0], [0.5, 0.0]]))
    sign = (P - Q).sign()
    assert_close((P * (1 - sign).relu() + Q * (1 + sign).relu()).sum(), 2 - (P - Q).abs().sum())


@pytest.mark.parametrize("objective", [Hinge(), Wasserstein()])
def test_generators_of_scores_want_high_ones(objective):
    assert objective.generator(torch.tensor([1.0, 3.0])) == -2


def test_a_critic_of_slope_one_measures_the_wasserstein_distance():
    """Between N(3, 1) and N(0, 1) it is 3, reached by a(x) = x: shifted quantiles make the sum exact."""
    x = torch.distributions.Normal(0, 1).icdf((torch.arange(1000, dtype=torch.float64) + 0.5) / 1000)
    assert_close(-Wasserstein().critic(x + 3, x), torch.tensor(3.0, dtype=torch.float64))
