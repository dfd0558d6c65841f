"""Chapter 12, conditional generation: every labelled equation against numbers computed another way."""

import itertools

import torch
from torch.distributions import Categorical, Independent, Normal, kl_divergence
from torch.testing import assert_close

from coursekit.data import GaussianMixture
from coursekit.models.ar import LanguageModel
from coursekit.models.diffusion import guidance_target
from coursekit.nets import EncoderDecoder
from coursekit.ops import gaussian_kl
from tests.equations.registry import checks


def tables(seed: int, *shape: int) -> torch.Tensor:
    """Random probabilities, the last axis sums to one."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double().softmax(-1)


@checks("conditional-loss")
def test_the_loss_is_entropy_plus_divergence_averaged_over_conditions():
    """On tables: the left side as one sum over the joint."""
    p_c, data, model = tables(0, 4), tables(1, 4, 6), tables(2, 4, 6)
    left = -(p_c[:, None] * data * model.log()).sum()
    right = p_c @ (Categorical(data).entropy() + kl_divergence(Categorical(data), Categorical(model)))
    assert_close(left, right)


@checks("regression-mean")
def test_squared_error_is_variance_plus_distance_to_the_mean():
    """Three conditions with five equally likely answers in the plane, and any prediction."""
    torch.manual_seed(0)
    x, f = torch.randn(3, 5, 2).double(), torch.randn(3, 2).double()
    left = (x - f[:, None]).square().sum(-1).mean()
    covariance = torch.stack([rows.T.cov(correction=0) for rows in x])
    right = covariance.diagonal(dim1=1, dim2=2).sum(1).mean() + (f - x.mean(1)).square().sum(1).mean()
    assert_close(left, right)


@checks("cvae-bound")
def test_the_bound_is_below_the_conditional_likelihood_by_the_divergence_to_the_posterior():
    """With three values of z all is a sum: log p(x | c) minus the bound is KL(q || p(z | x, c))."""
    prior, likelihood, q = tables(0, 4, 3), tables(1, 4, 3, 6)[..., 2], tables(2, 4, 3)  # p(z|c), p(x|z,c), q
    evidence = (prior * likelihood).sum(1)
    bound = (q * likelihood.log()).sum(1) - kl_divergence(Categorical(q), Categorical(prior))
    posterior = prior * likelihood / evidence[:, None]
    gap = kl_divergence(Categorical(q), Categorical(posterior))
    assert_close(evidence.log() - bound, gap)
    assert (gap > 0).all()


@checks("cvae-coordinates")
def test_a_learnt_prior_is_the_fixed_one_in_other_coordinates():
    """q moves along with z = m + s e; its divergence in closed form on both sides, and by an integral."""
    torch.manual_seed(0)
    m, s, mean, std = torch.randn(5, 2), torch.rand(5, 2) + 0.3, torch.randn(5, 2), torch.rand(5, 2) + 0.3
    normal = lambda a, b: Independent(Normal(a, b), 1)  # noqa: E731
    moved = normal((mean - m) / s, std / s)
    standard = normal(torch.zeros(2), torch.ones(2))
    assert_close(gaussian_kl(normal(mean, std), normal(m, s)), gaussian_kl(moved, standard))
    line = torch.linspace(-15, 15, 20_001).double()
    q, p = Normal(mean[0, 0].double(), std[0, 0].double()), Normal(m[0, 0].double(), s[0, 0].double())
    integral = torch.trapezoid(q.log_prob(line).exp() * (q.log_prob(line) - p.log_prob(line)), line)
    closed = (
        gaussian_kl(moved, standard)[0]
        - gaussian_kl(normal(moved.mean[:, 1:], moved.stddev[:, 1:]), normal(torch.zeros(1), torch.ones(1)))[
            0
        ]
    )
    assert_close(integral, closed.double(), rtol=1e-5, atol=1e-6)


@checks("conditional-chain")
def test_an_answers_probability_is_the_product_of_its_steps():
    """Each factor from a pass over the answer so far alone; all answers to a question sum to one."""
    torch.manual_seed(0)
    model = LanguageModel(EncoderDecoder(4, 3, 3, 2, width=8, layers=1, heads=2), begin=3, length=3).double()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn_like(p))
    c, answers = torch.tensor([[2, 0]]), torch.tensor(list(itertools.product(range(4), repeat=3)))
    for y in answers[::7]:
        steps = [
            model.net(torch.tensor([[3, *y[:i].tolist()]]), c)[0, -1].log_softmax(0)[y[i]] for i in range(3)
        ]
        assert_close(model.log_prob(y[None], c)[0], sum(steps))
    total = model.log_prob(answers, c.expand(64, -1)).logsumexp(0).exp()
    assert_close(total, torch.ones((), dtype=torch.double))


@checks("guidance-target")
def test_the_target_sums_to_one_and_has_the_guided_slope():
    """Its atoms' slope is w grad log p(x | c) + (1 - w) grad log p(x), by autograd."""
    bells = GaussianMixture([[-1.0], [0.5], [2.0]], [0.4, 0.2, 0.5], [1.0, 2.0, 1.0])
    classes, grid, w = torch.tensor([0, 1, 0]), torch.linspace(-6, 6, 2401)[:, None], 2.5
    target = guidance_target(bells, classes, 0, w, grid)
    assert_close(target.weights.sum(), torch.ones(()))
    alone = GaussianMixture(bells.means[::2], bells.variance[::2])
    x = torch.linspace(-1.5, 2.5, 9)[:, None].requires_grad_()
    (wanted,) = torch.autograd.grad((w * alone.log_prob(x) + (1 - w) * bells.log_prob(x)).sum(), x)
    middle = torch.searchsorted(grid[:, 0], x[:, 0].detach())
    slope = (target.weights[middle + 1].log() - target.weights[middle - 1].log()) / (2 * 0.005)
    at = grid[middle]
    assert_close(slope, wanted[:, 0], rtol=0.02, atol=0.05)
    assert (at - x).abs().max() < 0.006


@checks("guidance-gaussian")
def test_the_variances_of_target_and_mixed_scores():
    """The first by a grid, the second by solving the ODE from much noise, in steps of log sigma."""
    s, big, m = 0.8, 1.7, 0.6
    line = torch.linspace(-25, 25, 40_001).double()
    for w in (0.5, 1.0, 3.0):
        log_q = w * Normal(m, s).log_prob(line) + (1 - w) * Normal(0.0, big).log_prob(line)
        q = log_q.softmax(0)
        variance = q @ line.square() - (q @ line).square()
        assert_close(variance, torch.tensor(1 / (w / s**2 + (1 - w) / big**2)).double(), rtol=1e-4, atol=0)
        x, sigmas = 1e3 * torch.tensor([-1.0, 1.0]).double(), torch.logspace(3, -3, 4001).double()
        slope = lambda x, v, w=w: v * (w * (x - m) / (s**2 + v**2) + (1 - w) * x / (big**2 + v**2))  # noqa: E731
        for a, b in itertools.pairwise(sigmas):
            first = slope(x, a)
            x = x + (b - a) * (first + slope(x + (b - a) * first, b)) / 2
        deviation = (x[1] - x[0]) / 2  # two noises, one deviation each side of the middle
        assert_close(
            deviation**2, torch.tensor((s**2) ** w * (big**2) ** (1 - w)).double(), rtol=1e-3, atol=0
        )
