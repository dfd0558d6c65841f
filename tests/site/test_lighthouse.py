"""Every chapter is fast on a slow phone and on a desktop, accessible, sound, and found by search engines."""

import pytest

from tests.built import HTML
from tests.site.lighthouse import FORMS, MODULES, SCORE, measure

CHAPTERS = sorted(path.name for path in HTML.glob("[0-9][0-9]-*.html"))
PAGES = ["index.html", *CHAPTERS]
FCP_MS = 1800
LAYOUT_SHIFT = 0.05
KILOBYTES = 700
SECONDS = 3600


@pytest.fixture(scope="module")
def results():
    """By page and form factor; all are measured at once, since a browser takes its time to start."""
    assert CHAPTERS, f"There is no book at {HTML}; run `make book` first."
    assert (MODULES / ".ready").is_file(), f"Lighthouse is not at {MODULES}; `make site-test` sets it up."
    return {(result.page, result.form): result for result in measure(PAGES)}


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_good_marks(results, page, form):
    """The four categories, and what they are too lenient about: first paint, layout that jumps, size."""
    result = results[page, form]
    marks = {
        "performance": result.performance,
        "accessibility": result.accessibility,
        "best practices": result.best_practices,
        "SEO": result.seo,
    }
    low = {name: mark for name, mark in marks.items() if mark < SCORE}
    assert low == {}, "\n".join(result.costs)
    assert result.fcp_ms < FCP_MS, "\n".join(result.costs)
    assert result.cls <= LAYOUT_SHIFT, "\n".join(result.costs)
    assert result.kilobytes_without_figures < KILOBYTES
