"""Labelled equations of chapter 14: matrices, sums on a grid, and Gaussians conditioned the other way."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal
from torch.testing import assert_close

from coursekit.metrics.pictures import psnr
from coursekit.models.diffusion import VP, ExactGaussian, gaussian_posterior
from coursekit.tasks import Blur, Downsample, LikelihoodGuided, LinearOperator, Mask, window
from tests.equations.line import LINE, MEANS, STDS, STEP, WEIGHTS
from tests.equations.registry import checks

SHAPE, D = (1, 4, 4), 16
OPERATORS: dict[str, LinearOperator] = {
    "mask": Mask(torch.arange(16).view(SHAPE) % 3 > 0),
    "window": window(SHAPE, 2),
    "downsample": Downsample(SHAPE, 2),
    "blur": Blur(SHAPE, 0.6),
}
each = pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)


def draws(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def covariance(n: int = D) -> Tensor:
    root = draws(n, n)
    return root @ root.T / n + 0.1 * torch.eye(n, dtype=torch.float64)


@checks("adjoint")
@each
def test_the_adjoint_is_the_transposed_matrix(operator):
    y = draws(3, *operator.y_shape)
    assert_close(operator.adjoint(y).flatten(1), y.flatten(1) @ operator.matrix())


@checks("inverse-svd")
@each
def test_in_the_singular_coordinates_a_measurement_stretches_and_keeps_its_noise(operator):
    """The singular values are torch's; and U^T U = I where A sees, so the noise stays white there."""
    values = torch.linalg.svdvals(operator.matrix())
    assert_close(operator.values.flatten().sort(descending=True).values[: len(values)], values)
    y = torch.eye(math.prod(operator.y_shape), dtype=torch.float64).unflatten(1, operator.y_shape)
    seen = operator.project(y).flatten(1)[:, operator.seen.flatten()]  # columns of U
    assert_close(seen.T @ seen, torch.eye(seen.shape[1], dtype=torch.float64))
    x = draws(2, *SHAPE)
    assert_close(operator.project(operator(x)), operator.values * operator.rotate(x))


@checks("least-squares")
@each
def test_division_by_singular_values_is_the_shortest_least_squares_solution(operator):
    """LAPACK's, which never forms a singular vector of ours; and its error is the noise over s."""
    x, noise = draws(1, *SHAPE), draws(1, *operator.y_shape)
    y = operator(x) + 0.3 * noise
    shortest = torch.linalg.lstsq(operator.matrix(), y.flatten()[:, None], driver="gelsd").solution[:, 0]
    assert_close(operator.pseudo_inverse(y).flatten(), shortest)
    seen = operator.seen
    off = (operator.rotate(shortest.view(1, *SHAPE)) - operator.rotate(x))[0, seen]
    assert_close(off, 0.3 * operator.project(noise)[0, seen] / operator.values[seen])


@checks("inverse-posterior")
def test_the_gain_gives_what_adding_precisions_gives():
    """P^-1 = S^-1 + A^T A / noise^2 and P^-1 mean = S^-1 m + A^T y / noise^2."""
    A, S, m, y = draws(5, D), covariance(), draws(D), draws(3, 5)
    mean, P = gaussian_posterior(m, S, A, y, 0.4)
    precision = S.inverse() + A.T @ A / 0.4**2
    assert_close(P, precision.inverse())
    assert_close(mean, (S.inverse() @ m + y @ A / 0.4**2) @ precision.inverse())


@checks("twice-the-error")
def test_two_draws_are_twice_as_far_apart_as_a_draw_from_the_mean():
    """Summed over all pairs of a distribution on five points, where nothing is Gaussian."""
    x, p = draws(5, 3), draws(5).softmax(0)
    apart = (p[:, None] * p * (x[:, None] - x).square().sum(-1)).sum()
    assert_close(apart, 2 * (p * (x - p @ x).square().sum(-1)).sum())


A_LINE, NOISE, Y = 0.7, 0.5, 0.9
SCALE, SIGMA = 0.8, 0.6  # of x_t


def prior() -> Tensor:
    """p(x_0) on the grid."""
    return (WEIGHTS * Normal(MEANS, STDS).log_prob(LINE[:, None]).exp()).sum(1)


def measured() -> Tensor:
    """p(y | x_0) on the grid."""
    return Normal(A_LINE * LINE, NOISE).log_prob(torch.tensor(Y)).exp()


def noised(density: Tensor, x_t: Tensor) -> Tensor:
    """int density(x_0) N(x_t; a x_0, sigma^2) dx_0."""
    return (density * Normal(SCALE * LINE, SIGMA).log_prob(x_t[:, None]).exp()).sum(1) * STEP


