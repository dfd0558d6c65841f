"""Fixtures: a browser, and plain matplotlib settings before and after each test."""

from collections.abc import Iterator

import matplotlib as mpl
import pytest

from tests.browser_fixture import browser, visit  # noqa: F401


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Settings that a test changes end with it."""
    with mpl.rc_context():
        mpl.use("agg")
        yield
