"""Chapter 2: every labelled equation against numbers that were computed another way."""

from copy import deepcopy

import numpy as np
import pytest
import scipy.linalg
import torch
from sklearn.decomposition import PCA as SklearnPCA
from torch import Tensor, tensor
from torch.testing import assert_close

from coursekit.metrics.latent import continuity
from coursekit.models.vae import PCA, Autoencoder
from coursekit.nets import MLP
from tests.equations.registry import checks

N, D, K = 300, 6, 2


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


def cloud() -> Tensor:
    """Skewed, correlated data with mean far from zero: nothing in the derivation asks for Gaussian data."""
    return (normal(N, D).exp() @ normal(D, D, seed=1)) + 7


def spectrum(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Covariance S (divided by N), eigenvalues and eigenvectors (columns), the greatest first."""
    S = torch.from_numpy(np.cov(x.numpy().T, bias=True))
    values, vectors = torch.linalg.eigh(S)
    return S, values.flip(0), vectors.flip(1)


def orthonormal(seed: int, k: int = K) -> Tensor:
    return torch.linalg.qr(normal(D, k, seed=seed)).Q


def reconstruction_error(x: Tensor, x_hat: Tensor) -> Tensor:
    return (x - x_hat).square().sum(1).mean()


def direct_minimum(x: Tensor, loss, parameters: list[Tensor]) -> float:
    """The least loss that L-BFGS finds from here, without any knowledge of eigenvectors."""
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=2000, tolerance_grad=1e-12, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(x)
        value.backward()
        return value

    optimizer.step(closure)
    return loss(x).item()


@checks("pca-variance")
def test_the_quadratic_form_is_the_variance_of_the_positions_along_a_direction():
    """The left side by torch.var of the positions, the right side by numpy's covariance."""
    x = cloud()
    S, _, _ = spectrum(x)
    for seed in range(20):
        u = orthonormal(seed, 1)[:, 0]
        assert_close((x @ u).var(correction=0), u @ S @ u)


@checks("pca-lambda")
def test_an_eigenvalue_is_the_variance_of_the_data_along_its_eigenvector():
    """Eigenvectors from the covariance; the variance from the projected data, and scikit-learn's own."""
    x = cloud()
    _, values, vectors = spectrum(x)
    assert_close((x @ vectors).var(0, correction=0), values)
    peer = torch.from_numpy(SklearnPCA().fit(x.numpy()).explained_variance_)
    assert_close(values * N / (N - 1), peer)


@checks("pca-first")
def test_no_direction_has_more_variance_than_the_first_eigenvector():
    """The weighted mean is the variance; 10,000 directions stay below lambda_1, the best comes near it."""
    x = cloud()
    _, values, vectors = spectrum(x)
    u = torch.nn.functional.normalize(normal(10_000, D, seed=5), dim=1)
    variances = (x @ u.T).var(0, correction=0)
    assert_close((u @ vectors).square() @ values, variances)
    assert variances.max() <= values[0]
    assert variances.max() > 0.9 * values[0]


@checks("pca-captured")
def test_no_plane_captures_more_than_the_greatest_eigenvalues():
    """The shares p_j lie in [0, 1] and add up to K, as the budget argument needs; no plane gets above."""
    x = cloud()
    S, values, vectors = spectrum(x)
    for seed in range(200):
        U = orthonormal(seed)
        shares = (vectors.T @ U).square().sum(1)
        assert_close(shares.sum(), tensor(float(K), dtype=torch.float64))
        assert (shares <= 1 + 1e-12).all()
        captured = torch.trace(U.T @ S @ U)
        assert_close(shares @ values, captured)
        assert captured <= values[:K].sum()
    best = vectors[:, :K] @ torch.linalg.qr(normal(K, K)).Q
    assert_close(torch.trace(best.T @ S @ best), values[:K].sum())


@checks("pca-pythagoras")
def test_code_and_residual_are_the_legs_of_a_right_triangle():
    """Point by point, for a plane that has nothing to do with the data."""
    x, U = cloud(), orthonormal(3)
    mu = x.mean(0)
    z = (x - mu) @ U
    residual = x - (mu + z @ U.T)
    assert_close((x - mu).square().sum(1), z.square().sum(1) + residual.square().sum(1))


@checks("pca-trade")
def test_captured_variance_and_error_add_up_to_the_total():
    """The total by the variances of the pixels, which no plane enters."""
    x = cloud()
    total = x.var(0, correction=0).sum()
    mu = x.mean(0)
    for seed in range(10):
        U = orthonormal(seed)
        z = (x - mu) @ U
        assert_close(z.var(0, correction=0).sum() + reconstruction_error(x, mu + z @ U.T), total)


@checks("pca-error")
def test_no_affine_decoder_loses_less_than_the_eigenvalues_left_out():
    """Three roads: PCA reaches the sum; free codes (any encoder at all) with an affine decoder, optimized
    directly, come down to it; and the middle terms agree for a plane beside the mean."""
    x = cloud()
    S, values, _ = spectrum(x)
    left_out = values[K:].sum()
    pca = PCA(K).fit(x)
    assert_close(reconstruction_error(x, pca.decode(pca.encode(x))), left_out)

    b, W = (normal(D) + 7).requires_grad_(), normal(K, D, seed=2).requires_grad_()
    codes = normal(N, K, seed=3).requires_grad_()
    least = direct_minimum(x, lambda x: reconstruction_error(x, b + codes @ W), [b, W, codes])
    assert least == pytest.approx(left_out.item(), rel=1e-5)
    assert least >= left_out.item() * (1 - 1e-9)

    U, offset = orthonormal(4), normal(D, seed=9)
    Q = torch.eye(D, dtype=torch.float64) - U @ U.T
    direct = ((x - offset) @ Q).square().sum(1).mean()
    assert_close(direct, torch.trace(Q @ S) + (Q @ (x.mean(0) - offset)).square().sum())


@checks("pca-svd")
def test_squared_singular_values_over_n_are_the_eigenvalues():
    """Singular values by scipy, eigenvalues from the covariance; the package divides by N - 1."""
    x = cloud()
    _, values, vectors = spectrum(x)
    s = torch.from_numpy(scipy.linalg.svdvals((x - x.mean(0)).numpy()))
    assert_close(s.square() / N, values)
    pca = PCA(D).fit(x)
    assert_close(pca.explained_variance * (N - 1) / N, values)
    assert_close((pca.components @ vectors).abs(), torch.eye(D, dtype=torch.float64))


@checks("lae-solutions")
def test_the_optima_of_the_linear_autoencoder_are_pca_up_to_an_affine_map_of_the_codes():
    """Every A and a reach PCA's error. Conversely L-BFGS on the four parameters ends at the same error and
    plane, and its codes are an A times those of PCA, with the A that its decoder undoes, plus a constant."""
    x = cloud()
    _, values, vectors = spectrum(x)
    mu, U, left_out = x.mean(0), vectors[:, :K], values[K:].sum()
    for seed in range(5):
        A, a = normal(K, K, seed=seed), normal(K, seed=seed + 50)
        z = (x - mu) @ U @ A.T + a
        assert_close(reconstruction_error(x, mu + (z - a) @ torch.linalg.inv(A).T @ U.T), left_out)

    torch.manual_seed(0)
    model = Autoencoder(MLP(D, K, hidden=()), MLP(K, D, hidden=())).double()
    least = direct_minimum(x, lambda x: next(model.losses(x))[1], list(model.parameters()))
    assert least == pytest.approx(left_out.item(), rel=1e-6)
    W = model.decoder.layers[0].weight.detach()
    assert np.rad2deg(scipy.linalg.subspace_angles(W.numpy(), U.numpy())).max() < 0.1
    codes = model.encode(x).detach()
    A = torch.linalg.inv(U.T @ W)
    assert_close(codes - codes.mean(0), (x - mu) @ U @ A.T, rtol=1e-3, atol=1e-3)


@checks("principal-angles")
def test_singular_values_of_the_product_of_bases_are_cosines_of_the_angles():
    """Against scipy's algorithm, against the distance of the two projectors (the sine of the greatest angle),
    and against planes that were turned by known angles."""
    for seed in range(10):
        U, V = orthonormal(seed), orthonormal(seed + 100)
        angles = torch.linalg.svdvals(U.T @ V).arccos()
        assert_close(angles.flip(0), torch.from_numpy(scipy.linalg.subspace_angles(U.numpy(), V.numpy())))
        distance = torch.linalg.matrix_norm(U @ U.T - V @ V.T, ord=2)
        assert_close(angles.max().sin(), distance)
    eye = torch.eye(4, dtype=torch.float64)
    known = tensor([0.3, 1.1], dtype=torch.float64)
    turned = eye[:, :2] * known.cos() + eye[:, 2:] * known.sin()
    assert_close(torch.linalg.svdvals(eye[:, :2].T @ turned).arccos(), known)


def warp(z: Tensor) -> Tensor:
    return z.sign() * z.abs() ** 3


def unwarp(z: Tensor) -> Tensor:
    return z.sign() * z.abs() ** (1 / 3)


@checks("ae-invariance")
def test_the_loss_does_not_see_an_invertible_map_between_encoder_and_decoder():
    """With the very map of the chapter, which stands between the networks, and with an affine map that is
    folded into the weights of the encoder's last and the decoder's first layer."""
    torch.manual_seed(0)
    x = cloud()
    model = Autoencoder(MLP(D, K), MLP(K, D)).double()
    warped = model.decode(unwarp(warp(model.encode(x))))
    assert (warp(model.encode(x)) - model.encode(x)).abs().max() > 1
    assert_close(reconstruction_error(x, warped), next(model.losses(x))[1])

    A, a = normal(K, K, seed=1), normal(K, seed=2)
    moved = deepcopy(model)
    last, first = moved.encoder.layers[-1], moved.decoder.layers[0]
    with torch.no_grad():
        last.weight.copy_(A @ last.weight)
        last.bias.copy_(A @ last.bias + a)
        first.weight.copy_(first.weight @ torch.linalg.inv(A))
        first.bias.sub_(first.weight @ a)
    assert_close(moved.encode(x), model.encode(x) @ A.T + a)
    assert_close(next(moved.losses(x))[1], next(model.losses(x))[1])


@checks("jump-affine")
def test_every_affine_decoder_has_a_jump_equal_to_the_step():
    """The two expectations by exact averages: over all pairs of codes, and over one displacement for each
    column of the root of C, whose covariance is exactly 2 s^2 C. Then the package's estimate, from
    random ones."""
    z, W, step = normal(400, 3) @ normal(3, 3, seed=1), normal(3, 5, seed=2), 0.07
    pairs = torch.pdist(z @ W).square().mean()
    C = torch.from_numpy(np.cov(z.numpy().T))
    root = torch.from_numpy(scipy.linalg.sqrtm(C.numpy()).real)
    near = ((step * (2 * 3) ** 0.5 * root @ W).square().sum(1)).mean()
    assert_close((near / pairs).sqrt(), tensor(step, dtype=torch.float64))
    jump = continuity(lambda z: z @ W + 1, z, step)
    assert abs(jump.mean - step) < 4 * jump.stderr
