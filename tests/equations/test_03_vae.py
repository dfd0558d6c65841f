"""Chapter 3: every labelled equation against numbers that were computed another way."""

import math

import pytest
import torch
from torch import Tensor, tensor
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence
from torch.testing import assert_close

from coursekit.models.vae import VAE, GaussianDecoder, LinearGaussian
from coursekit.nets import MLP
from coursekit.ops import gaussian_kl, logmeanexp
from tests.equations.registry import checks

D, K, VARIANCE = 4, 2, 0.3


@pytest.fixture(autouse=True)
def float64_and_seed():
    """Random numbers that do not depend on the order of the tests; precision that shows a wrong constant."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def bench() -> LinearGaussian:
    return LinearGaussian(torch.randn(D, K), torch.randn(D), VARIANCE)


def grid(reach: float = 8.0, n: int = 301) -> tuple[Tensor, float]:
    """All points of a square lattice in the plane of z, (n * n, 2), and the log of one cell's area."""
    axis = torch.linspace(-reach, reach, n)
    return torch.cartesian_prod(axis, axis), 2 * math.log((axis[1] - axis[0]).item())


def log_joint(model: LinearGaussian, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z) from two normal densities, (B, D) and (N, K) -> (B, N)."""
    mean = z @ model.weight.T + model.mean
    likelihood = Normal(mean, VARIANCE**0.5).log_prob(x[:, None]).sum(-1)
    return likelihood + Normal(0.0, 1.0).log_prob(z).sum(-1)


def some_gaussian() -> MultivariateNormal:
    return MultivariateNormal(torch.randn(K), torch.diag(tensor([0.5, 0.2])) + 0.1)


@torch.no_grad()
@checks("vae-marginal")
def test_the_sum_over_all_latents_is_the_marginal_density():
    """A lattice sum of p(x | z) p(z) needs no formula for p(x); the model's log_prob uses nothing else."""
    model = bench()
    x = model.sample(5)
    z, area = grid()
    assert_close((log_joint(model, x, z) + area).logsumexp(1), model.log_prob(x))


@torch.no_grad()
@checks("linear-gaussian")
def test_marginal_and_posterior_of_the_linear_model_follow_from_the_joint_gaussian():
    """Conditioning the joint Gaussian of (z, x) by Schur complements knows nothing of the formulas."""
    model = bench()
    W, x = model.weight, model.sample(3)
    marginal = W @ W.T + VARIANCE * torch.eye(D)
    gain = W.T @ marginal.inverse()
    precision = torch.eye(K) + W.T @ W / VARIANCE
    stated = precision.inverse() @ W.T @ (x - model.mean).T / VARIANCE
    assert_close(stated.T, (x - model.mean) @ gain.T)
    assert_close(precision.inverse(), torch.eye(K) - gain @ W)
    assert_close(MultivariateNormal(model.mean, marginal).log_prob(x), model.log_prob(x))
    assert_close(model.encode(x).mean, stated.T)


@torch.no_grad()
@checks("naive-variance")
def test_relative_variance_of_plain_monte_carlo_is_that_of_the_posterior_over_the_prior():
    """Lattice sums under the prior and under the posterior from its own formula; e^KL - 1 lies below."""
    model = bench()
    x = model.sample(4)
    z, area = grid()
    joint, log_prior = log_joint(model, x, z), Normal(0.0, 1.0).log_prob(z).sum(-1)
    second_moment = (2 * joint - log_prior + area).logsumexp(1) - 2 * model.log_prob(x)
    posterior = torch.stack([model.encode(x[i : i + 1]).log_prob(z) for i in range(len(x))])
    under_posterior = (2 * posterior - log_prior + area).logsumexp(1)
    assert_close(second_moment, under_posterior)
    kl = kl_divergence(model.encode(x), model.prior)
    assert (second_moment.expm1() > kl.expm1()).all()


@torch.no_grad()
@checks("elbo-gap")
def test_log_p_minus_the_elbo_is_the_kl_to_the_posterior():
    """The ELBO's closed form never meets the posterior, and the KL to the posterior never meets p(x)."""
    model = bench()
    x = model.sample(6)
    for q in (some_gaussian(), model.prior, MultivariateNormal(torch.ones(K), 3 * torch.eye(K))):
        q = q.expand((6,))
        assert_close(model.log_prob(x) - model.elbo(x, q=q), kl_divergence(q, model.encode(x)))
    assert_close(model.elbo(x, q=model.encode(x)), model.log_prob(x))


