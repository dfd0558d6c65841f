"""The counts of the exercises' masters stand at the end of a run of their tests."""

from collections.abc import Iterator

import pytest


def counts(reporter: pytest.TerminalReporter) -> Iterator[str]:
    """What tests recorded as "counts"."""
    for report in (*reporter.stats.get("passed", ()), *reporter.stats.get("failed", ())):
        yield from (text for name, text in report.user_properties if name == "counts")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in sorted(set(counts(terminalreporter))):
        terminalreporter.write_line(line)
