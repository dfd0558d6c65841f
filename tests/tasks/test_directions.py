"""Directions in latent space against planes that are known, and against scikit-learn's fit."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor
from torch.testing import assert_close

from coursekit.tasks import Direction, find_direction


def draws(n: int, seed: int = 0, dims: int = 5) -> Tensor:
    return torch.randn(n, dims, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


NORMAL = draws(1, 9)[0] / draws(1, 9)[0].norm()


def test_the_normal_of_the_plane_between_two_classes_is_found():
    """Codes on both sides of a known plane, a tenth of the labels wrong."""
    z = draws(4000)
    labels = (z @ NORMAL > 0.5) ^ (torch.rand(4000, generator=torch.Generator().manual_seed(1)) < 0.1)
    found = find_direction(z, labels)
    assert found.normal @ NORMAL > 0.99
    assert found.normal.norm().item() == pytest.approx(1)
    assert -found.offset / found.slope == pytest.approx(0.5, abs=0.1)  # where the plane crosses the normal


@pytest.mark.parametrize("l2", [0.1, 10.0])
def test_the_logistic_fit_agrees_with_scikit_learn(l2):
    """The same penalty, its weight the inverse of C."""
    z = draws(300)
    labels = (z @ NORMAL + 0.5 * draws(300, 2)[:, 0] > 0.3).long()
    peer = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=1000).fit(z, labels)
    found = find_direction(z, labels, l2)
    assert_close(found.slope * found.normal, torch.tensor(peer.coef_[0]), rtol=1e-5, atol=1e-6)
    assert found.offset == pytest.approx(peer.intercept_[0], rel=1e-5)


def test_the_least_squares_fit_agrees_with_scikit_learn():
    z = draws(300)
    labels = 3 * z @ NORMAL + draws(300, 2)[:, 0] + 7
    peer = Ridge(alpha=4.0).fit(z, labels)
    found = find_direction(z, labels, 4.0)
    assert_close(found.slope * found.normal, torch.tensor(peer.coef_))
    assert_close(found.fitted(z), torch.tensor(peer.predict(z)))


def test_classes_that_a_plane_parts_keep_a_finite_fit():
    """Without the penalty the slope would grow without end."""
    z = torch.cat([draws(50) + 20, draws(50, 1) - 20])
    found = find_direction(z, torch.arange(100) < 50, l2=1e-3)
    assert found.normal.isfinite().all()
    assert ((found.fitted(z) > 0) == (torch.arange(100) < 50)).all()


def test_a_move_changes_the_fitted_label_by_the_slope():
    """And nothing but the component along the normal."""
    direction, z = Direction(NORMAL, 2.5, 0.3), draws(7)
    moved = direction.move(z, -1.5)
    assert_close(direction.fitted(moved), direction.fitted(z) - 2.5 * 1.5)
    assert_close((moved - z).norm(dim=1), torch.full((7,), 1.5, dtype=torch.float64))


def test_a_direction_without_others_leaves_their_labels_alone():
    """Correlated labels share a part of their directions; the others need not be orthogonal."""
    one, z = Direction(NORMAL, 2.0, 0.0), draws(7)
    axes = torch.eye(5, dtype=torch.float64)
    others = Direction(axes[0], 3.0, 1.0), Direction((axes[0] + axes[3]) / 2**0.5, 1.0, 0.0)
    rest = one.without(*others)
    for other in others:
        assert_close(other.fitted(rest.move(z, 4.0)), other.fitted(z))
    assert rest.normal.norm().item() == pytest.approx(1)
    assert_close((one.fitted(rest.move(z, 1.0)) - one.fitted(z))[0].item(), rest.slope)
    with pytest.raises(ValueError, match="nothing is left"):
        one.without(others[0], Direction(-NORMAL, 1.0, 0.0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: find_direction(draws(5), torch.ones(4)), r"\(5, 5\), labels \(4,\)"),
        (lambda: find_direction(draws(5), torch.ones(5)), "labels are all the same"),
        (lambda: find_direction(draws(5), torch.arange(5)), r"hold \[0, 1, 2, 3, 4\]; expected 0 and 1"),
        (lambda: find_direction(draws(5), torch.arange(5) > 2, l2=0.0), "l2 must be positive, got 0.0"),
        (lambda: find_direction(torch.zeros(5, 2), torch.arange(5) > 2), "do not depend on the codes"),
    ],
)
def test_wrong_arguments_are_named(call, words):
    """The message says which value and what was expected."""
    with pytest.raises(ValueError, match=words):
        call()