@torch.no_grad()
@checks("elbo-jensen")
def test_log_of_the_mean_weight_is_log_p_and_the_mean_log_weight_is_the_elbo():
    """Both sides by lattice sums over z; they meet exactly when q is the posterior."""
    model = bench()
    x, q = model.sample(1), some_gaussian()
    z, area = grid()
    log_q = q.log_prob(z) + area
    log_w = log_joint(model, x, z)[0] - q.log_prob(z)
    log_mean, mean_log = (log_q + log_w).logsumexp(0), (log_q.exp() * log_w).sum()
    assert_close(log_mean, model.log_prob(x)[0])
    assert_close(mean_log, model.elbo(x, q=q.expand((1,)))[0])
    assert mean_log < log_mean
    anywhere = torch.randn(5, K)
    constant = log_joint(model, x, anywhere)[0] - model.encode(x).log_prob(anywhere)
    assert_close(constant, model.log_prob(x).expand(5))


@torch.no_grad()
@checks("elbo-rec-kl")
def test_expected_log_joint_minus_log_q_is_reconstruction_minus_kl():
    """The left side is one lattice sum of log p(x, z) - log q(z); the right side uses the closed KL."""
    model = bench()
    x, q = model.sample(3), some_gaussian()
    z, area = grid()
    weight = (q.log_prob(z) + area).exp()
    joint = log_joint(model, x, z)
    left = ((joint - q.log_prob(z)) * weight).sum(1)
    reconstruction = ((joint - Normal(0.0, 1.0).log_prob(z).sum(-1)) * weight).sum(1)
    assert_close(left, reconstruction - kl_divergence(q, model.prior))


@torch.no_grad()
@checks("gaussian-decoder")
def test_log_density_of_the_gaussian_decoder_is_a_weighted_squared_error():
    """The decoder's distribution computes it from torch's Normal, pixel by pixel."""
    net = MLP((K,), 9, (8,)).double()
    z, x = torch.randn(5, K), torch.randn(5, 1, 3, 3)
    decoder = GaussianDecoder(net, (1, 3, 3), variance=VARIANCE).double()
    squared = (x.flatten(1) - net(z)).square().sum(1)
    stated = -squared / (2 * VARIANCE) - 4.5 * math.log(2 * math.pi * VARIANCE)
    assert_close(decoder(z).log_prob(x), stated, rtol=1e-6, atol=1e-6)


@checks("beta-variance")
def test_weight_and_variance_enter_through_their_product_alone():
    """Gradients of a real VAE's loss, times the variance, agree for every (beta, variance) of one product."""

    def gradient(beta: float, variance: float) -> Tensor:
        torch.manual_seed(1)
        encoder, net = MLP((D,), 2 * K, (8,)).double(), MLP((K,), D, (8,)).double()
        model = VAE(encoder, GaussianDecoder(net, (D,), variance), K, beta=beta).double()
        _, loss = next(model.losses(torch.randn(20, D)))
        return variance * torch.cat(
            [g.flatten() for g in torch.autograd.grad(loss, [*encoder.parameters(), *net.parameters()])]
        )

    assert_close(gradient(1.0, 6.0), gradient(60.0, 0.1), rtol=1e-5, atol=1e-8)
    assert_close(gradient(1.0, 6.0), gradient(6.0, 1.0), rtol=1e-5, atol=1e-8)
    assert not torch.allclose(gradient(1.0, 6.0), gradient(2.0, 6.0), rtol=1e-2)


@checks("best-variance")
def test_the_best_variance_of_the_decoder_is_the_mean_squared_error():
    """Found again by maximizing the log-density over a fine range of variances."""
    error = torch.randn(50, D) * 0.7
    candidates = torch.linspace(0.05, 2.0, 4000)
    log_p = Normal(0.0, candidates.sqrt()[:, None, None]).log_prob(error).sum((1, 2))
    assert_close(candidates[log_p.argmax()], error.square().sum() / error.numel(), rtol=0, atol=1e-3)


