"""Find a Chromium to look at the pages with, or install one where the system allows."""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
MISSING = (
    "No browser for the page tests. Run one of these, then `make test` again:\n"
    "    .venv/bin/playwright install --with-deps chromium\n"
    "    sudo apt-get install chromium        (Debian)\n"
    "    brew install --cask chromium         (macOS)"
)
INSTALLERS = (
    [sys.executable, "-m", "playwright", "install", "chromium"],
    ["apt-get", "update", "-qq"],
    ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium"],
)


def find(playwright: Playwright) -> str:
    """The path of playwright's own Chromium, else of one that the system has."""
    candidates = [playwright.chromium.executable_path, *map(shutil.which, NAMES), *MACOS]
    for path in candidates:
        if path and os.access(path, os.X_OK):
            return str(path)
    raise FileNotFoundError(MISSING)


def install() -> None:
    """Try what needs no password: playwright's download, and Debian's package when we are root."""
    for command in INSTALLERS:
        if command[0] == "apt-get" and (not shutil.which("apt-get") or os.geteuid()):
            continue
        subprocess.run(command, check=False, timeout=900)
        if found():
            return


def found() -> bool:
    """Whether there is one."""
    with sync_playwright() as playwright:
        try:
            return bool(find(playwright))
        except FileNotFoundError:
            return False


if __name__ == "__main__":
    if not found():
        install()
    if not found():
        print(MISSING)
