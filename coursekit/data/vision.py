"""Real image sets, in torchvision's layout, with its addresses and checksums, under `$COURSEKIT_DATA`.

Every file is checked before it is read; archives are read as they are, so the folder may be read-only.
"""

import gzip
import tarfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from coursekit.data.folders import data_folder
from coursekit.data.sets import ImageSet
from coursekit.data.verified import Source, from_address


def mnist(train: bool = True) -> ImageSet:
    """60,000 (test: 10,000) handwritten digits, 1 x 28 x 28, strokes +1 on -1 (LeCun et al. 1998).

    Args:
        train: the training part, else the test part.

    Raises:
        FileNotFoundError: a file is absent, and can't be downloaded.
        ValueError: a file is cut short, or was altered.
    """
    return _idx_set("MNIST", train)


def fashion_mnist(train: bool = True) -> ImageSet:
    """60,000 (test: 10,000) pictures of clothes, 1 x 28 x 28 (Xiao et al. 2017, arXiv:1708.07747).

    Args:
        train: the training part, else the test part.

    Raises:
        FileNotFoundError, ValueError: as `mnist`.
    """
    return _idx_set("FashionMNIST", train)


def cifar10(train: bool = True) -> ImageSet:
    """50,000 (test: 10,000) colour photographs of ten kinds of things, 3 x 32 x 32 (Krizhevsky 2009).

    Args:
        train: the training part, else the test part.

    Raises:
        FileNotFoundError, ValueError: as `mnist`.
    """
    from torchvision.datasets import CIFAR10

    root = data_folder()
    folder = root / CIFAR10.base_folder
    meta = (CIFAR10.meta["filename"], CIFAR10.meta["md5"])
    files = [*map(tuple, CIFAR10.train_list), *map(tuple, CIFAR10.test_list), meta]
    if not all((folder / name).exists() for name, _ in files):
        download = from_address(CIFAR10.url, CIFAR10.filename, CIFAR10.tgz_md5)
        archive = Source("CIFAR-10", root / CIFAR10.filename, CIFAR10.tgz_md5, (download,)).get()
        with tarfile.open(archive) as tar:
            tar.extractall(root, filter="data")
    for name, checksum in files:
        Source("CIFAR-10", folder / name, checksum, ()).get()
    source = CIFAR10(root, train=train)
    images = torch.from_numpy(source.data).permute(0, 3, 1, 2).contiguous()
    return ImageSet(images, torch.tensor(source.targets), classes=source.classes)


def _idx_set(name: str, train: bool) -> ImageSet:
    """A set of the four gzipped IDX files that MNIST began with."""
    from torchvision import datasets

    kind = getattr(datasets, name)
    prefix = "train" if train else "t10k"
    checksums = dict(kind.resources)
    arrays = []
    for file in (f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz"):
        downloads = tuple(from_address(mirror + file, file, checksums[file]) for mirror in kind.mirrors)
        source = Source(name, data_folder() / name / "raw" / file, checksums[file], downloads)
        arrays.append(_read_idx(source.get()))
    images, labels = arrays
    classes = [text.split(" - ")[0] for text in kind.classes]
    return ImageSet(images[:, None], labels.long(), classes=classes)


def _read_idx(path: Path) -> Tensor:
    """The array in a gzipped IDX file: two zeros, type 8 (uint8), number of axes, their lengths, the data."""
    content = gzip.decompress(path.read_bytes())
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, offset=4)
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape).copy())
