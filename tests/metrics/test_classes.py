"""Samples judged class by class."""

import pytest
import torch
from torch.testing import assert_close

from coursekit.metrics.classes import judge_classes, labels_of
from coursekit.metrics.frechet import frechet_distance
from coursekit.metrics.samples import judge_samples


def test_swapped_classes_are_seen_within_the_classes_alone():
    """Two classes whose samples are exchanged: the distance of all to all is 0, that within them is not."""
    torch.manual_seed(0)
    labels = torch.arange(80) % 2
    real = torch.randn(80, 2).double() + 9 * labels[:, None]
    swapped = real.reshape(40, 2, 2).flip(1).reshape(80, 2)
    found = judge_classes(real, swapped, labels, 1 - labels)
    assert_close(frechet_distance(real, swapped).mean, 0.0, atol=1e-9, rtol=0)
    assert found["class_accuracy"].mean == 0
    each = [frechet_distance(real[labels == k], real[labels != k]).mean for k in (0, 1)]
    assert_close(found["frechet_distance_within_classes"].mean, sum(each) / 2)
    assert judge_classes(real, real, labels, labels)["class_accuracy"].mean == 1


class Faithful(torch.nn.Module):
    """Puts out its condition, and sometimes the wrong one."""

    def sample(self, n, c):
        return torch.stack([c, (c * 7) % 3], 1).double()


def test_samples_are_classified_by_what_was_asked_for():
    """Every third answer is read as the next class."""
    c = torch.arange(90) % 3
    x = torch.stack([c, (c * 7) % 3], 1).double()

    def classify(x):
        wrong = torch.arange(len(x)) % 9 == 0
        return torch.nn.functional.one_hot((x[:, 0].long() + wrong) % 3, 3).double()

    found = judge_samples(Faithful(), (x, c), batch_size=45, classify=classify)
    assert found["class_accuracy"].mean == pytest.approx(8 / 9)
    assert found["frechet_distance_within_classes"].n == 30
    assert "class_accuracy" not in judge_samples(Faithful(), (x, c), batch_size=45)


def test_too_few_rows_of_a_class_are_named_before_anything_is_drawn():
    """Sampling may take hours."""
    c = torch.arange(59) % 3
    x, one_hot = c[:, None].double(), torch.nn.functional.one_hot

    class Silent(torch.nn.Module):
        def sample(self, n, c):
            raise AssertionError("drawn")

    with pytest.raises(ValueError, match="class 2 has 19 of 59 rows; expected at least 20 of each class"):
        judge_samples(Silent(), (x, c), batch_size=40, classify=lambda x: one_hot(x[:, 0].long(), 3))
    with pytest.raises(ValueError, match="class 2 has 19 of 59 rows"):
        judge_classes(x, x, c, c)


def test_labels_of_vectors_are_their_first_part():
    c = torch.tensor([[0.0, 1.0, 5.0], [1.0, 0.0, -2.0]])
    assert labels_of(c, 2).tolist() == [1, 0]
    assert labels_of(torch.tensor([3, 4]), 9).tolist() == [3, 4]
    with pytest.raises(ValueError, match="expected labels"):
        labels_of(torch.rand(4), 2)
