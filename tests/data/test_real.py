"""Real sets, played by small ones in the same formats: each file is checked, and each failure is named."""

import gzip
import hashlib
import http.server
import io
import pickle
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat
from torchvision import datasets

from coursekit import data
from coursekit.data import binarized

RNG = np.random.default_rng(0)
IMAGES = {
    "train": RNG.integers(0, 256, (6, 28, 28), np.uint8),
    "t10k": RNG.integers(0, 256, (4, 28, 28), np.uint8),
}
LABELS = {"train": np.arange(6, dtype=np.uint8), "t10k": np.array([9, 0, 5, 5], np.uint8)}
BITS = (RNG.random((5, 784)) < 0.2).astype(np.uint8)


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(head + array.tobytes(), mtime=0)


@pytest.fixture
def mnist_files(monkeypatch) -> dict[str, bytes]:
    """The four files of a small MNIST, whose checksums torchvision believes in; none is on disk yet."""
    files = {}
    for part in ("train", "t10k"):
        files[f"{part}-images-idx3-ubyte.gz"] = idx(IMAGES[part])
        files[f"{part}-labels-idx1-ubyte.gz"] = idx(LABELS[part])
    for kind in (datasets.MNIST, datasets.FashionMNIST):
        monkeypatch.setattr(kind, "resources", [(name, md5(content)) for name, content in files.items()])
    return files


