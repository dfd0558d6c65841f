"""Discrete images: probabilities that can be enumerated, beside the bound and the estimate."""

import itertools
import math

import pytest
import torch
from numpy.polynomial.legendre import leggauss
from torch import Tensor, nn
from torch.testing import assert_close

from coursekit.models.flows import (
    Dequantized,
    Flow,
    Logit,
    UniformNoise,
    VariationalNoise,
    image_noise,
    image_real_nvp,
)
from coursekit.ops import bits_per_dim

LEVELS, CLASSES, SHAPE = 3, 2, (1, 1, 2)
ALL = torch.tensor(list(itertools.product(range(LEVELS), repeat=2)), dtype=torch.float64).reshape(-1, *SHAPE)


def model(learnt: bool = False, c_dim: int = 0) -> Dequantized:
    """Two pixels of three levels, double precision, weights off their first values."""
    torch.manual_seed(0)
    noise = image_noise(SHAPE, LEVELS, 2, 4, c_dim) if learnt else None
    both = Dequantized(image_real_nvp(SHAPE, 2, 4, c_dim), LEVELS, noise).double()
    both.flow.bijectors[0] = Logit(0.05)  # with 1e-5 the weights have so long a tail that means mean little
    with torch.no_grad():
        for p in both.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return both.eval()


def exact(dequantized: Dequantized, c: Tensor | None = None, grid: int = 24) -> Tensor:
    """log P of every image, (9,): the density of the logits, by the Gauss-Legendre rule in each cell."""
    logit, *others = dequantized.flow.bijectors
    density = Flow(others, dequantized.flow.base)
    nodes, weights = (torch.from_numpy(a) for a in leggauss(grid))
    edges, _ = logit(torch.arange(LEVELS + 1, dtype=torch.float64)[:, None] / LEVELS)  # (4, 1)
    half = (edges[1:] - edges[:-1]) / 2
    nodes, log_w = edges[:-1] + half * (1 + nodes), (half * weights).log()  # (3, grid)
    found = []
    for i, (a, b) in enumerate(ALL.flatten(1).long().tolist()):
        z = torch.cartesian_prod(nodes[a], nodes[b]).reshape(-1, *SHAPE)
        rows = None if c is None else c[i].expand(len(z))
        log_p = density.log_prob(z, rows) + torch.cartesian_prod(log_w[a], log_w[b]).sum(1)
        found.append(log_p.logsumexp(0))
    return torch.stack(found).detach()


def test_the_probabilities_of_all_images_sum_to_the_mass_on_the_unit_square():
    """The rest of the density lies beyond it, where alpha lets the logit reach: counted in 20,000 draws."""
    found = model()
    total, drawn = exact(found).exp().sum().item(), found.flow.sample(20_000)
    inside = ((drawn >= 0) & (drawn <= 1)).flatten(1).all(1).double().mean().item()
    assert total < 1
    assert total == pytest.approx(inside, abs=0.02)


@pytest.mark.parametrize("learnt", [False, True])
def test_the_weights_average_to_the_probability(learnt):
    """E_q w = P(x | c), so the mean of many weights is P to five standard errors, whatever q is."""
    found, c = model(learnt, CLASSES), torch.arange(len(ALL)) % CLASSES
    with torch.no_grad():
        w = torch.cat([found.log_weights(ALL, c, 1000) for _ in range(2)]).exp()  # (2000, 9)
    error = (w.mean(0) - exact(found, c).exp()).abs()
    assert (error < 5 * w.std(0) / math.sqrt(len(w))).all()


@pytest.mark.parametrize("learnt", [False, True])
def test_the_bound_is_below_and_the_estimate_tightens_with_k(learnt):
    """E log w < E log mean_4 w < E log mean_64 w < log P, each averaged over images and repetitions."""
    found = model(learnt)
    truth = exact(found).mean().item()
    with torch.no_grad():
        log_w = found.log_weights(ALL, k=64 * 16).unflatten(0, (16, 64))  # (16, 64, 9)
    one = log_w.mean().item()
    four = (log_w.unflatten(1, (16, 4)).logsumexp(2) - math.log(4)).mean().item()
    many = (log_w.logsumexp(1) - math.log(64)).mean().item()
    assert one < four < many < truth + 0.003
    assert truth - one > 10 * abs(truth - many)


