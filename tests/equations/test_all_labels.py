"""Every labelled equation of the book is checked by a test, and every check has its equation."""

import pytest

from tests.equations.registry import ROOT, checked_labels, checks, labels_in

CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]-*.md"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_labelled_equation_has_a_check(chapter):
    """A label says: this identity, bound or closed form is relied on; so a test must rely on it too."""
    missing = [label for label in labels_in(chapter.read_text()) if label not in checked_labels()]
    assert not missing, (
        f"{chapter.name}: write tests marked @checks(...) in tests/equations for: {', '.join(missing)}"
    )


def test_every_check_has_an_equation():
    """A check of a label that no chapter has is a renamed equation or a typing error."""
    known = {label for chapter in CHAPTERS for label in labels_in(chapter.read_text())}
    assert checked_labels() <= known, f"no equation has the label {sorted(checked_labels() - known)}"


def test_labels_are_unique_in_the_whole_book():
    """Sphinx links to the first of two equal labels, whichever that is."""
    labels = [label for chapter in CHAPTERS for label in labels_in(chapter.read_text())]
    assert len(labels) == len(set(labels)), sorted(label for label in set(labels) if labels.count(label) > 1)


def test_both_ways_to_label_an_equation_are_found():
    """A label that the scan overlooks would never be checked."""
    text = "$$a = b$$ (one)\n\n$$\nx\n$$ (two-b)\n\n```{math}\n:label: three\ny\n```\n\n$$ none $$\n"
    assert labels_in(text) == ["one", "two-b", "three"]


def test_checks_without_a_label_is_refused():
    """`@checks` without parentheses would register nothing, in silence."""
    with pytest.raises(TypeError, match="labels of equations"):
        checks(lambda: None)
