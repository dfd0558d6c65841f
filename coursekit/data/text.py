"""Text as bytes: 256 symbols, no tokenizer, nothing to install."""

import copy
import platform
from typing import Self

import torch
from torch import Tensor

from coursekit.data.folders import data_folder
from coursekit.data.verified import Source, from_address
from coursekit.data.walk import check_batch, generator

SHAKESPEARE = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHAKESPEARE_MD5 = "6fb458f1232090904fb40fe944165e91"


class TextSet:
    """A text, read in windows of `length` bytes that begin anywhere.

    Args:
        symbols: the text, uint8 (N,), N >= length.
        length: bytes in a window.
        source: where the text is from, with its version.
    """

    vocabulary = 256

    def __init__(self, symbols: Tensor, length: int = 128, source: str = ""):
        if symbols.dtype != torch.uint8 or symbols.ndim != 1:
            raise TypeError(f"symbols: expected uint8 (N,), got {symbols.dtype} {tuple(symbols.shape)}.")
        if not 1 <= length <= len(symbols):
            raise ValueError(f"length: expected 1 .. {len(symbols)}, the length of the text, got {length}.")
        self.symbols, self.length, self.source = symbols, length, source

    def __len__(self) -> int:
        """Number of bytes in the text."""
        return len(self.symbols)

    def __repr__(self) -> str:
        return f"TextSet({len(self)} bytes of {self.source}, windows of {self.length})"

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[Tensor, None]:
        """Windows at fresh random places for every step: long (size, length), and no condition."""
        check_batch(step, size, seed)
        last = len(self.symbols) - self.length
        starts = torch.randint(last + 1, (size,), generator=generator(seed, step)).to(self.symbols.device)
        places = starts[:, None] + torch.arange(self.length, device=starts.device)
        return self.symbols[places].long(), None

    def to(self, device: torch.device | str) -> Self:
        """The same text on another device."""
        other = copy.copy(self)
        other.symbols = self.symbols.to(device)
        return other

    @staticmethod
    def encode(text: str) -> Tensor:
        """The UTF-8 bytes of a text, long (N,)."""
        return torch.tensor(list(text.encode()), dtype=torch.long)

    @staticmethod
    def decode(symbols: Tensor) -> str:
        """The text of bytes (N,); what is no UTF-8 becomes a replacement character."""
        return bytes(symbols.tolist()).decode(errors="replace")


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
    return _text_set(b"\n\n".join(parts), length, f"Python {platform.python_version()} documentation")


def shakespeare(train: bool = True, length: int = 128) -> TextSet:
    """Tiny Shakespeare: 1.1 MB of plays; the first nine tenths for training, as nanoGPT cuts it.

    Read from `tinyshakespeare/input.txt` under `$COURSEKIT_DATA`. Source: Karpathy, char-rnn.

    Args:
        train: the training part, else the test part.
        length: bytes in a window.

    Raises:
        FileNotFoundError: the file is absent, and can't be downloaded.
        ValueError: the file is cut short, or was altered.
    """
    path = data_folder() / "tinyshakespeare" / "input.txt"
    download = from_address(SHAKESPEARE, path.name, SHAKESPEARE_MD5)
    source = Source("Tiny Shakespeare", path, SHAKESPEARE_MD5, (download,), "data.text.python_docs()")
    content = source.get().read_bytes()
    cut = int(0.9 * len(content))
    return _text_set(content[:cut] if train else content[cut:], length, "Tiny Shakespeare")


def _text_set(content: bytes, length: int, source: str) -> TextSet:
    return TextSet(torch.frombuffer(bytearray(content), dtype=torch.uint8), length, source)
