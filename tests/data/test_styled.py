"""Glyphs with class and style as one condition."""

import torch
from torch.testing import assert_close

from coursekit.data import small_glyphs, style, styled_glyphs
from coursekit.data.small import PLAIN


def test_a_style_holds_class_weight_and_slant():
    """Both ends of each range become -1 and 1; one number serves all rows."""
    c = style(torch.tensor([3, 0]), torch.tensor([0.0, 1.0]), torch.tensor([0.3, -0.25]))
    assert_close(c[:, 10:], torch.tensor([[-1.0, 1.0], [1.0, -1.0]]))
    assert c[:, :10].argmax(1).tolist() == [3, 0]
    assert_close(c[:, :10].sum(1), torch.ones(2))
    assert_close(style(torch.tensor([3, 0]), 0.5, 0.025)[:, 10:], torch.zeros(2, 2))


def test_each_images_style_is_its_own_and_the_fonts_stay_open():
    chosen = styled_glyphs(300, progress=False)
    assert chosen.shape == small_glyphs(30, progress=False).shape == (1, 14, 14)
    expected = style(chosen.labels, chosen.factors["weight"], chosen.factors["slant"])
    x, c = chosen.conditioned("style").batch(0, 8)
    rows = [(chosen.x == image).flatten(1).all(1).nonzero().item() for image in x]
    assert_close(c, expected[rows])
    assert chosen.factors["font"].unique().tolist() == list(range(len(PLAIN)))
    assert chosen.factors["angle"].abs().max() < 0.08