def put(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(("load", "name"), [(data.mnist, "MNIST"), (data.fashion_mnist, "FashionMNIST")])
@pytest.mark.parametrize("train", [True, False])
def test_idx_files_are_read_as_they_were_written(folder, mnist_files, load, name, train):
    """Every pixel and label; nothing is written, so the folder may be read-only."""
    raw = put(folder / name / "raw", mnist_files)
    part = "train" if train else "t10k"
    source = load(train)
    assert np.array_equal(source.images[:, 0].numpy(), IMAGES[part])
    assert source.y.tolist() == LABELS[part].tolist()
    assert len(source.classes) == 10
    assert {file.name for file in raw.iterdir()} == set(mnist_files)


@pytest.mark.usefixtures("offline")
def test_an_absent_file_is_named_with_what_to_do(folder, mnist_files):
    """The file, the folder, what was tried, the variable, and the set that needs no download."""
    put(folder / "MNIST" / "raw", {k: v for k, v in mnist_files.items() if "labels" not in k})
    with pytest.raises(FileNotFoundError) as error:
        data.mnist()
    message = str(error.value)
    for part in (
        "MNIST/raw",
        "'train-labels-idx1-ubyte.gz'",
        "no network",
        "COURSEKIT_DATA",
        "data.glyphs()",
    ):
        assert part in message
    assert not list((folder / "MNIST" / "raw").glob("download-*"))


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"])
def test_a_file_cut_short_or_altered_is_named_even_where_it_parses(folder, mnist_files, name):
    """Half a download, and a valid file with other content: only the checksum can tell the second."""
    raw = put(folder / "MNIST" / "raw", mnist_files)
    array = {"images": IMAGES, "labels": LABELS}[name.split("-")[1]]["train"].copy()
    array.flat[0] ^= 1
    for content in (mnist_files[name][:-20], idx(array), b""):
        (raw / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is damaged"):
            data.mnist()
    assert len(data.mnist(train=False)) == 4


@pytest.fixture
def server(tmp_path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address under which this computer serves it."""
    (tmp_path / "served").mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield tmp_path / "served", f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()


def test_a_download_from_the_second_mirror_is_checked_and_kept(folder, server, mnist_files, monkeypatch):
    """The first mirror has nothing, the second has the files; afterwards no mirror is needed."""
    mirror, address = server
    put(mirror, mnist_files)
    monkeypatch.setattr(datasets.MNIST, "mirrors", [address + "none/", address])
    first = data.mnist()
    monkeypatch.setattr(datasets.MNIST, "mirrors", [])
    assert torch.equal(data.mnist().images, first.images)
    assert {file.name for file in (folder / "MNIST" / "raw").iterdir()} == {
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    }


def test_a_damaged_download_is_not_kept(folder, server, mnist_files, monkeypatch):
    """A mirror with other content: the error says so, and the place stays empty for the right file."""
    mirror, address = server
    put(mirror, {name: content[:-1] for name, content in mnist_files.items()})
    monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
    with pytest.raises(FileNotFoundError, match="corrupted"):
        data.mnist()
    assert list((folder / "MNIST" / "raw").iterdir()) == []


def test_without_the_variable_data_lie_in_the_cache_folder(cache, mnist_files):
    """`data` in the user's cache folder."""
    put(cache / "data" / "MNIST" / "raw", mnist_files)
    assert len(data.mnist()) == 6


def amat(bits: np.ndarray) -> bytes:
    return "".join(" ".join(map(str, row)) + "\n" for row in bits).encode()


def mat(bits: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, {"X": bits}, do_compression=True)
    return buffer.getvalue()


@pytest.mark.parametrize(("suffix", "write"), [("amat", amat), ("mat", mat)])
def test_binarized_mnist_is_read_from_text_and_from_matlab(folder, monkeypatch, suffix, write):
    """Both forms are held to one checksum, that of the public text file."""
    monkeypatch.setitem(binarized.CHECKSUMS, "test", md5(amat(BITS)))
    put(folder / "BinarizedMNIST", {f"binarized_mnist_test.{suffix}": write(BITS)})
    source = data.binarized_mnist("test")
    assert np.array_equal(source.x.flatten(1).numpy(), BITS)
    assert torch.equal(source.batch(0, 5)[0].sum(), source.x.sum())


@pytest.mark.parametrize(("suffix", "write"), [("amat", amat), ("mat", mat)])
def test_a_damaged_binarized_file_is_named(folder, monkeypatch, suffix, write):
    """One flipped pixel, or the end missing."""
    monkeypatch.setitem(binarized.CHECKSUMS, "train", md5(amat(BITS)))
    flipped = BITS.copy()
    flipped[0, 0] ^= 1
    for content in (write(flipped), write(BITS)[:-30], b"nothing of the kind", b""):
        put(folder / "BinarizedMNIST", {f"binarized_mnist_train.{suffix}": content})
        with pytest.raises(ValueError, match=rf"binarized_mnist_train.{suffix} is damaged"):
            data.binarized_mnist("train")


@pytest.mark.usefixtures("offline", "folder")
@pytest.mark.parametrize(
    ("load", "names"),
    [
        (data.binarized_mnist, ["binarized_mnist_train.amat", "data.glyphs().binarized()"]),
        (data.cifar10, ["cifar-10-python.tar.gz", "data.glyphs()"]),
        (data.omniglot, ["images_background.zip", "data.glyphs()"]),
        (data.celeba, ["list_eval_partition.txt", "data.glyphs(rgb=True)"]),
        (data.text.shakespeare, ["input.txt", "data.text.python_docs()"]),
    ],
    ids=["binarized", "cifar10", "omniglot", "celeba", "shakespeare"],
)
def test_every_set_says_what_is_absent_and_what_needs_no_download(load, names):
    """One sentence each, from the same place."""
    with pytest.raises(FileNotFoundError) as error:
        load()
    assert all(name in str(error.value) for name in [*names, "COURSEKIT_DATA"])


@pytest.fixture
def cifar(monkeypatch) -> dict[str, bytes]:
    """The extracted files of a small CIFAR-10."""
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    files = {}
    for i, name in enumerate(names):
        batch = {"data": RNG.integers(0, 256, (2, 3072), np.uint8), "labels": [i, 9]}
        files[name] = pickle.dumps(batch, protocol=2)
    files["batches.meta"] = pickle.dumps({"label_names": [f"thing {i}" for i in range(10)]}, protocol=2)
    sums = [[name, md5(content)] for name, content in files.items()]
    monkeypatch.setattr(datasets.CIFAR10, "train_list", sums[:5])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", sums[5:6])
    monkeypatch.setattr(datasets.CIFAR10, "meta", datasets.CIFAR10.meta | {"md5": sums[6][1]})
    return files


def test_cifar10_is_read_from_its_archive_and_from_its_files(folder, cifar, monkeypatch):
    """The archive is unpacked once; both ways give the pixels that were written."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in cifar.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", md5(buffer.getvalue()))
    archive = put(folder, {"cifar-10-python.tar.gz": buffer.getvalue()}) / "cifar-10-python.tar.gz"
    first = data.cifar10()
    archive.unlink()
    assert torch.equal(data.cifar10().images, first.images)
    assert first.y.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    pixels = pickle.loads(cifar["test_batch"])["data"].reshape(-1, 3, 32, 32)
    assert np.array_equal(data.cifar10(train=False).images.numpy(), pixels)
    assert data.cifar10().classes[3] == "thing 3"


def test_a_damaged_cifar10_file_is_named_before_it_is_unpickled(folder, cifar):
    """A pickle can run code, so the checksum comes first."""
    bomb = b"cos\nsystem\n(S'touch " + str(folder / "ran").encode() + b"'\ntR."
    put(folder / "cifar-10-batches-py", cifar | {"data_batch_2": bomb})
    with pytest.raises(ValueError, match="data_batch_2 is damaged"):
        data.cifar10()
    assert not (folder / "ran").exists()


def picture(value: int, size: tuple[int, int], mode: str, kind: str) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new(mode, size, value if mode == "L" else (value,) * 3).save(buffer, kind)
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_omniglot_is_read_from_its_zip(folder, monkeypatch):
    """Strokes, black on paper, become +1; labels number characters, across alphabets."""
    characters = ["Braille/character01", "Braille/character02", "Greek/character01"]
    files = {
        f"images_background/{c}/000{i}_0{d + 1}.png": picture(255 * d, (105, 105), "L", "PNG")
        for i, c in enumerate(characters)
        for d in range(2)
    }
    content = zipped(files)
    monkeypatch.setitem(datasets.Omniglot.zips_md5, "images_background", md5(content))
    put(folder / "omniglot-py", {"images_background.zip": content})
    source = data.omniglot()
    assert source.shape == (1, 28, 28)
    assert source.x[:, 0, 0, 0].tolist() == [1, -1] * 3
    assert source.y.tolist() == [0, 0, 1, 1, 2, 2]
    assert source.factors["alphabet"].tolist() == [0, 0, 0, 0, 1, 1]
    assert source.factors["drawer"].tolist() == [0, 1] * 3
    assert source.classes == tuple(c.replace("/", " ") for c in characters)


def test_celeba_is_read_from_its_zip_and_tables(folder, monkeypatch):
    """Splits by the partition file, attributes by name, the middle of the picture."""
    names = [f"00000{i}.jpg" for i in range(1, 5)]
    files = {
        "list_eval_partition.txt": "".join(
            f"{n} {p}\n" for n, p in zip(names, (0, 1, 0, 2), strict=True)
        ).encode(),
        "list_attr_celeba.txt": b"4\nBald Smiling\n" + "".join(f"{n} -1  1\n" for n in names).encode(),
        "img_align_celeba.zip": zipped(
            {f"img_align_celeba/{n}": picture(60 * i, (178, 218), "RGB", "JPEG") for i, n in enumerate(names)}
        ),
    }
    known = [("key", md5(content), name) for name, content in files.items()]
    monkeypatch.setattr(datasets.CelebA, "file_list", known)
    put(folder / "celeba", files)
    source = data.celeba(size=16)
    assert source.images.shape == (2, 3, 16, 16)
    assert source.images[:, 0, 8, 8].tolist() == [0, 120]
    assert {name: values.tolist() for name, values in source.factors.items()} == {
        "Bald": [0, 0],
        "Smiling": [1, 1],
    }
    assert (len(data.celeba("test")), len(data.celeba(n=1))) == (1, 1)
    (folder / "celeba" / "list_attr_celeba.txt").write_bytes(files["list_attr_celeba.txt"][:-3])
    with pytest.raises(ValueError, match=r"list_attr_celeba.txt is damaged"):
        data.celeba()


@pytest.mark.parametrize("load", [data.binarized_mnist, data.celeba])
def test_an_unknown_split_is_named(load):
    """ "validation" is not "valid"."""
    with pytest.raises(ValueError, match="'valid' or 'test', got 'validation'"):
        load("validation")
