"""A table of how fast submissions are graded, made from the benchmark's own result file."""

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

HEADER = "| exercise | submissions | SIGKILLs | lost | ours, per second | otter run, per second | ratio |"
NOTE = (
    "Measured on {date}: {hardware}, {processes} processes. In the row with SIGKILLs the grader was killed "
    "every {kill_every:g} s while it worked on as many, one in ten of them hostile or broken. Throughput is "
    "that of a class of ordinary notebooks, the same for both graders, start-up included. Command: "
    "`python -m bench.grading`."
)


class GradingResults(SphinxDirective):
    """`{grading-results} FILE`: the table, or nothing as long as the file is not there."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The nodes of the table and of what it rests on."""
        relative, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        if not Path(path).is_file():
            return []
        lines = table(json.loads(Path(path).read_text()))
        container = nodes.container()
        self.state.nested_parse(StringList(lines, source=path), 0, container)
        return container.children


def table(result: dict[str, Any]) -> list[str]:
    """The table as lines of Markdown."""
    rows = []
    for each in result["exercises"].values():
        fire, beside = each.get("under_fire"), each["side_by_side"]
        cells = [each["title"], beside["ours"]["submissions"]]
        cells += [fire["kills"], fire["lost"]] if fire else ["none", ""]
        cells += [beside["ours"]["per_second"], beside["otter"]["per_second"], beside["ratio"]]
        rows.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    note = NOTE.format(date=result["date"], hardware=result["hardware"], **result["settings"])
    return [HEADER, "|---|" + "---:|" * 6, *rows, "", note]
