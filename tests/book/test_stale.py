"""A figure that would draw something else at the end of its page is found."""

import pytest

from coursebook.stale import stale

FIGURE = 'widgets.explore({draw}, control, title="T"{more})'
SHOWN = FIGURE.format(draw="draw", more="")
DRAW = "def inner(x):\n    return x * scale\n\n\ndef draw(x):\n    y = [inner(z) for z in x]\n    return y"
READ_AGAIN = {
    "by its function": [
        "scale = 1",
        DRAW,
        FIGURE.format(draw="draw", more=""),
        "for scale in range(3):\n    pass",
    ],
    "by a function given anew": [DRAW, SHOWN, "def inner(x):\n    return x"],
    "by its caption": ["a = 1", FIGURE.format(draw="print", more=", caption=lambda x: x + a"), "a = 2"],
    "by a lambda": ["a = 1", FIGURE.format(draw="lambda x: [x for _ in a]", more=""), "a += 2"],
}
UNTOUCHED = {
    "names of its own": [DRAW, SHOWN, "x, y, z = 1, 2, 3"],
    "names of another function": [
        DRAW,
        FIGURE.format(draw="draw", more=""),
        "def f():\n    scale = 3\n    return scale",
    ],
    "names of a caption": [FIGURE.format(draw="print", more=", caption=lambda size: size"), "size = 2"],
    "names before it": ["scale = 1", "scale = 2", DRAW, SHOWN],
}


@pytest.mark.parametrize("sources", READ_AGAIN.values(), ids=READ_AGAIN)
def test_a_name_that_is_given_anew_is_told(sources):
    """Through other functions, loops and lambdas."""
    (message,) = stale(sources)
    assert "the figure 'T' reads" in message


@pytest.mark.parametrize("sources", UNTOUCHED.values(), ids=UNTOUCHED)
def test_what_does_not_reach_the_figure_is_passed_over(sources):
    """Arguments and locals have the same names elsewhere."""
    assert stale(sources) == []
