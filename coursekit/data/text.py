"""Text as a sequence of symbols, bytes unless told otherwise: no tokenizer, nothing to install."""

import copy
import platform
from collections.abc import Iterator
from typing import Self

import torch
from torch import Tensor

from coursekit.data.folders import data_folder
from coursekit.data.verified import Source, from_address
from coursekit.data.vocabulary import Bytes, Vocabulary
from coursekit.data.walk import check_batch, generator

SHAKESPEARE = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHAKESPEARE_MD5 = "6fb458f1232090904fb40fe944165e91"
BYTES = Bytes()


class TextSet:
    """A text, read in windows of `length` symbols that begin anywhere.

    Args:
        symbols: the text, whole numbers (N,), N >= length; uint8 where that is enough.
        length: symbols in a window.
        source: where the text is from, with its version.
        vocabulary: what the numbers stand for.
    """

    def __init__(self, symbols: Tensor, length: int = 128, source: str = "", vocabulary: Vocabulary = BYTES):
        if symbols.dtype.is_floating_point or symbols.ndim != 1:
            raise TypeError(
                f"symbols: expected whole numbers (N,), got {symbols.dtype} {tuple(symbols.shape)}."
            )
        if not 1 <= length <= len(symbols):
            raise ValueError(f"length: expected 1 .. {len(symbols)}, the length of the text, got {length}.")
        self.symbols, self.length, self.source, self.vocabulary = symbols, length, source, vocabulary

    @classmethod
    def of(cls, text: str, length: int = 128, source: str = "", vocabulary: Vocabulary = BYTES) -> Self:
        """The set of a text, in the symbols of a vocabulary."""
        symbols = vocabulary.encode(text)
        return cls(symbols.to(torch.uint8) if len(vocabulary) <= 256 else symbols, length, source, vocabulary)

    def __len__(self) -> int:
        """Number of symbols in the text."""
        return len(self.symbols)

    def __repr__(self) -> str:
        return f"TextSet({len(self)} symbols of {self.source}, windows of {self.length})"

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[Tensor, None]:
        """Windows at fresh random places for every step: long (size, length), and no condition."""
        check_batch(step, size, seed)
        last = len(self.symbols) - self.length
        starts = torch.randint(last + 1, (size,), generator=generator(seed, step)).to(self.symbols.device)
        places = starts[:, None] + torch.arange(self.length, device=starts.device)
        return self.symbols[places].long(), None

    def windows(self, size: int, overlap: int = 0) -> Iterator[Tensor]:
        """The text from end to end, `size` windows at a time: long (<= size, length), last a shorter one.

        Args:
            size: windows at once.
            overlap: symbols that a window shares with the one before, below `length`. A model that takes the
                first symbol of a window as given scores every symbol but the text's first once with 1.
        """
        if not 0 <= overlap < self.length:
            raise ValueError(f"overlap: expected 0 .. {self.length - 1}, below the length, got {overlap}.")
        full = self.symbols.unfold(0, self.length, self.length - overlap)  # (windows, length), a view
        for rows in full.split(size):
            yield rows.long()
        rest = self.symbols[len(full) * (self.length - overlap) :]
        if len(rest) > overlap:
            yield rest[None].long()

    def to(self, device: torch.device | str) -> Self:
        """The same text on another device."""
        other = copy.copy(self)
        other.symbols = self.symbols.to(device)
        return other


def python_docs(train: bool = True, length: int = 128) -> TextSet:
    """Python's own documentation, from its standard library: about half a megabyte of English, no download.

    The text differs from one version of Python to the next; `source` says which it is. The first nine tenths
    of every topic are for training, the rest for testing.

    Args:
        train: the training part, else the test part.
        length: bytes in a window.
    """
    from pydoc_data.topics import topics

    parts = []
    for name in sorted(topics):
        topic = topics[name].encode()
        cut = int(0.9 * len(topic))
        parts.append(topic[:cut] if train else topic[cut:])
    return _of_bytes(b"\n\n".join(parts), length, f"Python {platform.python_version()} documentation")


def shakespeare(train: bool = True, length: int = 128, vocabulary: Vocabulary = BYTES) -> TextSet:
    """Tiny Shakespeare: 1.1 MB of plays; the first nine tenths for training, as nanoGPT cuts it.

    Read from `tinyshakespeare/input.txt` under `$COURSEKIT_DATA`. Source: Karpathy, char-rnn.

    Args:
        train: the training part, else the test part.
        length: symbols in a window.
        vocabulary: bytes, or the 65 characters of the text.

    Raises:
        FileNotFoundError: the file is absent, and can't be downloaded.
        ValueError: the file is cut short, or was altered.
    """
    path = data_folder() / "tinyshakespeare" / "input.txt"
    download = from_address(SHAKESPEARE, path.name, SHAKESPEARE_MD5)
    source = Source("Tiny Shakespeare", path, SHAKESPEARE_MD5, (download,), "data.text.python_docs()")
    content = source.get().read_bytes().decode("ascii")
    cut = int(0.9 * len(content))
    part = content[:cut] if train else content[cut:]
    return TextSet.of(part, length, "Tiny Shakespeare", vocabulary)


def _of_bytes(content: bytes, length: int, source: str) -> TextSet:
    return TextSet(torch.frombuffer(bytearray(content), dtype=torch.uint8), length, source)
