"""Vocabularies: a text and its numbers are the same thing."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.data.vocabulary import Bytes, Characters


@given(st.text(min_size=1))
def test_decode_undoes_encode(text):
    """For any text of any script, in bytes and in characters."""
    for vocabulary in (Bytes(), Characters.of(text)):
        symbols = vocabulary.encode(text)
        assert symbols.dtype == torch.long
        assert symbols.max() < len(vocabulary)
        assert vocabulary.decode(symbols) == text


def test_a_chinese_character_is_one_symbol_or_three_bytes():
    """In the order of Unicode 习 stands before 学, 度 and 深."""
    words = Characters.of("深度学习学习")
    assert len(words) == 4
    assert words.encode("习学度深").tolist() == [0, 1, 2, 3]
    assert Bytes().encode("深").tolist() == [0xE6, 0xB7, 0xB1]


def test_bytes_that_are_no_text_are_replaced():
    """A model that is still learning writes them."""
    assert Bytes().decode(torch.tensor([72, 255, 105])) == "H\ufffdi"


def test_an_unknown_character_is_named_with_its_place():
    with pytest.raises(ValueError, match=r"'o', character 4 of the text, is not among the 3 known"):
        Characters("hel").encode("hello")


@pytest.mark.parametrize("characters", ["", "abca"])
def test_a_vocabulary_of_doubles_or_of_nothing_is_refused(characters):
    with pytest.raises(ValueError, match="expected distinct ones, at least one"):
        Characters(characters)