def likelihood(x_t: Tensor) -> Tensor:
    """p(y | x_t) in closed form: each component predicts y by a Gaussian, weighed by its claim on x_t."""
    total = SCALE**2 * STDS**2 + SIGMA**2
    claim = WEIGHTS * Normal(SCALE * MEANS, total.sqrt()).log_prob(x_t[:, None]).exp()
    mean = MEANS + SCALE * STDS**2 / total * (x_t[:, None] - SCALE * MEANS)
    rest = STDS**2 * SIGMA**2 / total
    of_y = Normal(A_LINE * mean, (NOISE**2 + A_LINE**2 * rest).sqrt()).log_prob(torch.tensor(Y)).exp()
    return (claim * of_y).sum(1) / claim.sum(1)


@checks("likelihood-at-t")
def test_the_likelihood_of_a_noisy_point_is_an_average_over_what_lies_behind_it():
    """The integral as a sum over the grid, beside the closed form of a mixture."""
    x_t = torch.linspace(-2, 2, 7, dtype=torch.float64)
    assert_close(noised(prior() * measured(), x_t) / noised(prior(), x_t), likelihood(x_t))


@checks("posterior-score")
def test_the_scores_of_prior_and_likelihood_add_up_to_that_of_the_posterior():
    """The posterior of x_0 on the grid, noised, its slope by differences; the likelihood in closed form."""
    x_t, h = torch.linspace(-2, 2, 7, dtype=torch.float64), 1e-4

    def slope(f) -> Tensor:
        return (f(x_t + h).log() - f(x_t - h).log()) / (2 * h)

    posterior = prior() * measured()
    posterior = posterior / (posterior.sum() * STEP)
    both = slope(lambda x: noised(prior(), x)) + slope(likelihood)
    assert_close(slope(lambda x: noised(posterior, x)), both, atol=1e-7, rtol=0)


@checks("exact-likelihood", "likelihood-score")
@each
def test_given_a_noisy_image_a_measurement_is_gaussian_around_that_of_the_denoised_one(operator):
    """Mean and covariance from the joint Gaussian of (x_t, y), conditioned on x_t; and the package's score
    is its gradient."""
    S, path, t = covariance(), VP(), torch.tensor([0.4], dtype=torch.float64)
    (scale, noise), A, eye = path.place(t), operator.matrix(), torch.eye(D, dtype=torch.float64)
    model, x, y = ExactGaussian(torch.zeros(D), S, path), draws(1, *SHAPE), draws(1, *operator.y_shape)
    across, own = A @ S * scale, scale**2 * S + noise**2 * eye
    of_y = A @ S @ A.T + NOISE**2 * torch.eye(len(A), dtype=torch.float64)
    gain = across @ own.inverse()
    C = model.remaining(t)[0]
    assert_close(operator(model.predict(x, t).x0).flatten(), gain @ x.flatten())
    assert_close(A @ C @ A.T + NOISE**2 * torch.eye(len(A), dtype=torch.float64), of_y - gain @ across.T)
    pull = gain.T @ torch.linalg.solve(of_y - gain @ across.T, y.flatten() - gain @ x.flatten())
    guided = LikelihoodGuided(model, operator, y, NOISE, model.remaining).predict(x, t)
    assert_close((guided.score - model.predict(x, t).score).flatten(), pull)


@checks("denoiser-jacobian")
def test_the_slope_of_a_denoiser_is_its_uncertainty():
    """E[x_0 | x_t] on the grid, by differences, beside Var[x_0 | x_t] on the grid; not Gaussian."""
    x_t, h = torch.linspace(-2, 2, 7, dtype=torch.float64), 1e-4

    def mean(x: Tensor, power: int = 1) -> Tensor:
        return noised(prior() * LINE**power, x) / noised(prior(), x)

    slope = (mean(x_t + h) - mean(x_t - h)) / (2 * h)
    assert_close(slope, SCALE / SIGMA**2 * (mean(x_t, 2) - mean(x_t).square()), atol=1e-6, rtol=1e-6)


@checks("psnr")
def test_psnr_is_the_range_over_the_root_mean_square_error_in_decibels():
    """20 log10(2 / rms) for images in [-1, 1]; half the mean squared error is 3.01 dB more."""
    x, truth = draws(1, 1, 5, 5), draws(1, 1, 5, 5)
    rms = (x - truth).square().mean().sqrt()
    assert_close(psnr(x, truth)[0], 20 * (2 / rms).log10())
    nearer = truth + (x - truth) / math.sqrt(2)
    assert_close(psnr(nearer, truth)[0] - psnr(x, truth)[0], torch.tensor(10 * math.log10(2)).double())
