"""Grids and strips of images: every pixel where it belongs."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from coursekit import plots


def shown(ax) -> np.ndarray:
    return np.asarray(ax.images[0].get_array())


def test_images_stand_row_by_row():
    """The image after the last of a row opens the next row, and what is left stays white."""
    x = torch.arange(5).div(10).reshape(5, 1, 1, 1).expand(5, 1, 2, 2)
    sheet = shown(plots.images(x, ncol=3, pad=1))
    assert sheet.shape == (5, 8)
    assert_allclose(sheet[::3, ::3], [[0.0, 0.1, 0.2], [0.3, 0.4, 1.0]])
    assert_allclose(sheet[2], 1.0)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (torch.tensor([-1.0, 0.0, 1.0]), [0, 0.5, 1]),
        (torch.tensor([0.0, 0.5, 1.0]), [0, 0.5, 1]),
        (torch.tensor([-1.5, 0.0, 2.0]), [0, 0.5, 1]),
        (torch.tensor([0, 51, 255], dtype=torch.uint8), [0, 0.2, 1]),
    ],
)
def test_images_know_their_range(x, expected):
    """Below zero means [-1, 1]; bytes mean 0 to 255; a sample beyond the range is clipped, not rescaled."""
    assert_allclose(shown(plots.images(x.reshape(3, 1, 1, 1), pad=0)), [expected], atol=1e-6)


def test_a_range_that_is_given_is_taken():
    """A batch in [-1, 1] without a dark pixel would be taken for [0, 1]."""
    bright = torch.full((1, 1, 2, 2), 0.5)
    assert_allclose(shown(plots.images(bright, value_range=(-1, 1))), 0.75)


def test_colour_images_keep_their_channels():
    """Channels first becomes channels last."""
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    assert_allclose(shown(plots.images(red)), [[[1, 0, 0]]])


def test_images_name_a_wrong_shape():
    """Two channels are neither grey nor colour."""
    with pytest.raises(ValueError, match=r"shape \(4, 2, 8, 8\); expected \(B, 1, H, W\)"):
        plots.images(torch.zeros(4, 2, 8, 8))


def test_strips_have_their_names_at_the_left():
    """One strip a name, in order, and a name above each column of the first."""
    fig = plots.strips({"data": torch.zeros(3, 1, 4, 4), "copy": torch.ones(3, 1, 4, 4)}, columns="abc")
    first, second = fig.axes
    assert [text.get_text() for text in first.texts] == ["data", "a", "b", "c"]
    assert [text.get_text() for text in second.texts] == ["copy"]
    assert shown(second).min() == 1


def test_strips_of_different_lengths_are_refused():
    """Columns would not correspond."""
    with pytest.raises(ValueError, match="'copy' has 2 images; expected 3"):
        plots.strips({"data": torch.zeros(3, 1, 4, 4), "copy": torch.ones(2, 1, 4, 4)})
