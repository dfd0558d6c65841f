"""Symbols as whole numbers: bytes, or the characters of a text in any script."""

from collections.abc import Sequence
from typing import Protocol, Self

import torch
from torch import Tensor


class Vocabulary(Protocol):
    """A finite set of symbols, numbered from 0."""

    def __len__(self) -> int: ...

    def encode(self, text: str) -> Tensor: ...

    def decode(self, symbols: Tensor) -> str: ...


class Bytes:
    """The 256 values of a byte; a text is its UTF-8 encoding, so any text can be written."""

    def __len__(self) -> int:
        return 256

    def encode(self, text: str) -> Tensor:
        """The UTF-8 bytes of a text, long (T,)."""
        return torch.tensor(list(text.encode()), dtype=torch.long)

    def decode(self, symbols: Tensor) -> str:
        """The text of bytes (T,); what is no UTF-8 becomes a replacement character."""
        return bytes(symbols.tolist()).decode(errors="replace")


class Characters:
    """Unicode characters, each one symbol: 深 is one where UTF-8 needs three bytes.

    Args:
        characters: distinct characters; the place of each is its number.

    Raises:
        ValueError: a character comes twice, or there is none.
    """

    def __init__(self, characters: Sequence[str]):
        self.characters = tuple(characters)
        self._numbers = {character: number for number, character in enumerate(self.characters)}
        if not self.characters or len(self._numbers) < len(self.characters):
            raise ValueError(f"characters: expected distinct ones, at least one, got {characters!r}.")

    @classmethod
    def of(cls, text: str) -> Self:
        """The characters that a text uses, in the order of Unicode."""
        return cls(sorted(set(text)))

    def __len__(self) -> int:
        return len(self.characters)

    def __repr__(self) -> str:
        return f"Characters({''.join(self.characters)!r})"

    def encode(self, text: str) -> Tensor:
        """The numbers of a text's characters, long (T,).

        Raises:
            ValueError: a character is not in the vocabulary.
        """
        unknown = next((place for place, c in enumerate(text) if c not in self._numbers), None)
        if unknown is not None:
            raise ValueError(
                f"{text[unknown]!r}, character {unknown} of the text, is not among the {len(self)} known "
                "ones: make the vocabulary of a text that has it, or take Bytes(), which know every text."
            )
        return torch.tensor([self._numbers[character] for character in text], dtype=torch.long)

    def decode(self, symbols: Tensor) -> str:
        """The text of numbers (T,)."""
        return "".join(self.characters[number] for number in symbols.tolist())