def test_log_prob_is_the_mean_of_k_weights_whatever_goes_through_at_once():
    """From one seed: k = 70 of 2 rows need three calls of the flow."""
    found, x = model(), ALL[:2]
    torch.manual_seed(1)
    expected = torch.cat([found.log_weights(x, k=n) for n in (32, 32, 6)]).logsumexp(0) - math.log(70)
    torch.manual_seed(1)
    assert_close(found.log_prob(x, k=70), expected.detach())


def test_the_bound_of_a_uniform_density_is_exact():
    """p = 1 on [0, 1]^2 gives each image 1/9, with no noise in it: log2(3) bits per dimension."""

    class Uniform(nn.Module):
        def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
            return x.new_zeros(len(x))

    bound = Dequantized(Uniform(), LEVELS).elbo(ALL)
    assert_close(bound.exp(), torch.full((9,), 1 / 9, dtype=torch.float64))
    assert_close(bits_per_dim(bound, 2), torch.full((9,), math.log2(3), dtype=torch.float64))


def test_learnt_noise_is_a_density_on_the_cell():
    """E_q [1 / q(u)] = 1, the volume of [0, 1]^2; and u depends on the image."""
    noise = model(learnt=True).noise
    x = ALL[5:6].expand(5000, *SHAPE)
    with torch.no_grad():
        u, log_q = noise(x)
        torch.manual_seed(0)
        one, _ = noise(ALL[:1])
        torch.manual_seed(0)
        other, _ = noise(ALL[5:6])
    assert 0 <= u.min() < u.max() <= 1
    assert (-log_q).exp().mean().item() == pytest.approx(1, abs=0.05)
    assert not torch.isclose(one, other).any()


def test_learnt_noise_starts_uniform():
    """Its couplings start as the identity, so q(u | x) = 1."""
    u, log_q = image_noise((1, 4, 4), 5, 2, 4)(torch.ones(500, 1, 4, 4))
    assert_close(log_q, torch.zeros(500), atol=1e-4, rtol=0)
    assert u.mean().item() == pytest.approx(0.5, abs=0.02)
    assert isinstance(Dequantized(image_real_nvp(SHAPE, 1, 4)).noise, UniformNoise)


def test_decoding_the_code_gives_the_image_back():
    """The middle of each cell survives the flow and back, where the levels are few."""
    found = model()
    assert torch.equal(found.decode(found.encode(ALL)), ALL)


def test_frequencies_of_samples_are_the_probabilities():
    """8,000 draws beside the integral over the middle cell; the others get what lies beyond [0, 1] too."""
    found, c = model(c_dim=CLASSES), torch.ones(8000, dtype=torch.long)
    drawn = found.sample(len(c), c).flatten(1)
    index = (drawn[:, 0] * LEVELS + drawn[:, 1]).long()
    frequency = torch.bincount(index, minlength=len(ALL)) / len(c)
    truth = exact(found, torch.ones(len(ALL), dtype=torch.long)).exp()
    assert frequency[4].item() == pytest.approx(truth[4].item(), abs=0.02)
    assert (frequency > truth - 0.02).all()


def test_a_low_temperature_draws_images_alike():
    """At temperature 0 all are the image of z = 0."""
    found = model()
    assert found.sample(50, temperature=0.0).unique(dim=0).shape[0] == 1
    assert found.sample(50).unique(dim=0).shape[0] > 3


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: model().elbo(ALL + 0.5), "x holds 0.5; expected levels, whole numbers 0 .. 2"),
        (lambda: model().elbo(ALL + 1), "x holds 3; expected levels"),
        (lambda: model().encode(ALL - 1), "x holds -1; expected levels"),
        (lambda: model().log_prob(ALL, k=0), "k is 0"),
        (lambda: Dequantized(image_real_nvp(SHAPE, 1, 4), levels=1), "levels is 1"),
        (lambda: VariationalNoise(nn.Identity(), 3)(ALL, torch.zeros(9)), "c_dim=0"),
    ],
)
def test_what_does_not_fit_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
