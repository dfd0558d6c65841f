"""Plain matplotlib settings before and after each test."""

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Settings and figures that a test makes end with it."""
    with mpl.rc_context():
        mpl.use("agg")
        yield
    plt.close("all")
