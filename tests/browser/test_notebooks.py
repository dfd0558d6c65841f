"""The notebooks beside the pages are plain and complete, and every button leads to one."""

import ast
import json
import os
import re
import shutil
import subprocess
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from coursebook import launch
from tests.book.myst import traces
from tests.browser.test_links import anchors
from tests.built import HTML

ROOT = HTML.parents[1]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())
SITE, REPOSITORY = CONFIG["html"]["baseurl"], CONFIG["repository"]["url"]
CHAPTERS = sorted(path.stem for path in (ROOT / "book").glob("[0-9][0-9]-*.md"))
EXERCISES = sorted(f"exercises/{path.stem}" for path in (ROOT / "exercises").glob("*.ipynb"))
NOTEBOOKS = [*CHAPTERS, *EXERCISES]
URL = re.compile(r"\]\((https?://[^)\s]+)\)|<(https?://[^>\s]+)>")
AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@localhost")


def read(name):
    """The notebook beside the page."""
    return nbformat.read(HTML / f"{name}.ipynb", as_version=4)


def cells(name, kind):
    """The sources of its cells of one kind."""
    return [cell.source for cell in read(name).cells if cell.cell_type == kind]


def page(name):
    """The page as it was built."""
    return BeautifulSoup((HTML / f"{name}.html").read_text(), "html.parser")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_valid_and_plain(name):
    """No outputs, no tags, nothing of MyST; the first code cell installs the package."""
    notebook = read(name)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")] == []
    assert [found for text in cells(name, "markdown") for found in traces(text)] == []
    first = cells(name, "code")[0]
    assert "import coursekit" in first
    assert f"%pip install -q git+{REPOSITORY}\n" in first + "\n"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_its_code_needs_nothing_of_the_book_alone(name):
    """The extension is no part of the package; files are read only after they were fetched."""
    install, *rest = cells(name, "code")
    code = "\n".join(rest)
    assert "coursebook" not in code
    words = {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}
    folders = {path.name for path in (ROOT / "book").iterdir()}
    reads = any(str(word).partition("/")[0] in folders for word in words)
    assert ("git clone" in install) == reads


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_its_links_into_the_book_have_their_target(name):
    """Page and anchor, or picture."""
    broken = []
    for found in URL.findall("\n".join(cells(name, "markdown"))):
        url = "".join(found)
        parts = urlsplit(url)
        if url.startswith(SITE):
            target = HTML / (unquote(url.removeprefix(SITE).partition("#")[0]) or "index.html")
            wrong = not target.is_file() or (
                parts.fragment and unquote(parts.fragment) not in anchors(target)
            )
            broken += [url] if wrong else []
    assert broken == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_the_sites_numbers_and_all_its_code(name):
    """Equations in the order of the page; each code cell of the page after the install cell."""
    text = "\n".join(cells(name, "markdown"))
    numbers = [span.get_text().strip("()#¶") for span in page(name).select("span.eqno")]
    assert re.findall(r"\\tag\{([\d.]+)\}", text) == [re.sub(r"[^\d.]", "", number) for number in numbers]
    shown = [pre.get_text().strip() for pre in page(name).select("div.cell_input pre")]
    assert [code.strip() for code in cells(name, "code")[1:]] == shown


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_is_downloaded_as_it_is_handed_out(name):
    """Byte by byte: the grader knows its cells."""
    assert (HTML / f"{name}.ipynb").read_bytes() == (ROOT / f"{name}.ipynb").read_bytes()


@pytest.mark.parametrize("name", [CHAPTERS[0], EXERCISES[0]])
def test_the_download_button_saves_the_notebook_from_the_site(visit, name):
    """As a file of its name, not as a page of JSON; no other server is asked."""
    seen = visit(f"{name}.html")
    with seen.page.expect_download() as started:
        seen.page.click(".btn-download-notebook")
    assert started.value.suggested_filename == f"{name.rpartition('/')[2]}.ipynb"
    assert started.value.path().read_text() == (HTML / f"{name}.ipynb").read_text()
    assert seen.outside == []


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The files of the branch of notebooks, which the publishing workflow's own script pushes here."""
    folder = tmp_path_factory.mktemp("published")
    for name in NOTEBOOKS:
        target = folder / "_build" / "notebooks" / f"{name}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HTML / f"{name}.ipynb", target)
    git("init", "-q", "-b", "main", folder)
    git(*AUTHOR, "commit", "-q", "--allow-empty", "-m", "The book.", cwd=folder)
    steps = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text())["jobs"]["book"][
        "steps"
    ]
    assert any("notebooks" in step.get("run", "").split() for step in steps), "nothing runs `make notebooks`"
    (step,) = [step for step in steps if step.get("working-directory") == "_build/notebooks"]
    remote = folder / "remote" / urlsplit(REPOSITORY).path.strip("/")
    git("init", "-q", "--bare", remote)
    environment = {"GITHUB_REPOSITORY": urlsplit(REPOSITORY).path.strip("/"), "GIT_CONFIG_GLOBAL": os.devnull}
    environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{folder}/remote/.insteadOf"}
    environment |= {"GIT_CONFIG_VALUE_0": "https://x-access-token:token@github.com/"}
    script = step["run"].replace("${{ github.token }}", "token")
    command = ["bash", "-e", "-c", script]
    subprocess.run(
        command, cwd=folder / "_build/notebooks", env=os.environ | environment, check=True, timeout=60
    )
    return set(git("ls-tree", "-r", "--name-only", launch.BRANCH, cwd=remote).splitlines())


def git(*arguments, cwd=ROOT):
    """What git answers."""
    return subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_buttons_lead_to_what_is_published(published, name):
    """Colab to a file of a branch, the download to a file of the site; the page has one of each."""
    (colab,) = {link["href"] for link in page(name).select("a.btn-launch-colab")}
    branch, path = re.fullmatch(rf"{launch.COLAB}{urlsplit(REPOSITORY).path}/blob/(\w+)/(.+)", colab).groups()
    sources = set(git("ls-files", "exercises").splitlines())
    assert path in {launch.BRANCH: published, CONFIG["repository"]["branch"]: sources}[branch]
    (download,) = {link["href"] for link in page(name).select("a.btn-download-notebook[download]")}
    assert ((HTML / name).parent / download).resolve() == HTML / f"{name}.ipynb"
    assert json.loads((HTML / f"{name}.ipynb").read_text())["cells"]
