"""Fixtures: a browser, and plain matplotlib settings before and after each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import matplotlib as mpl
import pytest
from playwright.sync_api import Browser, Page, Route

INSIDE = ("localhost", "127.0.0.1", None)


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Settings that a test changes end with it."""
    with mpl.rc_context():
        mpl.use("agg")
        yield


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages and hold them to it: no console error, no request to another host."""
    contexts, faults = [], []

    def guard(route: Route) -> None:
        if urlsplit(route.request.url).hostname in INSIDE:
            route.continue_()
        else:
            faults.append(f"request outside: {route.request.url}")
            route.abort()

    def visit(target: str | Path, width: int = 1280, dark: bool = False, **options: object) -> Page:
        scheme = "dark" if dark else "light"
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, service_workers="block", **options
        )
        contexts.append(context)
        context.route("**/*", guard)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
        page.on("console", lambda m: faults.append(f"console: {m.text}") if m.type == "error" else None)
        page.goto(target.as_uri() if isinstance(target, Path) else target)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert faults == []
