"""The conditional VAE on a linear-Gaussian model, where its bound, its likelihood and its samples are known.

p(z | c) = N(m(c), diag s(c)^2), x = W z + A c + noise: x given c is Gaussian, and so is z given both. Where
the columns of W are orthogonal the posterior is diagonal, so that an encoder can say it.
"""

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal
from torch.testing import assert_close

from coursekit.models.vae import IWAE, VAE, GaussianDecoder
from coursekit.nets import MLP
from coursekit.ops import gaussian_kl

D, K, C, VARIANCE = 5, 2, 3, 0.3


@pytest.fixture(autouse=True)
def float64():
    """Oracles are compared to the last digits of float64."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


class World:
    """W, A, and the prior: m(c) = M c and log s(c)^2 = S c, or N(0, I)."""

    def __init__(self, learnt: bool):
        self.w = torch.linalg.qr(torch.randn(D, K)).Q * torch.tensor([2.0, 0.7])
        self.a, self.learnt = torch.randn(D, C), learnt
        self.m, self.s = torch.randn(C, K) * learnt, torch.randn(C, K) * learnt

    def prior(self, c):
        return c @ self.m, (c @ self.s).exp()  # mean and variance, (B, K)

    def log_prob(self, x, c):
        """log N(x; W m + A c, W diag(s^2) W^T + variance I), written out in full."""
        mean, variance = self.prior(c)
        covariance = self.w @ torch.diag_embed(variance) @ self.w.T + VARIANCE * torch.eye(D)
        return MultivariateNormal(mean @ self.w.T + c @ self.a.T, covariance).log_prob(x)

    def posterior(self, x, c):
        """Mean and variance of p(z | x, c): precisions add, each mean is weighted by its own."""
        mean, variance = self.prior(c)
        precision = 1 / variance + self.w.square().sum(0) / VARIANCE
        pull = mean / variance + (x - c @ self.a.T) @ self.w / VARIANCE
        return pull / precision, 1 / precision


class Encoder(nn.Module):
    def __init__(self, world, factor=1.0):
        super().__init__()
        self.world, self.factor = world, factor

    def forward(self, x, c):
        mean, variance = self.world.posterior(x, c)
        return torch.cat([mean, (self.factor * variance).log()], 1)


class Decoder(nn.Module):
    def __init__(self, world):
        super().__init__()
        self.world = world

    def forward(self, z, c):
        return z @ self.world.w.T + c @ self.world.a.T


class PriorNet(nn.Module):
    def __init__(self, world):
        super().__init__()
        self.world = world

    def forward(self, nothing, c):
        assert nothing.shape == (len(c), 0)
        mean, variance = self.world.prior(c)
        return torch.cat([mean, variance.log()], 1)


def model_of(world, cls=VAE, factor=1.0, **keywords):
    prior_net = PriorNet(world) if world.learnt else None
    decoder = GaussianDecoder(Decoder(world), (D,), VARIANCE)
    return cls(Encoder(world, factor), decoder, K, prior_net=prior_net, **keywords).double()


@pytest.mark.parametrize("learnt", [False, True])
def test_at_the_exact_posterior_the_bound_is_the_likelihood(learnt):
    """Every weight p(x, z | c) / q(z | x, c) is p(x | c) itself, for the fixed prior as for a learnt one."""
    world = World(learnt)
    x, c = torch.randn(7, D), torch.randn(7, C)
    log_p = world.log_prob(x, c)
    estimated = model_of(world, analytic_kl=False)
    assert_close(estimated.elbo(x, c), log_p)
    assert_close(estimated.log_prob(x, c, k=3), log_p)
    assert_close(model_of(world, IWAE, k=2).elbo(x, c), log_p)


@pytest.mark.parametrize("learnt", [False, True])
def test_a_careless_encoder_pays_the_kl_to_the_posterior(learnt):
    """E[ELBO] = log p(x | c) - KL(q || p(z | x, c)), within five standard errors."""
    world = World(learnt)
    x, c, n = torch.randn(2, D), torch.randn(2, C), 10_000
    model = model_of(world, factor=4.0)
    kl = 0.5 * K * (4.0 - 1.0 - torch.tensor(4.0).log())
    draws = model.elbo(x.repeat(n, 1), c.repeat(n, 1)).unflatten(0, (n, 2)).detach()
    error = (draws.mean(0) - (world.log_prob(x, c) - kl)).abs()
    assert (error < 5 * draws.std(0) / n**0.5).all()


def test_samples_have_the_moments_of_the_conditional():
    """Mean and covariance of x given one c, with the learnt prior, within five standard errors."""
    world, n = World(True), 40_000
    c = torch.randn(1, C)
    x = model_of(world).sample(n, c.expand(n, C))
    mean, variance = world.prior(c)
    covariance = world.w @ torch.diag(variance[0]) @ world.w.T + VARIANCE * torch.eye(D)
    error = (x.mean(0) - (mean @ world.w.T + c @ world.a.T)[0]).abs()
    assert (error < 5 * (covariance.diag() / n).sqrt()).all()
    spread = (covariance.diag()[:, None] * covariance.diag() + covariance.square()).sqrt()
    assert ((x.T.cov() - covariance).abs() < 5 * spread / n**0.5).all()


def test_without_a_network_the_prior_ignores_the_condition():
    model = model_of(World(False))
    c = torch.randn(4, C)
    assert model.prior_given(c).batch_shape == ()
    assert_close(gaussian_kl(model.prior_given(c), model.prior), torch.zeros(()))


def test_a_learnt_prior_needs_its_condition():
    model = VAE(
        MLP(D, 2 * K, c_dim=C), GaussianDecoder(MLP(K, D, c_dim=C), (D,)), K, prior_net=MLP(0, 2 * K, c_dim=C)
    )
    with pytest.raises(ValueError, match="prior is learnt and needs a condition"):
        model.prior_given()


@pytest.mark.parametrize("learnt", [False, True])
def test_every_draw_has_its_own_condition(learnt):
    with pytest.raises(ValueError, match="n is 5 and c has 4 rows; expected one condition for each draw"):
        model_of(World(learnt)).sample(5, torch.randn(4, C))


def test_a_learnt_prior_is_not_taken_for_the_fixed_one():
    """N(0, I) would be decoded to something, without a word."""
    with pytest.raises(ValueError, match=r"take prior_given\(c\)"):
        _ = model_of(World(True)).prior
