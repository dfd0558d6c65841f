"""Text as symbols: windows are pieces of the text, and the two parts share none."""

import hashlib
import platform
from pydoc_data.topics import topics

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import data
from coursekit.data.text import TextSet
from coursekit.data.vocabulary import Characters


@settings(deadline=None)
@given(
    n=st.integers(1, 60),
    size=st.integers(1, 20),
    step=st.integers(0, 10**9),
    seed=st.integers(0, 10),
    d=st.data(),
)
def test_every_window_is_a_piece_of_the_text_and_a_pure_function(n, size, step, seed, d):
    """In a text of distinct bytes a window is a run of successors."""
    length = d.draw(st.integers(1, n))
    text = TextSet(torch.arange(n, dtype=torch.uint8), length)
    x, c = text.batch(step, size, seed)
    assert c is None
    assert x.shape == (size, length)
    assert (x.diff(dim=1) == 1).all()
    assert x.max() < n
    assert torch.equal(text.to("cpu").batch(step, size, seed)[0], x)


def test_all_windows_come_up_the_first_and_the_last_too():
    """Five places, 200 draws: one stays away with probability 5 * 0.8**200."""
    x, _ = TextSet(torch.arange(8, dtype=torch.uint8), 4).batch(0, 200)
    assert x[:, 0].unique().tolist() == [0, 1, 2, 3, 4]


def test_the_python_documentation_is_whole_and_its_version_recorded():
    """Each topic's two parts laid together are the topic."""
    train, test = data.text.python_docs(), data.text.python_docs(train=False)
    heads, tails = (s.vocabulary.decode(s.symbols).split("\n\n") for s in (train, test))
    assert len(train) + len(test) == sum(len(t.encode()) for t in topics.values()) + 4 * (len(topics) - 1)
    assert 0.85 < len(train) / (len(train) + len(test)) < 0.95
    assert topics[min(topics)].startswith(heads[0])
    assert topics[max(topics)].endswith(tails[-1])
    assert platform.python_version() in train.source


def test_shakespeare_is_cut_after_nine_tenths(folder, monkeypatch):
    """As nanoGPT does: the first int(0.9 n) for training."""
    content = bytes(range(97, 122)) * 41
    (folder / "tinyshakespeare").mkdir()
    (folder / "tinyshakespeare" / "input.txt").write_bytes(content)
    monkeypatch.setattr(data.text, "SHAKESPEARE_MD5", hashlib.md5(content).hexdigest())
    train, test = data.text.shakespeare(length=8), data.text.shakespeare(train=False, length=8)
    assert bytes(train.symbols.tolist() + test.symbols.tolist()) == content
    assert len(train) == int(0.9 * len(content))


def test_a_shakespeare_of_another_text_is_refused(folder):
    """The checksum is that of the text which results are quoted on."""
    (folder / "tinyshakespeare").mkdir()
    (folder / "tinyshakespeare" / "input.txt").write_text("To be, or not to be")
    with pytest.raises(ValueError, match=r"input.txt is damaged"):
        data.text.shakespeare()


@given(n=st.integers(2, 40), size=st.integers(1, 5), d=st.data())
def test_windows_cover_the_text_from_end_to_end(n, size, d):
    """Laid side by side without what they share they are the text, the last shorter piece too."""
    length = d.draw(st.integers(1, n))
    overlap = d.draw(st.integers(0, length - 1))
    windows = TextSet(torch.arange(n, dtype=torch.uint8), length).windows(size, overlap)
    rows = [row for batch in windows for row in batch]
    assert all(len(row) == length for row in rows[:-1])
    assert torch.cat([rows[0], *(row[overlap:] for row in rows[1:])]).tolist() == list(range(n))


def test_chinese_text_is_read_by_the_character():
    """More than 256 symbols need more than a byte each."""
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    poem = TextSet.of(text, 5, "all strokes", Characters.of(text))
    assert poem.batch(0, 400)[0].max() > 255
    assert poem.vocabulary.decode(poem.symbols) == text
    assert len(TextSet.of(text, 5)) == 900


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: TextSet(torch.zeros(5, dtype=torch.uint8), 6), ValueError, "1 .. 5.*got 6"),
        (lambda: TextSet(torch.zeros(5)), TypeError, "expected whole numbers"),
        (lambda: TextSet(torch.zeros(5, dtype=torch.uint8), 2).batch(0, 0), ValueError, "size=0"),
        (lambda: next(TextSet.of("hello", 2).windows(1, 2)), ValueError, "0 .. 1.*got 2"),
    ],
)
def test_a_wrong_value_is_named(make, error, message):
    """The message holds the value and what was expected."""
    with pytest.raises(error, match=message):
        make()
