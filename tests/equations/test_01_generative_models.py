"""Chapter 1: every labelled equation against numbers that were computed another way."""

import math

import pytest
import torch
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal, Normal, kl_divergence
from torch.testing import assert_close

from coursekit import ops
from tests.equations.registry import checks


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cloud(n: int = 200, dims: int = 3) -> Tensor:
    """Skewed, correlated data: no closed form here may rest on the data being Gaussian."""
    return normal(n, dims).exp() @ normal(dims, dims, seed=1) + 2


def tensor(values) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def mixture() -> MixtureSameFamily:
    parts = Normal(tensor([-1.0, 2.0]), tensor([0.5, 0.9]))
    return MixtureSameFamily(Categorical(tensor([0.65, 0.35])), parts)


def integral(f, low: float = -12, high: float = 14) -> float:
    """The trapezoidal rule; for what vanishes at both ends it is exact to nearly all digits."""
    x = torch.linspace(low, high, 20_001, dtype=torch.float64)
    return torch.trapezoid(f(x), x).item()


def kl_by_quadrature(p, q, low: float = -9, high: float = 9) -> float:
    return integral(lambda x: p.log_prob(x).exp() * (p.log_prob(x) - q.log_prob(x)), low, high)


@checks("squared-error-mean")
def test_squared_error_splits_into_noise_and_distance_from_the_class_mean():
    """Both sides are averages over the same 90 examples; the answers f(y) are arbitrary."""
    x, y, f = cloud(90), torch.arange(90) % 3, normal(3, 3, seed=5)
    m = torch.stack([x[y == k].mean(0) for k in range(3)])
    left = (x - f[y]).square().sum(1).mean()
    assert_close(left, (x - m[y]).square().sum(1).mean() + (m[y] - f[y]).square().sum(1).mean())


@checks("average-log-likelihood")
def test_average_log_likelihood_is_the_log_of_the_product_of_densities():
    """The product itself, which still fits into a float64 for ten examples."""
    x, p = normal(10), mixture()
    densities = [0.65 * bell(v, -1.0, 0.5) + 0.35 * bell(v, 2.0, 0.9) for v in x.tolist()]
    assert p.log_prob(x).mean().item() == pytest.approx(math.log(math.prod(densities)) / 10)


