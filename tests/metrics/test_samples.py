"""Metrics of samples, against closed forms, against peers on the same features, and against cheats."""

import math
import warnings

import pytest
import torch
from prdc import compute_prdc
from scipy.linalg import sqrtm
from torch import Tensor, nn, tensor
from torch.testing import assert_close
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from coursekit.metrics.features import extract
from coursekit.metrics.frechet import frechet_distance, gaussian_frechet
from coursekit.metrics.kid import kernel_distance
from coursekit.metrics.modes import modes, nearest_mode, recognized
from coursekit.metrics.precision_recall import density_coverage, precision_recall

D = 6


def normal(n: int, seed: int, dims: int = D) -> Tensor:
    return torch.randn(n, dims, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    """Two sets that differ in mean, covariance and size."""
    return normal(400, 0), 0.3 + normal(300, 1) @ (torch.eye(D) + 0.2 * normal(D, 2)).double()


class Flat(nn.Module):
    """What torchmetrics takes for a feature network."""

    num_features = D

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_diagonal_covariances_give_the_hand_formula():
    """Commuting matrices have roots that commute: |m - n|^2 + sum (a_d - b_d)^2 of standard deviations."""
    m, n, a, b = normal(4, 0).unbind()
    a, b = a.abs(), b.abs()
    found = gaussian_frechet(m, a.square().diag(), n, b.square().diag())
    assert_close(found, (m - n).square().sum() + (a - b).square().sum())


def test_the_distance_agrees_with_the_matrix_root_of_the_product():
    """tr (A B)^(1/2), as the formula is mostly written, with scipy's general root."""
    a, b = (normal(D, seed) for seed in (0, 1))
    a, b, m = a @ a.T, b @ b.T, normal(1, 2)[0]
    root = tensor(sqrtm((a @ b).numpy()).real)
    assert_close(gaussian_frechet(m, a, 0 * m, b), m.square().sum() + (a + b - 2 * root).trace())


def test_a_covariance_without_full_rank_is_no_trouble():
    """A feature that never fires has variance 0; the root must not turn rounding into NaN."""
    flat = torch.diag(tensor([1.0, 4.0, 0.0], dtype=torch.float64))
    zero = torch.zeros(3, dtype=torch.float64)
    assert_close(gaussian_frechet(zero, flat, zero, flat).item(), 0.0)
    assert_close(gaussian_frechet(zero, flat, zero, 0 * flat).item(), 5.0)


def test_frechet_and_kernel_distance_agree_with_torchmetrics(pair):
    """The same features through another library; one subset with all rows is its form of all pairs."""
    a, b = pair[0][:300], pair[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peers = [
            FrechetInceptionDistance(Flat()),
            KernelInceptionDistance(Flat(), subsets=1, subset_size=300),
        ]
    for peer in peers:
        peer.update(a, real=True)
        peer.update(b, real=False)
    assert_close(frechet_distance(a, b).mean, peers[0].compute().item(), rtol=1e-9, atol=0)
    assert_close(kernel_distance(a, b).mean, peers[1].compute()[0].item(), rtol=1e-9, atol=0)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_recall_density_coverage_agree_with_prdc(pair, k):
    """All four, with sets of different sizes."""
    peer = compute_prdc(pair[0].numpy(), pair[1].numpy(), k)
    ours, balls = precision_recall(*pair, k=k), density_coverage(*pair, k=k)
    found = [ours.precision.mean, ours.recall.mean, balls.density.mean, balls.coverage.mean]
    expected = [peer[name] for name in ("precision", "recall", "density", "coverage")]
    assert len({0, 1, *expected}) == 6
    assert_close(found, expected)


def test_the_kernel_distance_of_moved_gaussians_is_known():
    """In one dimension E (x y + 1)^3 is a sum of products of moments: here of N(0, 1) and N(1, 1)."""
    moments = {0: (1, 0, 1, 0), 1: (1, 1, 2, 4)}  # E x^j, j = 0 .. 3
    kernel = {(i, j): sum(math.comb(3, p) * moments[i][p] * moments[j][p] for p in range(4)) for i in (0, 1)
              for j in (0, 1)}  # fmt: skip
    expected = kernel[0, 0] + kernel[1, 1] - 2 * kernel[0, 1]
    found = kernel_distance(normal(1500, 0, 1), 1 + normal(1500, 1, 1))
    assert abs(found.mean - expected) < 4 * found.stderr
    assert found.stderr < expected / 5


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_the_stated_error_is_the_spread_over_fresh_sets(distance):
    """Fifty pairs of sets that differ: the mean stated error lies near their standard deviation."""
    runs = [distance(normal(200, 2 * s, 2), 1 + normal(200, 2 * s + 1, 2)) for s in range(50)]
    spread = tensor([run.mean for run in runs]).std().item()
    assert sum(run.stderr for run in runs) / 50 == pytest.approx(spread, rel=0.35)


def test_few_rows_bias_the_frechet_distance_and_not_the_kernel_distance():
    """Equal distributions: the one is far above zero and halves with twice the rows, the other is zero."""
    found = {}
    for n in (100, 200):
        pairs = [(normal(n, 2 * s), normal(n, 2 * s + 1)) for s in range(20)]
        found[n] = tensor([frechet_distance(*pair).mean for pair in pairs])
        kernels = tensor([kernel_distance(*pair).mean for pair in pairs])
        assert abs(kernels.mean()) < 3 * kernels.std() / 20**0.5
    assert found[200].min() > 0
    assert (found[100].mean() / found[200].mean()).item() == pytest.approx(2, rel=0.15)


def test_a_feature_function_is_the_same_as_its_features(pair):
    """Data and a callable, in batches, or the vectors themselves."""

    def net(x: Tensor) -> Tensor:
        assert len(x) <= 64
        return x[:, :2] ** 2

    assert_close(extract(pair[0], net, 64), pair[0][:, :2] ** 2)
    for metric in (frechet_distance, kernel_distance, precision_recall, density_coverage):
        assert metric(*pair, features=torch.tanh) == metric(*(x.tanh() for x in pair))


def test_copies_of_the_data_are_perfect_by_every_measure():
    """Who remembers the data can't be told from who understands them."""
    x = normal(500, 0)
    copies = x[torch.randperm(500)]
    assert frechet_distance(x, copies).mean < 1e-9
    assert kernel_distance(x, copies).mean < 0
    assert precision_recall(x, copies).precision.mean == precision_recall(x, copies).recall.mean == 1


def test_two_distances_pass_over_what_moments_do_not_show():
    """Corners of a cube have the mean, covariance and third moments of a Gaussian; recall sees the rest."""
    x, corners = normal(1000, 0, 2), normal(1000, 1, 2).sign()
    assert frechet_distance(x, corners).mean < 0.02
    assert abs(kernel_distance(x, corners).mean) < 0.1
    assert precision_recall(x, corners).recall.mean == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_good_image_per_mode_keeps_precision_and_loses_recall(dtype):
    """Balls around repeated points have no size, and no rounding gives them any."""
    x = torch.cat([normal(200, s) + 20 * s for s in range(3)]).to(dtype)
    centres = torch.stack([part[part.norm(dim=1).argmin()] for part in x.split(200)])
    found = precision_recall(x, centres.repeat(200, 1))
    assert found.precision.mean == 1
    assert found.recall.mean == pytest.approx(3 / 600)


def test_one_stray_image_among_the_samples_gives_recall_and_no_coverage():
    """The k-th neighbour of points far off spans everything between: density and coverage do not use it."""
    real, fake = normal(500, 0), normal(500, 1) + 50
    stray = torch.cat([fake[1:], -fake[:1]])
    assert precision_recall(real, fake).recall.mean == 0
    assert precision_recall(real, stray).recall.mean == 1
    assert density_coverage(real, stray).coverage.mean == 0


def test_what_the_features_do_not_see_costs_nothing(pair):
    """Noise in pixels that the network ignores."""
    a, b = pair
    noisy = torch.cat([b[:, :3], 100 * normal(300, 5, 3)], 1)
    for metric in (frechet_distance, kernel_distance, precision_recall):
        assert metric(a, noisy, features=lambda x: x[:, :3]) == metric(a, b, features=lambda x: x[:, :3])


def test_modes_count_what_lies_within_the_radius():
    """Five points by hand: two at the first centre, one at the last, one too far, one on the border."""
    centres = tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    x = tensor([[0.1, 0.0], [0.0, -0.2], [2.0, 2.0], [0.0, 4.1], [0.0, 5.0]])
    assigned = nearest_mode(x, centres, 1.0)
    assert assigned.tolist() == [0, 0, -1, 2, 2]
    found = modes(assigned, 3)
    assert found.counts.tolist() == [2, 0, 2]
    assert (found.covered, found.high_quality.mean) == (2, 0.8)
    assert modes(assigned, 3, least=3).covered == 0
    assert found.kl == pytest.approx(math.log(3 / 2))


def test_the_divergence_of_modes_is_zero_for_the_datas_shares():
    """And log K where one mode has all; infinite where no sample is good."""
    assigned = torch.arange(10).repeat_interleave(torch.arange(1, 11))
    assert modes(assigned, 10, shares=torch.arange(1, 11) / 55).kl == pytest.approx(0, abs=1e-6)
    assert modes(torch.zeros(9).long(), 10).kl == pytest.approx(math.log(10))
    assert modes(-torch.ones(9).long(), 10).kl == math.inf


def test_a_class_counts_where_the_classifier_is_sure():
    """The threshold itself counts."""
    p = tensor([[0.9, 0.1], [0.2, 0.8], [0.05, 0.95]])
    assert recognized(p, lambda x: x, 0.9).tolist() == [0, -1, 1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: frechet_distance(normal(20, 0), normal(10, 0)), "got 20 and 10 rows; expected at least 20"),
        (lambda: kernel_distance(normal(5, 0), normal(5, 0, 2)), "6 and 2 dimensions; expected the same"),
        (lambda: kernel_distance(normal(5, 0)[:, None], normal(5, 0)), r"shape \(5, 1, 6\) for 5 rows"),
        (lambda: kernel_distance(normal(5, 0).log(), normal(5, 0)), "features of row 0 are not finite"),
        (lambda: precision_recall(normal(5, 0), normal(5, 0), k=0), "k is 0; expected"),
        (lambda: precision_recall(normal(5, 0), normal(3, 0)), "expected at least 4 of each"),
        (lambda: modes(tensor([0, 3]), 3), r"each in -1 \.\. 2, got"),
        (lambda: modes(tensor([]), 3), "at least one mode"),
        (lambda: nearest_mode(normal(5, 0), normal(5, 0), 0.0), "radius must be positive, got 0.0"),
        (lambda: recognized(normal(5, 0), torch.exp, 90), r"\(0, 1\], got 90"),
    ],
)
def test_wrong_arguments_are_named(call, words):
    """The message says which value and what was expected."""
    with pytest.raises(ValueError, match=words):
        call()
