"""Files of real data sets: present and unaltered, or downloaded, or an error that names the file."""

import hashlib
import http.client
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Download = Callable[[str], None]
"""Puts the file into the folder whose path it is given, under the file's own name."""


@dataclass(frozen=True)
class Source:
    """One file of a data set.

    Args:
        dataset: name of the set, for messages.
        path: where the file belongs.
        md5: its checksum; None where none was published.
        downloads: ways to get it, tried in this order.
        instead: what can be used with no download, for messages.
    """

    dataset: str
    path: Path
    md5: str | None
    downloads: tuple[Download, ...]
    instead: str = "data.glyphs()"

    def get(self) -> Path:
        """The path of the file, which is whole; downloads it if it is absent.

        Raises:
            FileNotFoundError: it is absent, and the download failed.
            ValueError: it is there, but its checksum is another: cut short, or altered.
        """
        if not self.path.exists():
            self._download()
        found = md5(self.path) if self.md5 else None
        if found != self.md5:
            raise ValueError(
                f"{self.dataset}: {self.path} is damaged: its MD5 is {found}, the published one {self.md5}. "
                "It was cut short in the download, or altered. Delete it to have it downloaded again, "
                "or put the right file there."
            )
        return self.path

    def _download(self) -> None:
        reasons = [f"{type(error).__name__}: {error}" for error in self._attempts()]
        if not self.path.exists():
            raise FileNotFoundError(
                f"{self.dataset} is not at {self.path.parent}: {self.path.name!r} is missing, and the "
                f"download failed ({'; '.join(reasons)}). Put the file there, set COURSEKIT_DATA to a folder "
                f"that has it in that place, or use {self.instead}, which needs no download."
            )

    def _attempts(self) -> list[Exception]:
        """Tries one download after the other until one gives the file; the errors of those that did not."""
        errors: list[Exception] = []
        for download in self.downloads:
            try:
                self._place(download)
            except (OSError, http.client.HTTPException, RuntimeError, ImportError) as error:
                errors.append(error)
            else:
                break
        return errors

    def _place(self, download: Download) -> None:
        """Downloads next to the target and moves the whole file there: no half file is left behind."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.path.parent, prefix="download-") as folder:
            download(folder)
            os.replace(Path(folder, self.path.name), self.path)


def md5(path: Path) -> str:
    """Hexadecimal MD5 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def from_address(address: str, name: str, checksum: str | None) -> Download:
    """A download through torchvision, with its progress bar and its check."""

    def download(folder: str) -> None:
        from torchvision.datasets.utils import download_url

        download_url(address, folder, name, checksum)

    return download
