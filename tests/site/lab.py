"""JupyterLab on localhost, with a notebook of the book in it, in a Chromium that may ask nobody else."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.conftest import Visit, watch
from tests.built import ROOT

PYTHON = Path(sys.prefix) / "lab" / "bin" / "python"
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # Else what is outside of the window has no outputs.
    "notebook-extension/tracker": {"windowingMode": "none"},
}
OPTIONS = ("--no-browser", "--expose-app-in-browser", "--allow-root", "--ServerApp.log_level=ERROR")
SECONDS = 60
IDLE = """() => {
    const session = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return session?.isReady && session.session?.kernel?.status === "idle";
}"""


def lay_out(folder: Path, notebook: Path) -> dict[str, str]:
    """Put the notebook into the folder `work`, beside what it reads, and return the server's environment.

    The kernel is the environment of the tests, where coursekit is; the one of JupyterLab has neither.
    """
    (folder / "work").mkdir()
    shutil.copy(notebook, folder / "work")
    for name in ("results", "weights"):
        (folder / "work" / name).symlink_to(ROOT / "book" / name)
    for name, values in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3", "language": "python", "env": {"COURSEKIT_STATIC": ""}}
    (folder / "kernels" / "python3").mkdir(parents=True)
    (folder / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec))
    places = {"HOME": folder, "JUPYTER_PATH": folder, "JUPYTER_CONFIG_DIR": folder / "config"}
    places |= {"JUPYTERLAB_SETTINGS_DIR": folder / "settings", "IPYTHONDIR": folder / "ipython"}
    return os.environ | {name: str(path) for name, path in places.items()} | {"PYTHONPATH": ""}


@contextmanager
def served(folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Address and token of a server that shows the folder `work`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    names = [f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    command = [str(PYTHON), "-m", "jupyterlab", *OPTIONS, *names, f"--notebook-dir={folder / 'work'}"]
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + SECONDS
        while socket.socket().connect_ex(("127.0.0.1", port)):
            alive = server.poll() is None and time.monotonic() < until
            assert alive, (folder / "log.txt").read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", token
    finally:
        server.terminate()
        server.wait(timeout=SECONDS)


@contextmanager
def executed(browser: Browser, folder: Path, notebook: Path, seconds: float) -> Iterator[Visit]:
    """The notebook in JupyterLab, after all its cells have run."""
    with served(folder, lay_out(folder, notebook)) as (address, token):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, has_touch=True)
        seen = Visit(context.new_page())
        watch(seen, address)
        seen.page.set_default_timeout(1000 * SECONDS)
        seen.page.goto(f"{address}/lab/tree/{notebook.name}?token={token}")
        seen.page.wait_for_function(IDLE)
        seen.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')", None)
        seen.page.wait_for_function(IDLE, timeout=1000 * seconds)
        yield seen
        context.close()
