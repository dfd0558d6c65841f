"""A seed for each test, the longest files first, a device by `--device cuda`, and a Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, sync_playwright

from coursebook.browser import find

LONGEST = (
    "grading/test_guide.py",
    "grading/test_kill.py",
    "book/test_execution.py",
    "grading/test_student.py",
    "grading/attacks/test_attacks.py",
    "book/test_runlog.py",
    "test_contract.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: while one that begins last ends, other workers wait."""
    folder = Path(__file__).parent
    place = {folder / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", default="cpu", help="where models are tested: cpu (default), cuda, mps")


@pytest.fixture(autouse=True)
def seeded() -> None:
    """What a test draws does not depend on the tests before it, nor on how many workers share them."""
    torch.manual_seed(0)


@pytest.fixture
def device(request: pytest.FixtureRequest) -> torch.device:
    """The device named on the command line."""
    return torch.device(request.config.getoption("--device"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a file; no longer, since it keeps an event loop running."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find(playwright), args=["--no-sandbox"])
        yield chromium
        chromium.close()
