"""The call: states, pictures, errors, bundle."""

import base64
import io
import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

from coursekit import plots
from coursekit.widgets import Choice, Plane, Slider, explore

WORDS = {"title": "Which grey?", "alt": "A square of one grey."}
VIEW = "application/vnd.jupyter.widget-view+json"


def grey(level: float) -> np.ndarray:
    return np.full((6, 4), level / 255)


def data_of(figure) -> dict:
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', figure.html, re.S)[1])


def sheet_of(data: dict, k: int = 0) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data["sheets"][k].partition(",")[2]))))


def test_every_combination_is_a_state():
    """Two sliders, a choice and a plane of 2 x 3: the product of their sizes, the last axis fastest."""
    calls = []

    def draw(a, b, z):
        calls.append((a, b, z))
        return grey(len(calls))

    figure = explore(
        draw, Slider("a", [1, 2]), Choice("b", ["u", "v"]), Plane("z", [0, 1], [0, 1, 2]), **WORDS
    )
    assert figure.n_states == len(calls) == 24
    assert calls[:4] == [(1, "u", (0, 0)), (1, "u", (0, 1)), (1, "u", (0, 2)), (1, "u", (1, 0))]
    assert calls[-1] == (2, "v", (1, 2))


def test_a_tile_holds_the_exact_pixels_of_its_state():
    """Up to 256 colours nothing is lost; tile t stands in column t % columns."""
    data = data_of(explore(grey, Slider("level", range(0, 250, 25)), **WORDS))
    sheet, (w, h) = sheet_of(data), data["size"]
    for state, level in enumerate(range(0, 250, 25)):
        row, column = divmod(data["tiles"][state], data["columns"])
        assert (sheet[row * h : row * h + h, column * w : column * w + w] == level).all()


def test_axes_stay_in_place_from_state_to_state():
    """Longer tick labels would move the frame of a figure that is laid out anew: the eye would see a jump."""
    figures = []

    def draw(height):
        with plt.rc_context({"figure.constrained_layout.use": True}):
            figure, ax = plt.subplots(figsize=(2, 2))
        ax.plot([0, 1], [0, height])
        figures.append(figure)
        return figure

    explore(draw, Slider("height", [1, 100_000]), **WORDS)
    first, second = (figure.axes[0].get_position(original=True).bounds for figure in figures[:2])
    assert first == pytest.approx(second)


def test_equal_pictures_are_stored_once():
    """A control without effect costs nothing."""
    data = data_of(
        explore(lambda level, other: grey(level), Slider("level", [0, 9]), Slider("other", range(9)), **WORDS)
    )
    assert sorted(set(data["tiles"])) == [0, 1]
    assert len(data["tiles"]) == 18


