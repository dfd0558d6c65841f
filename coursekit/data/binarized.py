"""MNIST with the pixels drawn once and for all, the set on which many likelihoods were published."""

import hashlib
import zlib
from pathlib import Path

import numpy as np
import torch

from coursekit.data.folders import data_folder
from coursekit.data.sets import BinarySet, ImageSet
from coursekit.data.verified import Source, from_address

ADDRESS = "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/"
CHECKSUMS = {
    "train": "db28b1a6ae0fe70cbd3da91acf46e477",
    "valid": "bf37822a04e94123630de6a7dfd9c9ef",
    "test": "14e41ae11040adba6ab8cb291eda0dd8",
}
"""MD5 of the public text files (.amat); a MATLAB file is held to the same bytes, see `_as_text`."""


def binarized_mnist(split: str = "train") -> BinarySet:
    """MNIST as fixed zeros and ones, 1 x 28 x 28: 50,000 for training, 10,000 each to validate and to test.

    No labels. Read from `BinarizedMNIST/binarized_mnist_{split}.amat` or `.mat` under `$COURSEKIT_DATA`.
    Source: Larochelle & Murray 2011; drawn by Salakhutdinov & Murray 2008.

    Args:
        split: "train", "valid" or "test".

    Raises:
        FileNotFoundError: neither file is there, and the download failed.
        ValueError: the file is cut short or was altered, or there is no such split.
    """
    if split not in CHECKSUMS:
        raise ValueError(f"split: expected 'train', 'valid' or 'test', got {split!r}.")
    text = data_folder() / "BinarizedMNIST" / f"binarized_mnist_{split}.amat"
    matlab = text.with_suffix(".mat")
    if matlab.exists() and not text.exists():
        pixels = _read_matlab(matlab, CHECKSUMS[split])
    else:
        download = from_address(ADDRESS + text.name, text.name, CHECKSUMS[split])
        instead = "data.glyphs().binarized()"
        source = Source("BinarizedMNIST", text, CHECKSUMS[split], (download,), instead)
        pixels = np.frombuffer(source.get().read_bytes(), np.uint8)[::2] - ord("0")
    images = torch.from_numpy(pixels.reshape(-1, 1, 28, 28))
    return ImageSet(images, levels=2).binarized(0.5)


def _read_matlab(path: Path, checksum: str) -> np.ndarray:
    """Pixels 0 and 1, uint8 (N, 784), from the variable X, checked against the text file's checksum."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    problem = "its images are not the published ones"
    try:
        pixels = np.asarray(loadmat(path, variable_names=["X"])["X"]).astype(np.uint8)
    except (MatReadError, ValueError, TypeError, KeyError, OSError, zlib.error) as error:
        pixels, problem = np.empty((0, 784), np.uint8), f"{type(error).__name__}: {error}"
    if hashlib.md5(_as_text(pixels)).hexdigest() != checksum:
        raise ValueError(
            f"BinarizedMNIST: {path} is damaged ({problem}). It was cut short, or altered. "
            f"Delete it to have {path.with_suffix('.amat').name} downloaded, or put the right file there."
        )
    return pixels


def _as_text(pixels: np.ndarray) -> bytes:
    """The same images as the public text file writes them: digits, a blank between two, a line an image."""
    text = np.full((len(pixels), 2 * pixels.shape[1]), ord(" "), np.uint8)
    text[:, ::2] = pixels + ord("0")
    text[:, -1] = ord("\n")
    return text.tobytes()
