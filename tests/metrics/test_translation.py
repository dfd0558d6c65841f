"""Measures of translation, where the answer is known: a perfect translator, and one that does nothing."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from coursekit.data import ImageSet, PairedSet, UnpairedSet, digits
from coursekit.metrics.frechet import frechet_distance
from coursekit.metrics.translation import judge_domains, judge_pairs

DIGITS = digits(train=False)[:80]


def sums(x: torch.Tensor) -> torch.Tensor:
    """Features: the sums of rows and of columns."""
    return torch.cat([x.sum(2).flatten(1), x.sum(3).flatten(1)], 1)


def looked_up(x: torch.Tensor) -> torch.Tensor:
    """Knows a digit by looking it up."""
    same = (x[:, None] == DIGITS.x).flatten(2).all(2)  # (B, 80)
    return same.float() @ nn.functional.one_hot(DIGITS.y, 10).float()


READ = sums, looked_up


class Dark(nn.Module):
    """Everything darker by an amount, there; and back."""

    def __init__(self, amount: float):
        super().__init__()
        self.amount = nn.Parameter(torch.tensor(amount))

    def sample(self, n, c):
        return c - self.amount

    def encode(self, x):
        return x - self.amount

    def decode(self, z):
        return z + self.amount


def colourful(images: ImageSet) -> ImageSet:
    """Three channels, the brightest of them the image."""
    rgb = torch.cat([images.images // 2, images.images, images.images // 4], 1)
    return ImageSet(rgb, images.labels, levels=images.levels)


@pytest.mark.parametrize("paint", [lambda x: x, colourful])
def test_a_perfect_translation_has_no_error_and_keeps_all(paint):
    """In grey, and in colours that are read by their brightest channel."""
    pictures = paint(DIGITS)
    found = judge_pairs(Dark(0.0), PairedSet(pictures, pictures), *READ, n=70, batch_size=30)
    assert found["l1_error"].mean == 0
    assert found["content_kept"].mean == 1
    assert found["content_kept"].n == 70
    assert abs(found["frechet_distance"].mean) < 1e-6


def test_a_shift_of_all_pixels_is_the_error():
    """And no digit is what the reader knows any more, so all are taken for a 0."""
    found = judge_pairs(Dark(0.25), PairedSet(DIGITS, DIGITS), *READ, n=80)
    assert found["l1_error"].mean == pytest.approx(0.25)
    assert found["content_kept"].mean == pytest.approx((DIGITS.y == 0).float().mean().item())


def test_both_directions_are_judged_by_the_kind_they_lead_to():
    """There and back is no error at all; the distances are those of shifted features, written out."""
    kinds = UnpairedSet(DIGITS[:40], DIGITS[40:])
    found = judge_domains(Dark(0.25), kinds, *READ, n=40, batch_size=15)
    assert_close(found["cycle_error_to_b"].mean, 0.0, atol=1e-7, rtol=0)
    for way, source, target, shift in (("to_b", kinds.a, kinds.b, -0.25), ("to_a", kinds.b, kinds.a, 0.25)):
        features = [READ[0](x).double() for x in (target.x, source.x + shift)]
        assert_close(
            found[f"frechet_distance_{way}"].mean, frechet_distance(*features).mean, rtol=1e-4, atol=0
        )
    still = judge_domains(Dark(0.0), kinds, *READ, n=40)
    assert still["content_kept_to_b"].mean == still["content_kept_to_a"].mean == 1


def test_images_of_another_shape_are_no_answer():
    """They would be broadcast against the targets."""
    rgb = colourful(DIGITS)
    with pytest.raises(ValueError, match=r"made images of \(80, 1, 8, 8\); expected \(80, 3, 8, 8\)"):
        judge_pairs(Dark(0.0), PairedSet(rgb, DIGITS), *READ, n=80)


@pytest.mark.parametrize("judge", [judge_pairs, judge_domains])
def test_the_callers_reader_is_left_where_it_was(judge, device):
    """Reading happens on the model's device; `--device cuda` tells."""
    data = PairedSet(DIGITS, DIGITS) if judge is judge_pairs else UnpairedSet(DIGITS, DIGITS)
    read = []

    def classify(x):
        read.append(x.device.type)
        return x.flatten(1)

    judge(Dark(0.0).to(device), data, lambda x: x.flatten(1), classify, n=40)
    assert set(read) == {device.type}