@torch.no_grad()
@checks("kl-standard")
def test_kl_to_the_standard_normal_is_the_integral_it_stands_for():
    """One dimension at a time, q log(q / p) is summed over a fine line; dimensions add up."""
    mean, spread = torch.randn(K), torch.tensor([0.3, 1.7])
    stated = 0.5 * (mean**2 + spread**2 - 1 - (spread**2).log()).sum()
    line = torch.linspace(-20, 20, 200_001)
    q, p = Normal(mean[:, None], spread[:, None]), Normal(0.0, 1.0)
    summed = torch.trapezoid(q.log_prob(line).exp() * (q.log_prob(line) - p.log_prob(line)), line).sum()
    assert_close(stated, summed)
    standard = Independent(Normal(torch.zeros(K), torch.ones(K)), 1)
    assert_close(gaussian_kl(Independent(Normal(mean, spread), 1), standard), stated)


@torch.no_grad()
@checks("kl-gaussians")
def test_kl_of_two_full_gaussians_is_the_integral_it_stands_for():
    """q log(q / p) summed over a lattice, for tilted covariances and shifted means."""
    q, p = some_gaussian(), MultivariateNormal(torch.randn(K), tensor([[1.2, -0.4], [-0.4, 0.8]]))
    Sq, Sp, shift = q.covariance_matrix, p.covariance_matrix, q.mean - p.mean
    Pp = Sp.inverse()
    stated = 0.5 * ((Pp @ Sq).trace() + shift @ Pp @ shift - K + Sp.logdet() - Sq.logdet())
    z, area = grid()
    assert_close(stated, ((q.log_prob(z) + area).exp() * (q.log_prob(z) - p.log_prob(z))).sum())


def quartic(z: Tensor) -> Tensor:
    """A function whose mean under N(m, s^2) is known: m^4 + 6 m^2 s^2 + 3 s^4."""
    return z**4


MEAN, SPREAD = 0.6, 0.8
EXACT_GRADIENT = tensor([4 * MEAN**3 + 12 * MEAN * SPREAD**2, 12 * MEAN**2 * SPREAD + 12 * SPREAD**3])


@checks("score-gradient")
def test_score_function_gradient_integrates_to_the_derivative_of_the_expectation():
    """h times the score, summed over a fine line, against the derivative of the fourth moment."""
    m, s = tensor(MEAN).double().requires_grad_(), tensor(SPREAD).double().requires_grad_()
    line = torch.linspace(-12, 12, 100_001)
    log_q = Normal(m, s).log_prob(line)
    weighted = torch.trapezoid(log_q.exp().detach() * quartic(line) * log_q, line)
    assert_close(
        torch.stack(torch.autograd.grad(weighted, (m, s))), EXACT_GRADIENT.double(), rtol=1e-6, atol=1e-6
    )


