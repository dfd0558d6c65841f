"""The classifier: its loss by hand, and features that can be relied on."""

import pytest
import torch
from torch.testing import assert_close

from coursekit.metrics.accuracy import accuracy
from coursekit.models.classifier import Classifier
from coursekit.nets import ConvFeatures

SHAPE = (1, 8, 8)


@pytest.fixture
def model() -> Classifier:
    torch.manual_seed(0)
    return Classifier(ConvFeatures(SHAPE, 6, width=4), 6, 3, dropout=0.5)


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(7, *SHAPE, generator=torch.Generator().manual_seed(1))


def test_the_loss_is_minus_the_log_of_the_labels_probability(model, x):
    """Read from the table of probabilities instead."""
    labels = torch.arange(7) % 3
    ((player, loss),) = model.eval().losses(x, labels)
    assert player == "model"
    assert_close(loss, -model.probabilities(x)[torch.arange(7), labels].log().mean())
    with pytest.raises(ValueError, match="learns from labels"):
        next(model.losses(x))


def test_the_features_are_all_that_the_labels_are_read_from(model, x):
    """Two images with equal features have equal probabilities."""
    logits = model.eval().features(x) @ model.head.weight.T + model.head.bias
    assert_close(model(x), logits)
    assert_close(model.probabilities(x), logits.softmax(1))


def test_features_in_evaluation_mode_depend_on_no_other_row(model, x):
    """Else a distance of features would depend on the batches."""
    model.train()(5 * x)  # moves the running statistics
    features = model.eval().features(x)
    assert (features >= 0).all()
    assert_close(torch.cat([model.features(row[None]) for row in x]), features)


def test_every_parameter_learns(model, x):
    """Gradients that are finite and not zero."""
    ((_, loss),) = model.losses(x, torch.arange(7) % 3)
    for grad in torch.autograd.grad(loss, list(model.parameters())):
        assert grad.isfinite().all()
        assert grad.abs().sum() > 0


def test_accuracy_counts_the_hits():
    """Seven rows of known answers, in batches that do not divide them; no labels is an error."""
    x, labels = torch.eye(7)[:, :5], torch.tensor([0, 1, 2, 0, 0, 1, 1])
    found = accuracy(torch.nn.Identity(), (x, labels), batch_size=3)  # a row of zeros answers 0
    assert found.mean == pytest.approx(3 / 7)
    assert found.n == 7
    with pytest.raises(ValueError, match="without labels"):
        accuracy(torch.nn.Identity(), x)
