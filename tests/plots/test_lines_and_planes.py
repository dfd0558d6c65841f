"""Curves, densities and points."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.distributions import MultivariateNormal

from coursekit import plots
from coursekit.train.history import History


def test_curves_draws_each_series_over_its_own_steps():
    """A series that is logged less often keeps its steps."""
    history = History([{"step": 1, "critic": 3.0}, {"step": 2, "critic": 2.0, "generator": 1.0}])
    ax = plots.curves(history)
    lines = {line.get_label(): line.get_xdata() for line in ax.lines[::2]}
    assert_allclose(lines["critic"], [1, 2])
    assert_allclose(lines["generator"], [2])
    assert {text.get_text() for text in ax.texts} == {"critic", "generator"}


def test_curves_names_a_series_that_is_not_there():
    """A typing error shows what could have been meant."""
    with pytest.raises(ValueError, match="no series 'modle'; it has 'model'"):
        plots.curves({"model": [1.0, 2.0]}, names=["modle"])


def test_curves_refuses_what_is_no_history():
    """The error says what a history is."""
    with pytest.raises(TypeError, match=r"history is float; expected \.records"):
        plots.curves(3.0)


def test_smooth_is_a_mean_over_the_window():
    """Against NumPy's convolution away from the ends; the ends average over what there is."""
    y = np.random.default_rng(0).normal(size=50)
    assert_allclose(plots.smooth(y, 5)[2:-2], np.convolve(y, np.ones(5) / 5, "valid"))
    assert_allclose(plots.smooth(y, 5)[0], y[:3].mean())


def test_a_label_stands_at_the_end_of_its_line():
    """In the line's colour, with the line's name."""
    _, ax = plt.subplots()
    (line,) = ax.plot([0, 1, 2], [5, 6, 8], label="VAE", color="#123456")
    label = plots.label_line(line)
    assert (label.get_text(), label.get_color(), label.xy) == ("VAE", "#123456", (2, 8))
    assert plots.label_line(line, x=0.5).xy == (0.5, 5.5)


def test_density_is_the_exponential_at_each_grid_point():
    """x runs to the right and y upwards: tested with a density that is not symmetric."""
    p = MultivariateNormal(torch.tensor([1.0, -2.0]), torch.eye(2))
    ax = plots.density(p.log_prob, extent=(-3, 3, -4, 4), n=9)
    shown = np.asarray(ax.images[0].get_array())
    x, y = np.linspace(-3, 3, 9)[6], np.linspace(-4, 4, 9)[1]
    assert_allclose(shown[1, 6], p.log_prob(torch.tensor([x, y])).exp(), rtol=1e-5)
    assert ax.images[0].origin == "lower"


def test_many_points_become_pixels():
    """Ten thousand marks as vectors would make a page of megabytes."""
    few, many = plots.scatter(np.zeros((10, 2))), plots.scatter(np.zeros((10_000, 2)))
    assert not few.collections[0].get_rasterized()
    assert many.collections[0].get_rasterized()


def test_scatter_names_a_wrong_shape():
    """Coordinates lie along the second axis."""
    with pytest.raises(ValueError, match=r"shape \(2, 7\); expected \(N, 2\)"):
        plots.scatter(np.zeros((2, 7)))


def test_latent_names_each_class_where_it_lies():
    """At the median, which a few stray codes don't move."""
    codes = torch.tensor([[0.0, 0.0], [0.0, 2.0], [90.0, 1.0], [50.0, 50.0]])
    ax = plots.latent(codes, torch.tensor([0, 0, 0, 1]), names=["zero", "one"])
    assert {t.get_text(): t.get_position() for t in ax.texts} == {"zero": (0, 1), "one": (50, 50)}


def test_latent_names_of_classes_at_one_place_stand_side_by_side():
    """Written over one another they could not be read."""
    labels = torch.arange(3).repeat(100)
    codes = torch.randn(300, 2, generator=torch.Generator().manual_seed(0)) + 0.01 * labels[:, None]
    first, second, third = (np.array(t.get_position()) for t in plots.latent(codes, labels).texts)
    for a, b in ((first, second), (second, third), (first, third)):
        assert 0.3 < np.linalg.norm(a - b) < 0.8


def test_latent_wants_one_label_a_code():
    """A shifted batch of labels would colour every point wrongly."""
    with pytest.raises(ValueError, match="4 codes and 3 labels"):
        plots.latent(torch.zeros(4, 2), torch.zeros(3))
