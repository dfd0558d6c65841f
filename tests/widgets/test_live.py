"""The live figure: every move of an input draws again."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from coursekit.widgets import Choice, Plane, Slider, explore, live

WORDS = {"title": "Which grey?", "alt": "A square of one grey."}


def panel_of(figure):
    box = live.panel(figure.figure, figure.draw, figure.figure.controls, figure.caption)
    _, image, words, *inputs, _ = box.children
    return image, inputs, words


def grey_of(image) -> int:
    pixels = np.asarray(Image.open(io.BytesIO(image.value)))
    assert (pixels == pixels[0, 0]).all()
    return int(pixels[0, 0, 0])


def test_a_slider_and_a_choice_draw_their_values():
    """Index in the widget, value in `draw`; the first picture is the first state's."""

    def draw(level, plus):
        return np.full((4, 4), (level + plus) / 255)

    controls = Slider("level", [10, 60], start=1), Choice("plus", {"none": 0, "five": 5})
    image, (slider, choice), _ = panel_of(explore(draw, *controls, **WORDS))
    assert grey_of(image) == 60
    slider.value = 0
    assert grey_of(image) == 10
    choice.value = 1
    assert grey_of(image) == 15


def test_the_axes_stay_where_the_first_state_has_them():
    """A longer label in one state moves nothing: back at the start it is the page's picture."""

    def draw(level):
        fig, ax = plt.subplots(figsize=(3, 2), layout="constrained")
        ax.barh(["x" * level], [level])
        return fig

    figure = explore(draw, Slider("level", [20, 1], start=1), **WORDS)
    image, (slider,), _ = panel_of(figure)
    first = image.value
    slider.value = 0
    assert image.value != first
    slider.value = 1
    assert image.value == first


def test_a_plane_gives_points_between_the_grid():
    """Live, the picture is that of the exact point, not of the nearest state."""
    seen = []

    def draw(z):
        seen.append(z)
        return np.full((4, 4), z[0])

    _, (x, _), _ = panel_of(explore(draw, Plane("z", [0, 0.5, 1], [0, 1]), **WORDS))
    x.value = 0.37
    assert seen[-1] == (pytest.approx(0.37), 1)


def test_the_caption_follows():
    """The first state's, then that of the values as they stand."""
    figure = explore(
        lambda level: np.zeros((4, 4)),
        Slider("level", [1, 2]),
        caption=lambda level: f"level {level}",
        **WORDS,
    )
    _, (slider,), words = panel_of(figure)
    assert words.value == "level 1"
    slider.value = 1
    assert words.value == "level 2"


def test_small_images_are_enlarged_by_whole_pixels():
    """Blurred pixels would show what the model did not draw."""
    draw = lambda level: np.eye(4) * level  # noqa: E731
    image, _, _ = panel_of(explore(draw, Slider("level", [0.5, 1], start=1), **WORDS))
    pixels = np.asarray(Image.open(io.BytesIO(image.value)))[..., 0]
    assert pixels.shape == (320, 320)
    assert (pixels == 255 * np.kron(np.eye(4), np.ones((80, 80)))).all()
