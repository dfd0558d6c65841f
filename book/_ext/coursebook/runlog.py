"""The run log: a page made of what was noted when each chapter was executed, and of nothing else."""

import json
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from coursebook import runs

PARTS = ("summary", "chapters", "surroundings")
ABOUT = ("executed", "by", "seconds", "processor_seconds", "sources")
HEADER = ("Page", "Seconds", "Processor seconds", "Executed (UTC)", "By", "Surroundings")
NAMES = {"python": "Python", "coursekit": "coursekit", "processor": "processor", "cores": "cores it may use"}

Log = dict[str, dict[str, Any] | None]
"""docname -> its run, or None where nothing was noted."""


class Part(nodes.General, nodes.Element):
    """Stands for a part of the log until all pages are read, and so executed."""


class RunLog(SphinxDirective):
    """`{run-log} summary`, `chapters` or `surroundings`: one part of the log."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A place for the part."""
        if self.arguments[0] not in PARTS:
            raise self.error(f"the run log has no part {self.arguments[0]!r}; expected one of {PARTS}.")
        self.env.metadata[self.env.docname]["run-log"] = "yes"
        return [Part(part=self.arguments[0])]


def refresh(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The log is written at every build, since what it tells of is not in its source."""
    return [docname for docname in env.all_docs if "run-log" in env.metadata[docname]]


def executed_pages(env: BuildEnvironment) -> list[str]:
    """The pages with cells that the build executes or takes from the cache, in the order of their names."""
    found = getattr(env, "nb_metadata", {})
    return sorted(docname for docname in env.all_docs if found.get(docname, {}).get("exec_data"))


def read(env: BuildEnvironment, store: Path) -> Log:
    """The run of every executed page."""
    return {name: runs.recorded(Path(env.doc2path(name)), store) for name in executed_pages(env)}


def place(run: dict[str, Any]) -> str:
    """The surroundings of a run, as a text that is the same where they are the same."""
    return json.dumps({key: value for key, value in run.items() if key not in ABOUT}, sort_keys=True)


def places(log: Log) -> dict[str, str]:
    """A letter for each of the surroundings, in the order in which pages show them."""
    found = dict.fromkeys(place(run) for run in log.values() if run)
    return {text: chr(ord("A") + k) for k, text in enumerate(found)}


def when(run: dict[str, Any]) -> str:
    """The time at which a run ended, as HTML."""
    moment = datetime.fromisoformat(run["executed"])
    return f'<time datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M}</time>'


def fresh(run: dict[str, Any]) -> bool:
    """Whether the build that writes the page has executed it."""
    return run["by"] == "build" and datetime.fromisoformat(run["executed"]) >= runs.STARTED


def source(run: dict[str, Any]) -> str:
    """Who has executed the page; what was not this build is kept in the cache."""
    if fresh(run):
        return "this build"
    return "its test" if run["by"] == "test" else "an earlier build"


def table(caption: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """An HTML table; the first cell of each row is the row's header, and all cells are HTML already."""
    head = "".join(f'<th scope="col">{each}</th>' for each in header)
    lines = [
        f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"
        for first, *rest in rows
    ]
    return (
        f'<div class="pst-scrollable-table-container run-log" role="region" tabindex="0" '
        f'aria-label="{escape(caption)}"><table class="table"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def summary(log: Log) -> str:
    """What the log says in all."""
    known = [run for run in log.values() if run]
    text = f"<p>{len(log)} pages of this book have code. {len(known)} of them have a record of their run."
    if known:
        clock, worked = (sum(run[key] for run in known) for key in ("seconds", "processor_seconds"))
        first, last = (f(known, key=lambda run: run["executed"]) for f in (min, max))
        text += (
            f" Together they ran for {clock / 60:.1f} minutes, in which the processor worked "
            f"{worked / 60:.1f} minutes. The first ended at {when(first)}, the last at {when(last)} (UTC). "
            f"{sum(map(fresh, known))} were executed by this build, {len(known) - sum(map(fresh, known))} "
            f"came from the cache. Number of different surroundings: {len(places(log))}."
        )
    return text + "</p>"


def chapters(log: Log, titles: dict[str, str]) -> str:
    """One row a page."""
    letters, rows = places(log), []
    for name, run in log.items():
        if run is None:
            rows.append((titles[name], "none", "none", "no record", "no record", "no record"))
            continue
        letter = letters[place(run)]
        at = f'<a href="#surroundings-{letter}">{letter}</a>'
        times = (f"{run[key]:.1f}" for key in ("seconds", "processor_seconds"))
        rows.append((titles[name], *times, when(run), source(run), at))
    return table("What each page's code took, and when it was executed", HEADER, rows)


def surroundings(log: Log) -> str:
    """One table for each of the different surroundings, with all versions."""
    parts = []
    for text, letter in places(log).items():
        facts = json.loads(text)
        versions = facts.pop("versions")
        rows = [(NAMES.get(key, key), escape(str(value))) for key, value in facts.items()]
        rows += [(escape(name), escape(version)) for name, version in sorted(versions.items())]
        here = table(f"Surroundings {letter}", ("What", "Value"), rows)
        parts.append(f'<section id="surroundings-{letter}">{here}</section>')
    return "".join(parts) or "<p>No run has a record.</p>"


def links(app: Sphinx, page: str, names: list[str]) -> dict[str, str]:
    """docname -> a link from `page` with the page's title, as HTML."""
    return {
        name: f'<a href="{app.builder.get_relative_uri(page, name)}">'
        f"{escape(app.env.titles[name].astext())}</a>"
        for name in names
    }


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the parts where they belong, now that every page has been read."""
    parts = list(doctree.findall(Part))
    if not parts:
        return
    log = read(app.env, Path(app.config.nb_execution_cache_path))
    made = {
        "summary": lambda: summary(log),
        "chapters": lambda: chapters(log, links(app, docname, list(log))),
        "surroundings": lambda: surroundings(log),
    }
    for part in parts:
        part.replace_self(nodes.raw("", made[part["part"]](), format="html"))
