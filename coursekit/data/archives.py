"""Image sets that come as one zip of picture files: Omniglot and CelebA."""

import io
import zipfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from coursekit.data.folders import data_folder
from coursekit.data.sets import ImageSet
from coursekit.data.verified import Source, from_address


def omniglot(train: bool = True, size: int = 28) -> ImageSet:
    """20 drawings each of 964 (test: 659) characters of 30 (20) alphabets, strokes +1 (Lake et al. 2015).

    The labels number the characters; `factors`: alphabet and drawer (0 .. 19). Training and test part are
    the "background" and "evaluation" sets: no alphabet is in both.

    Args:
        train: the training part, else the test part.
        size: side in pixels; the drawings themselves have 105.

    Raises:
        FileNotFoundError: the file is absent, and can't be downloaded.
        ValueError: the file is cut short, or was altered.
    """
    from torchvision.datasets import Omniglot

    name = "images_background" if train else "images_evaluation"
    checksum = Omniglot.zips_md5[name]
    download = from_address(f"{Omniglot.download_url_prefix}/{name}.zip", f"{name}.zip", checksum)
    path = data_folder() / Omniglot.folder / f"{name}.zip"
    with zipfile.ZipFile(Source("Omniglot", path, checksum, (download,)).get()) as archive:
        members = sorted(member for member in archive.namelist() if member.endswith(".png"))
        images = 255 - _pictures(archive, members, size, "L", "Omniglot")
    characters = [member.rsplit("/", 1)[0] for member in members]
    alphabets = [character.rsplit("/", 1)[0] for character in characters]
    drawers = [int(Path(member).stem.split("_")[1]) - 1 for member in members]
    factors = {"alphabet": _numbered(alphabets), "drawer": torch.tensor(drawers)}
    classes = [" ".join(character.split("/")[1:]) for character in sorted(set(characters))]
    return ImageSet(images, _numbered(characters), factors, classes=classes)


def celeba(split: str = "train", size: int = 64, n: int | None = None) -> ImageSet:
    """Faces with 40 attributes each, cut to their middle 148 pixels (Liu et al. 2015, arXiv:1411.7766).

    162,770 for training, 19,867 for validation and 19,962 for testing; they have no labels, but every
    attribute ("Smiling", "Eyeglasses", ...) is a factor, 0 or 1.

    Args:
        split: "train", "valid" or "test".
        size: side in pixels.
        n: only the first n; None means all (at 64 pixels the training part takes 2 GB of memory).

    Raises:
        FileNotFoundError: a file is absent, and can't be downloaded.
        ValueError: a file is cut short or was altered, or there is no such split.
    """
    if split not in ("train", "valid", "test"):
        raise ValueError(f"split: expected 'train', 'valid' or 'test', got {split!r}.")
    parts = (line.split() for line in _celeba_file("list_eval_partition.txt").read_text().splitlines())
    wanted = str(("train", "valid", "test").index(split))
    names = [file for file, part in parts if part == wanted][:n]
    attributes, values = _celeba_attributes()
    with zipfile.ZipFile(_celeba_file("img_align_celeba.zip")) as archive:
        members = [f"img_align_celeba/{name}" for name in names]
        images = _pictures(archive, members, size, "RGB", "CelebA", box=(15, 35, 163, 183))
    table = torch.tensor([values[name] for name in names])
    return ImageSet(images, factors={name: table[:, i] for i, name in enumerate(attributes)})


def _celeba_file(name: str) -> Path:
    from torchvision.datasets import CelebA
    from torchvision.datasets.utils import download_file_from_google_drive

    key, checksum = next((key, checksum) for key, checksum, file in CelebA.file_list if file == name)
    download = partial(download_file_from_google_drive, key, filename=name, md5=checksum)
    path = data_folder() / CelebA.base_folder / name
    return Source("CelebA", path, checksum, (download,), "data.glyphs(rgb=True)").get()


def _celeba_attributes() -> tuple[list[str], dict[str, list[int]]]:
    """Names of the attributes, and their values (0 or 1) by picture."""
    _, header, *lines = _celeba_file("list_attr_celeba.txt").read_text().splitlines()
    rows = (line.split() for line in lines)
    return header.split(), {name: [int(value == "1") for value in values] for name, *values in rows}


def _pictures(
    archive: zipfile.ZipFile,
    members: list[str],
    size: int,
    mode: str,
    title: str,
    box: tuple[int, int, int, int] | None = None,
) -> Tensor:
    """Pictures of a zip, cut to the box and scaled, uint8 (N, C, size, size)."""
    from PIL import Image
    from tqdm.auto import tqdm

    images = np.empty((len(members), size, size, len(mode) if mode == "RGB" else 1), np.uint8)
    for i, member in enumerate(tqdm(members, title, unit=" images", delay=1)):
        with Image.open(io.BytesIO(archive.read(member))) as picture:
            scaled = picture.convert(mode).resize((size, size), Image.Resampling.BOX, box=box)
        images[i] = np.asarray(scaled).reshape(size, size, -1)
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def _numbered(names: Iterable[str]) -> Tensor:
    """Each name's place in the sorted list of names, long (N,)."""
    names = list(names)
    places = {name: i for i, name in enumerate(sorted(set(names)))}
    return torch.tensor([places[name] for name in names])