def test_floats_are_scaled_alike_in_all_states():
    """One negative value anywhere means that black is -1 everywhere."""
    data = data_of(explore(lambda v: np.full((2, 2), v), Slider("v", [-1.0, 0.0, 1.0]), **WORDS))
    assert [
        sheet_of(data)[2 * (t // data["columns"]), 2 * (t % data["columns"]), 0] for t in data["tiles"]
    ] == [0, 128, 255]


def test_colour_tensors_with_channels_first_are_understood():
    """What a model returns can be shown as it is."""
    torch = pytest.importorskip("torch")
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(3, 1, 1).expand(3, 8, 8)
    data = data_of(explore(lambda v: red * v, Slider("v", [0.2, 1.0]), **WORDS))
    assert sheet_of(data)[0, 8].tolist() == [255, 0, 0]


def curve(variance: float, kind: str = "line"):
    fig, ax = plt.subplots(figsize=(4, 2))
    ax.plot([0, 1, 2], [0, variance, 1])
    return fig


def test_the_same_figure_is_the_same_text():
    """The notebook cache and diffs of pages rest on it."""
    plots.theme()
    once, twice = (explore(curve, Slider("variance", [1, 2, 3]), **WORDS) for _ in range(2))
    assert once.html == twice.html


def test_no_figure_stays_open():
    """Else the notebook would show every state below the cell."""
    explore(curve, Slider("variance", [1, 2, 3]), **WORDS)
    assert plt.get_fignums() == []


def test_titles_and_labels_are_text_not_markup():
    """A less-than sign in a title, a quote in a label and a script's end in a caption stay what they are."""
    figure = explore(
        grey,
        Slider("level", [0, 1], label='a "quoted" <label>'),
        title="x < y & z",
        alt='<img src="x">',
        caption=lambda level: "</script><script>alert(1)</script>",
    )
    assert "x &lt; y &amp; z" in figure.html
    assert "a &quot;quoted&quot; &lt;label&gt;" in figure.html
    assert '<img src="x">' not in figure.html
    assert figure.html.count("<script") == 2
    assert data_of(figure)["captions"][0].startswith("</script>")


def test_the_page_shows_what_was_asked_first():
    """Without a script, and in print, the first state's picture stands there with its description."""
    figure = explore(grey, Slider("level", [10, 20, 30], start=2), **WORDS)
    poster = re.search(r'<img alt="A square of one grey." [^>]*base64,([^"]+)"', figure.html)[1]
    assert (np.asarray(Image.open(io.BytesIO(base64.b64decode(poster)))) == 30).all()


def test_numbers_are_written_for_readers():
    """A true minus sign, the format asked for, subscripts in labels."""
    figure = explore(grey, Slider("level", [-0.5, 1], label="z_1", format=".2f"), **WORDS)
    assert data_of(figure)["axes"] == [{"label": "z₁", "texts": ["−0.50", "1.00"]}]


def test_a_heavy_figure_is_refused_with_its_size():
    """Noise can't be compressed: the author learns it here, and not the reader."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 300, 300, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"'Which grey\?' with 12 states has \d+ kB; expected at most 500"):
        explore(lambda k: noise[k], Slider("k", range(12)), **WORDS)


def test_too_many_states_are_refused_before_any_is_drawn():
    """The count is known beforehand."""

    def draw(a, b):
        raise AssertionError("drawn")

    with pytest.raises(ValueError, match="40 x 40 = 1600 states; expected at most 1000"):
        explore(draw, Slider("a", range(40)), Slider("b", range(40)), **WORDS)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Slider("a b", [1, 2]), ValueError, "named 'a b'"),
        (lambda: Slider("a", [1]), ValueError, "'a' has 1 values; expected at least 2"),
        (lambda: Slider("a", [1, 2], start=2), ValueError, "'a' starts at index 2; expected one of 0 to 1"),
        (lambda: Plane("z", [0, 1, 5], [0, 1]), ValueError, "values of x in 'z' are not evenly spaced"),
        (lambda: Plane("z", [1, 0], [0, 1]), ValueError, "not evenly spaced and rising"),
        (lambda: Plane("z", [0, 1], [0, 1], background="tile"), TypeError, "background is 'tile'"),
        (lambda: explore(grey, **WORDS), ValueError, "at least one"),
        (
            lambda: explore(grey, Slider("x", [1, 2]), **WORDS),
            TypeError,
            "keywords x: missing a required argument",
        ),
        (lambda: explore(lambda level: None, Slider("level", [1, 2]), **WORDS), TypeError, "returned None"),
        (lambda: explore(lambda level: "text", Slider("level", [1, 2]), **WORDS), TypeError, "returned str"),
        (
            lambda: explore(lambda level: np.zeros((level, 4)), Slider("level", [1, 2]), **WORDS),
            ValueError,
            "image 1 x 4, image 2 x 4; expected one size",
        ),
        (lambda: explore(grey, Slider("level", [1, 2]), title=" ", alt="a"), ValueError, "title is ' '"),
    ],
)
def test_errors_name_the_value(make, error, message):
    """Each mistake an author can make is named where it enters."""
    with pytest.raises(error, match=message):
        make()


def test_without_a_kernel_there_is_only_the_twin():
    """A live widget without a kernel would be dead."""
    bundle = explore(grey, Slider("level", [1, 2]), **WORDS)._repr_mimebundle_()
    assert bundle["text/plain"] == "Which grey?: A square of one grey."
    assert set(bundle) == {"text/plain", "text/html"}


@pytest.fixture
def kernel(monkeypatch):
    """A shell that says it belongs to a kernel."""
    shell = InteractiveShell()
    shell.kernel = None
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)


def test_with_a_kernel_both_are_in_one_bundle(kernel):
    """The front end takes the live one where it can, a built page the twin."""
    bundle = explore(grey, Slider("level", [1, 2]), **WORDS)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", VIEW}
    assert set(bundle[VIEW]) == {"version_major", "version_minor", "model_id"}


def test_a_static_run_leaves_the_live_one_out(kernel, monkeypatch):
    """A live widget has a new random name in every run; pages want the same output each time."""
    monkeypatch.setenv("COURSEKIT_STATIC", "1")
    assert VIEW not in explore(grey, Slider("level", [1, 2]), **WORDS)._repr_mimebundle_()


def test_without_ipywidgets_there_is_only_the_twin(kernel, monkeypatch):
    """The package is an extra."""
    monkeypatch.setitem(__import__("sys").modules, "ipywidgets", None)
    assert VIEW not in explore(grey, Slider("level", [1, 2]), **WORDS)._repr_mimebundle_()
