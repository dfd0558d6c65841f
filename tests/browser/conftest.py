"""The built book on localhost, and a Chromium that may ask nobody else."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, Route

from tests.built import FONTS, serving


@dataclass
class Visit:
    """An opened page, and all that went wrong since it was opened."""

    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Address of the built book."""
    with serving() as address:
        yield address


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator:
    """A function that opens a page, with every request to another server blocked and noted."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")

    def open_page(path: str) -> Visit:
        seen = Visit(context.new_page())
        watch(seen, site)
        seen.page.goto(f"{site}/{path}", wait_until="load")
        seen.page.keyboard.press("Shift")  # a reader's first move, at which the whole page is laid out
        seen.page.evaluate(FONTS)
        return seen

    yield open_page
    context.close()


def watch(seen: Visit, site: str) -> None:
    """Note errors of scripts, files that are missing, and requests to other servers."""

    def guard(route: Route) -> None:
        if route.request.url.startswith((site, "data:", "blob:")):
            route.continue_()
        else:
            seen.outside.append(route.request.url)
            route.abort()

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            seen.errors.append(f"{message.type}: {message.text}")

    def answered(response: Response) -> None:
        if response.status >= 400:
            seen.errors.append(f"{response.status}: {response.url}")

    seen.page.route("**/*", guard)
    seen.page.on("console", heard)
    seen.page.on("response", answered)
    seen.page.on("pageerror", lambda error: seen.errors.append(f"exception: {error}"))