@checks("reparameterized-gradient")
def test_reparameterized_gradient_integrates_to_the_derivative_of_the_expectation():
    """The chain rule through m + s e, summed over the noise, against the derivative of the fourth moment."""
    noise = torch.linspace(-12, 12, 100_001)
    slope = 4 * (MEAN + SPREAD * noise) ** 3
    density = Normal(0.0, 1.0).log_prob(noise).exp()
    through = torch.stack(
        [torch.trapezoid(density * slope * d, noise) for d in (torch.ones_like(noise), noise)]
    )
    assert_close(through, EXACT_GRADIENT.double(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dims", [1, 3, 20])
@checks("gradient-variances")
def test_variances_of_the_three_gradient_estimates(dims):
    """Sample variances of many draws, within five of their own standard errors."""
    z = torch.randn(400_000, dims)
    S, first = z.square().sum(1), z[:, 0]
    for estimate, stated in (
        (S * first, (dims + 2) * (dims + 4)),
        ((S - dims) * first, 2 * dims + 8),
        (2 * first, 4),
    ):
        squares = estimate.square()
        assert abs(squares.mean() - stated) < 5 * squares.std() / len(squares) ** 0.5


@torch.no_grad()
@checks("elbo-surgery")
def test_the_rate_is_mutual_information_plus_kl_of_all_codes_to_the_prior():
    """Discrete codes, where every sum is finite and mutual information is a difference of entropies."""
    q = torch.rand(7, 5).softmax(1)
    prior, mixed = torch.rand(5).softmax(0), q.mean(0)

    def entropy(p: Tensor) -> Tensor:
        return -(p * p.log()).sum(-1)

    rate = (q * (q / prior).log()).sum(1).mean()
    information = entropy(mixed) - entropy(q).mean()
    assert_close(rate, information + (mixed * (mixed / prior).log()).sum())


@checks("water-filling")
def test_gradient_ascent_on_the_linear_elbo_ends_on_the_water_filling_curve():
    """Encoder and decoder gains and spreads, one a direction, found by optimizing and not by the formula."""
    spectrum, level = tensor([5.0, 2.0, 0.9, 0.2]), 0.5
    gain, back = torch.full((4,), 0.5, requires_grad=True), torch.full((4,), 0.5, requires_grad=True)
    log_spread = torch.zeros(4, requires_grad=True)

    def terms() -> tuple[Tensor, Tensor]:
        spread = log_spread.exp() ** 2
        error = spectrum * (1 - gain * back) ** 2 + back**2 * spread
        return error, 0.5 * (gain**2 * spectrum + spread - 1 - spread.log())

    optimizer = torch.optim.LBFGS(
        [gain, back, log_spread], max_iter=2000, tolerance_grad=1e-12, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        error, rate = terms()
        loss = (0.5 * error + level * rate).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    error, rate = terms()
    assert_close(error.detach(), torch.minimum(spectrum, tensor(level)), rtol=1e-4, atol=1e-4)
    assert_close(rate.detach(), 0.5 * (spectrum / level).log().clamp(min=0), rtol=1e-4, atol=1e-4)


@checks("water-filling")
def test_slope_of_the_water_filling_curve_is_minus_twice_the_level():
    """Finite differences of distortion and rate along the level."""
    spectrum = tensor([5.0, 2.0, 0.9, 0.2])

    def point(level: float) -> tuple[Tensor, Tensor]:
        rate = 0.5 * (spectrum / level).log().clamp(min=0).sum()
        return rate, torch.minimum(spectrum, tensor(level)).sum()

    for level in (0.1, 0.5, 1.5):
        (low_rate, low), (high_rate, high) = point(level - 1e-5), point(level + 1e-5)
        assert_close((high - low) / (high_rate - low_rate), tensor(-2 * level).double(), rtol=1e-4, atol=1e-4)


def wide_encoder() -> tuple[LinearGaussian, Tensor, MultivariateNormal]:
    """A model, one point of it, and a q wider than the posterior."""
    model = bench()
    x = model.sample(1)
    exact = model.encode(x)
    return model, x, MultivariateNormal(exact.mean, 1.5 * exact.covariance_matrix)


def log_weights(model: LinearGaussian, x: Tensor, q: MultivariateNormal, k: int, repeats: int) -> Tensor:
    """log p(x, z) - log q(z) at fresh draws from q, (repeats, k)."""
    z = q.sample((repeats, k)).reshape(-1, K)
    return (log_joint(model, x, z)[0] - q.log_prob(z)).reshape(repeats, k)


@torch.no_grad()
@checks("iwae-bound")
def test_the_bound_starts_at_the_elbo_rises_with_the_number_of_samples_and_stays_below_log_p():
    """Draws of their own for each k, so a regrouping of the same weights can't make it rise."""
    model, x, q = wide_encoder()
    repeats = 200_000
    bounds = [logmeanexp(log_weights(model, x, q, k, repeats), 1) for k in (1, 2, 4, 8)]
    means, errors = [b.mean() for b in bounds], [b.std() / repeats**0.5 for b in bounds]
    for i in range(3):
        assert means[i + 1] - means[i] > 4 * (errors[i] ** 2 + errors[i + 1] ** 2).sqrt()
    assert abs(means[0] - model.elbo(x, q=q)[0]) < 5 * errors[0]
    assert means[3] + 4 * errors[3] < model.log_prob(x)[0]


@torch.no_grad()
@checks("iwae-rate")
def test_the_gap_shrinks_as_the_relative_variance_over_twice_the_samples():
    """Bias of the bound at k = 64 against the variance of the weights, which is known: for covariances S and
    c S the integral of posterior^2 / q is c / sqrt(2 c - 1) in each dimension."""
    model, x, q = wide_encoder()
    excess = (
        logmeanexp(log_weights(model, x, q, 64, 20_000), 1) - model.log_prob(x)
    ).expm1()  # its mean is zero
    gap = (excess - excess.log1p()).mean()
    relative = (1.5 / math.sqrt(2 * 1.5 - 1)) ** K - 1
    assert_close(gap, tensor(relative / 128), rtol=0.05, atol=0)
