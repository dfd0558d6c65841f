"""One page of each kind has no fault that axe-core knows; `make site-test` looks at all of them."""

import pytest

from tests.browser.axe import violations

KINDS = [
    "index.html",
    "07-image-flows.html",
    "exercises/06-flows.html",
    "api/train.html",
    "search.html",
    "genindex.html",
]


@pytest.mark.parametrize("path", KINDS)
def test_a_page_of_each_kind_is_accessible(visit, path):
    """WCAG 2.2 A and AA and axe's best practices, in both colour schemes, on a wide screen and on a phone."""
    assert violations(visit(path).page) == []