def bell(x: float, mean: float, width: float) -> float:
    return math.exp(-(((x - mean) / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))


@checks("cross-entropy-split")
def test_cross_entropy_is_entropy_plus_divergence():
    """The cross-entropy is integrated; entropy and divergence of Gaussians come from their closed forms."""
    p, q = Normal(tensor(0.3), 0.7), Normal(tensor(-0.5), 1.3)
    cross = -integral(lambda x: p.log_prob(x).exp() * q.log_prob(x))
    assert cross == pytest.approx((p.entropy() + kl_divergence(p, q)).item(), abs=1e-8)


@checks("jensen")
@pytest.mark.parametrize("f", [torch.log, torch.sqrt, lambda x: -x.square()])
@pytest.mark.parametrize("seed", range(5))
def test_mean_of_a_concave_function_lies_below_the_function_of_the_mean(f, seed):
    """Random discrete distributions on seven positive values; the gap closes for a constant."""
    weights = normal(7, seed=seed).softmax(0)
    values = normal(7, seed=seed + 100).exp()
    assert (weights * f(values)).sum() < f((weights * values).sum())
    constant = values[:1].expand(7)
    assert_close((weights * f(constant)).sum(), f((weights * constant).sum()))


@checks("kl-nonnegative")
@pytest.mark.parametrize("seed", range(5))
def test_divergence_is_positive_and_zero_only_for_equal_distributions(seed):
    """Where p is zero the two steps differ: the mass that q has on the points of p bounds the divergence.

    The second q is 0.6 p on them: the first step is an equality, the second is not.
    """
    p = tensor([0.2, 0.5, 0.3, 0.0])
    on = p > 0
    q = normal(4, seed=seed).softmax(0)
    assert (p[on] * (p[on] / q[on]).log()).sum() > -q[on].sum().log() > 0
    q = torch.cat([0.6 * p[:3], tensor([0.4])])
    assert_close((p[on] * (p[on] / q[on]).log()).sum(), -tensor(0.6).log())
    assert kl_by_quadrature(mixture(), Normal(mixture().mean, mixture().stddev)) > 0


@checks("gaussian-mle")
def test_no_gaussian_has_a_greater_likelihood_than_mean_and_covariance():
    """L-BFGS over mean and Cholesky factor, which knows no formula, ends at the same place and value."""
    x = cloud()
    mean, raw = torch.zeros(3, dtype=torch.float64), torch.zeros(3, 3, dtype=torch.float64)
    parameters = [mean.requires_grad_(), raw.requires_grad_()]
    optimizer = torch.optim.LBFGS(parameters, max_iter=500, line_search_fn="strong_wolfe")

    def model() -> MultivariateNormal:
        return MultivariateNormal(mean, scale_tril=raw.tril(-1) + raw.diagonal().exp().diag())

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = -model().log_prob(x).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    covariance = x.T.cov(correction=0)
    assert_close(mean.detach(), x.mean(0), atol=1e-5, rtol=1e-5)
    assert_close(model().covariance_matrix.detach(), covariance, atol=1e-4, rtol=1e-4)
    assert_close(model().log_prob(x).mean().detach(), -0.5 * (2 * math.pi * math.e * covariance).logdet())


@checks("histogram-mle")
def test_no_cell_probabilities_have_a_greater_likelihood_than_the_shares():
    """BFGS over softmax parameters, for a density evaluated at 40 points; it knows nothing of counts."""
    x, volume = (normal(40) / 2).clamp(-0.99, 0.99), 0.5
    cell = ((x + 1) / volume).long()

    def loss(a) -> float:
        return -(tensor(a).softmax(0) / volume)[cell].log().mean().item()

    found = minimize(loss, [2.0, -1.0, 0.0, 1.0], method="BFGS", options={"gtol": 1e-7})
    counts = torch.bincount(cell, minlength=4).double()
    assert_close(tensor(found.x).softmax(0), counts / 40, atol=1e-4, rtol=0)
    assert found.fun == pytest.approx(-(counts[cell] / (40 * volume)).log().mean().item())


@checks("bits-per-dimension")
@pytest.mark.parametrize("levels", [2, 17, 256])
def test_a_flat_density_costs_log2_of_the_number_of_cells_in_its_box(levels):
    """Uniform on the L cells that cover -1 - D/2 .. 1 + D/2, D their width: probability 1/L each."""
    delta = 2 / (levels - 1)
    log_density = tensor(-5 * math.log(levels * delta))
    assert ops.bits_per_dim(log_density, dims=5, levels=levels).item() == pytest.approx(math.log2(levels))


@checks("dequantization-bound")
@pytest.mark.parametrize("scale", [0.3, 1.0, 10.0])
def test_noisy_log_density_is_below_the_log_mass_of_the_cell(scale):
    """Two correlated dimensions: scipy gives the rectangle's mass, midpoints the means over u."""
    delta, m = 2 / 16, 200
    mean, covariance = tensor([0.03, -0.1]), scale * tensor([[0.02, 0.012], [0.012, 0.015]])
    p, x = MultivariateNormal(mean, covariance), tensor([0.125, -0.25])
    ticks = ((torch.arange(m).double() + 0.5) / m - 0.5) * delta
    log_density = p.log_prob(x + torch.cartesian_prod(ticks, ticks))
    reference = multivariate_normal(mean.numpy(), covariance.numpy(), abseps=1e-12, releps=1e-10)
    low, high = (x - delta / 2).numpy(), (x + delta / 2).numpy()
    log_mass = math.log(reference.cdf(high, lower_limit=low))
    assert (ops.logmeanexp(log_density) + 2 * math.log(delta)).item() == pytest.approx(log_mass, abs=1e-4)
    assert (log_density.mean() + 2 * math.log(delta)).item() < log_mass - 1e-4


@checks("dequantized-covariance")
def test_uniform_noise_adds_a_twelfth_of_its_squared_width_to_each_variance():
    """m x m equally likely noises at midpoints, whose variance is (1 - 1/m^2) times that of uniform noise."""
    delta, m, x = 0.125, 50, cloud(20, 2)
    ticks = ((torch.arange(m).double() + 0.5) / m - 0.5) * delta
    noise = torch.cartesian_prod(ticks, ticks)
    noisy = (x[:, None] + noise).reshape(-1, 2)
    added = noisy.T.cov(correction=0) - x.T.cov(correction=0)
    assert_close(added, (1 - 1 / m**2) * delta**2 / 12 * torch.eye(2).double(), atol=1e-9, rtol=0)


@checks("bayes-classifier")
def test_bayes_rule_gives_the_share_of_the_class_near_x():
    """Count a million draws (y, x) that fall close to x = 0.5: no density is used."""
    generator = torch.Generator().manual_seed(0)
    p = mixture()
    y = (torch.rand(1_000_000, generator=generator) < 0.35).long()
    x = p.component_distribution.loc[y] + p.component_distribution.scale[y] * normal(1_000_000, seed=3)
    near = (x - 0.5).abs() < 0.05
    joint = p.component_distribution.log_prob(tensor([0.5])).exp() * p.mixture_distribution.probs
    share = y[near].double().mean()
    error = (share * (1 - share) / near.sum()).sqrt()
    assert abs(share - joint[1] / joint.sum()) < 4 * error


@checks("moment-matching")
def test_the_forward_divergence_is_least_at_the_moments():
    """Nelder-Mead over mean and log-width of the divergence, computed by quadrature on a grid."""
    p, x = mixture(), torch.linspace(-12, 14, 5001, dtype=torch.float64)
    log_p = p.log_prob(x)

    def divergence(a) -> float:
        log_q = Normal(tensor(a[0]), math.exp(a[1])).log_prob(x)
        return torch.trapezoid(log_p.exp() * (log_p - log_q), x).item()

    found = minimize(divergence, [1.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12})
    assert found.x[0] == pytest.approx(p.mean.item(), abs=1e-4)
    assert math.exp(found.x[1]) == pytest.approx(p.stddev.item(), abs=1e-4)


@checks("moment-matching")
def test_the_forward_divergence_is_least_at_the_whole_covariance_matrix():
    """BFGS over mean and Cholesky factor finds the correlation too, from quadrature alone."""
    centres, axis = tensor([[-1.0, -0.5], [1.0, 1.5]]), torch.linspace(-5, 5, 101).double()
    parts = MultivariateNormal(centres, 0.3 * torch.eye(2).double())
    x, weights = torch.cartesian_prod(axis, axis), tensor([0.65, 0.35])
    p = MixtureSameFamily(Categorical(weights), parts).log_prob(x).exp() * 0.1**2

    def gaussian(a) -> MultivariateNormal:
        a = tensor(a)
        return MultivariateNormal(a[:2], scale_tril=a[2:4].exp().diag() + a[4] * tensor([[0, 0], [1, 0]]))

    found = minimize(lambda a: -(p * gaussian(a).log_prob(x)).sum().item(), [0.0] * 5, method="BFGS")
    between = weights.prod() * torch.outer(centres[1] - centres[0], centres[1] - centres[0])
    assert_close(gaussian(found.x).mean, weights @ centres, atol=1e-4, rtol=0)
    assert_close(
        gaussian(found.x).covariance_matrix, 0.3 * torch.eye(2).double() + between, atol=1e-4, rtol=0
    )


@checks("spoiled-mixture")
def test_ninety_nine_percent_noise_costs_at_most_log_100_nats():
    """The spoiled model is a torch mixture; the bound is reached where the noise has no density."""
    p, noise = Normal(tensor(0.0), 0.1), Normal(tensor(30.0), 1.0)
    weights = Categorical(tensor([0.01, 0.99]))
    spoiled = MixtureSameFamily(weights, Normal(torch.stack([p.loc, noise.loc]), tensor([0.1, 1.0])))
    x = torch.linspace(-0.4, 34, 500, dtype=torch.float64)
    assert (spoiled.log_prob(x) >= p.log_prob(x) + math.log(0.01) - 1e-9).all()
    assert_close(spoiled.log_prob(p.loc), p.log_prob(p.loc) + math.log(0.01))
