"""One call for an interactive figure: live where a kernel runs, computed beforehand everywhere else."""

import gzip
import os
import sys
from collections.abc import Callable
from typing import Any

from coursekit.plots import color_of
from coursekit.widgets import states, twin
from coursekit.widgets.controls import Control

MAX_BYTES = 500_000
STATIC = "COURSEKIT_STATIC"
"""Environment variable: set to 1, figures show the twin only, and their output is the same in every run."""


class Explorer:
    """An interactive figure; a notebook shows it when it is the last value of a cell, or by `display`.

    Attributes:
        html: the twin, one self-contained piece of HTML.
        figure: what the twin shows.
        n_states: how many states were drawn.
        n_bytes: size of the twin as a server sends it, compressed.
    """

    def __init__(
        self, figure: twin.Figure, draw: Callable[..., Any], caption: Callable[..., str] | None = None
    ):
        self.figure, self.draw, self.caption = figure, draw, caption
        self.html = twin.render(figure)
        self.n_states = len(figure.pictures)
        self.n_bytes = len(gzip.compress(self.html.encode(), mtime=0))

    def __repr__(self) -> str:
        return f"Explorer({self.figure.title!r}, {self.n_states} states, {self.n_bytes / 1000:.0f} kB)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = {"text/plain": f"{self.figure.title}: {self.figure.alt}", "text/html": self.html}
        if _kernel_runs() and os.environ.get(STATIC) != "1":
            view = self._live_view()
            if view is not None:
                bundle["application/vnd.jupyter.widget-view+json"] = view
        return bundle

    def _live_view(self) -> dict[str, Any] | None:
        try:
            import ipywidgets  # noqa: F401
        except ModuleNotFoundError:
            return None
        from coursekit.widgets import live

        panel = live.panel(self.figure, self.draw, self.figure.controls, self.caption)
        return {"version_major": 2, "version_minor": 0, "model_id": panel.model_id}


def _kernel_runs() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


def explore(
    draw: Callable[..., Any],
    *controls: Control,
    title: str,
    alt: str,
    caption: Callable[..., str] | None = None,
    color: str = "ar",
) -> Explorer:
    """An interactive figure of `draw` over the product of the controls' values.

    Every state is drawn once, in this call. Where a kernel runs, a moved control calls `draw` again;
    elsewhere the pictures drawn here are shown.

    Args:
        draw: keywords named as the controls -> a matplotlib Figure, or an image array (H, W) or (H, W, 3),
            uint8 or float in [0, 1] or [-1, 1]; images of at most 128 pixels a side are shown enlarged.
        controls: sliders, choices and at most one plane.
        title: above the figure; a question, best of all.
        alt: what is to be seen, for those who can't see it.
        caption: the same keywords -> one line of text under the picture, read aloud by screen readers.
        color: the accent: a family's name or any colour as "#rrggbb".

    Raises:
        ValueError: too many states, pictures of several sizes, over MAX_BYTES, or an empty title or alt.
        TypeError: `draw` does not take the controls' names, or returns something else.
    """
    for name, text in (("title", title), ("alt", alt)):
        if not text.strip():
            raise ValueError(f"{name} is {text!r}; expected words: a figure is read aloud as well.")
    states.check(draw, controls)
    pictures, value_range, layout = states.pictures(draw, controls)
    captions = (
        tuple(caption(**states.keywords_at(controls, i)) for i in states.indices(controls)) if caption else ()
    )
    figure = twin.Figure(
        title, alt, controls, tuple(pictures), captions, value_range, layout, color_of(color)
    )
    explorer = Explorer(figure, draw, caption)
    if explorer.n_bytes > MAX_BYTES:
        raise ValueError(
            f"the figure {title!r} with {explorer.n_states} states has {explorer.n_bytes / 1000:.0f} kB; "
            f"expected at most {MAX_BYTES / 1000:.0f}: give fewer values, a smaller figsize, or fewer marks."
        )
    return explorer
