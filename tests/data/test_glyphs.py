"""Glyphs: exactly labelled, repeatable, disjoint between training and test, and safe in their cache."""

import itertools
import string
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from coursekit import data
from coursekit.data.glyph_set import RANGES


def cached_file(cache: Path) -> Path:
    (file,) = (cache / "glyphs").iterdir()
    return file


def redraw(glyphs: data.ImageSet, i: int, fonts=data.FONTS) -> torch.Tensor:
    factors = {name: values[i].item() for name, values in glyphs.factors.items()}
    colour = list(data.COLOURS)[factors["colour"]] if "colour" in factors else None
    pose = {name: factors[name] for name in RANGES}
    character, size = glyphs.classes[factors["class"]], glyphs.shape[-1]
    return data.render(character, fonts[factors["font"]], **pose, colour=colour, size=size)


@pytest.mark.parametrize(
    "options", [{}, {"rgb": True, "letters": True}, {"size": 17, "seed": 9, "train": False}]
)
def test_the_factors_say_all_there_is_in_an_image_without_noise(options):
    """`render` with the factors of image i draws image i."""
    glyphs = data.glyphs(n=40, noise=0.0, **options)
    assert_close(glyphs.x, torch.stack([redraw(glyphs, i) for i in range(40)]))
    assert torch.equal(glyphs.y, glyphs.factors["class"])


def test_noise_is_gaussian_around_the_drawn_glyph():
    """Where neither black nor white cuts it off, the deviation has the standard deviation asked for."""
    noisy, clean = data.glyphs(n=300, noise=0.05), data.glyphs(n=300, noise=0.0)
    middle = (clean.x.abs() < 0.5).flatten()
    deviation = ((noisy.x - clean.x) / 2).flatten()[middle]
    assert len(deviation) > 2000
    assert abs(deviation.mean()) < 5 * 0.05 / len(deviation) ** 0.5
    assert_close(deviation.std().item(), 0.05, atol=0, rtol=0.1)


@settings(deadline=None, max_examples=10)
@given(n=st.integers(1, 30), more=st.integers(1, 30), seed=st.integers(0, 2**62))
def test_asking_for_more_only_adds_images(n, more, seed):
    """Image i depends on the seed, the split and i, not on how many are asked for."""
    few, many = data.glyphs(n=n, seed=seed, size=12), data.glyphs(n=n + more, seed=seed, size=12)
    assert torch.equal(few.images, many.images[:n])
    assert all(torch.equal(few.factors[name], many.factors[name][:n]) for name in few.factors)


def test_the_same_arguments_give_the_same_images_with_and_without_the_cache(cache):
    """Drawn, read from the cache, and drawn again in another process."""
    first, second = data.glyphs(n=50), data.glyphs(n=50)
    cached_file(cache).unlink()
    code = "import sys; from coursekit import data; sys.stdout.buffer.write(data.glyphs(n=50).images.numpy())"
    third = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert torch.equal(first.images, second.images)
    assert all(torch.equal(first.factors[name], second.factors[name]) for name in first.factors)
    assert first.images.numpy().tobytes() == third


def test_training_and_test_share_no_pair_of_font_and_jitter_seed():
    """Jitter seeds are even in training and odd in the test, and no pose comes twice, whatever the seeds."""
    sets = [data.glyphs(n=400, size=8, train=train, seed=seed) for train in (True, False) for seed in (0, 1)]
    pairs = [set(zip(s.factors["font"].tolist(), s.factors["jitter"].tolist(), strict=True)) for s in sets]
    for one, other in itertools.product(pairs[:2], pairs[2:]):
        assert not one & other
    poses = torch.cat([torch.stack([s.factors[name] for name in RANGES], -1) for s in sets])
    assert len(poses.unique(dim=0)) == 4 * 400


def test_every_class_and_font_comes_about_equally_often():
    """Within five standard deviations of the mean of a fair draw."""
    factors = data.glyphs(n=1500, size=4).factors
    for name, kinds in (("class", 10), ("font", 21)):
        counts = factors[name].bincount(minlength=kinds)
        assert ((counts - 1500 / kinds).abs() < 5 * (1500 / kinds) ** 0.5).all()


@pytest.mark.parametrize("font", data.FONTS)
def test_every_font_draws_every_character_legibly(font):
    """62 different shapes with ink, none cut off by the border, none a box for a missing glyph."""
    images = [data.render(c, font, weight=1.0) for c in string.digits + string.ascii_letters]
    shapes = (torch.stack(images)[:, 0] + 1) / 2
    assert (shapes.sum((1, 2)) > 10).all()
    border = torch.cat([shapes[:, 0], shapes[:, -1], shapes[:, :, 0], shapes[:, :, -1]], 1)
    assert border.max() == 0
    assert len({image.numpy().tobytes() for image in images}) == 62


def centre(image: torch.Tensor) -> tuple[float, float]:
    """Centre of the ink, to the right of and above the image's centre, as parts of its side."""
    ink = ((image[0] + 1) / 2).numpy()
    ticks = (np.arange(len(ink)) + 0.5) / len(ink) - 0.5
    return float((ink.sum(0) * ticks).sum() / ink.sum()), float(-(ink.sum(1) * ticks).sum() / ink.sum())


@settings(deadline=None, max_examples=20)
@given(x=st.floats(-0.1, 0.1), y=st.floats(-0.1, 0.1), character=st.sampled_from("0358HxZ"))
def test_x_and_y_move_the_ink_by_that_part_of_the_side(x, y, character):
    """x to the right and y upward."""
    before = centre(data.render(character, size=64))
    after = centre(data.render(character, size=64, x=x, y=y))
    assert_close(after, (before[0] + x, before[1] + y), atol=2e-3, rtol=0)


def test_weight_slant_angle_and_scale_do_what_they_say():
    """More weight and scale, more ink; slant and a clockwise turn lead the top of an l to the right."""
    ink = [(data.render("8", "cmr10", weight=w) + 1).sum() for w in (0, 0.3, 0.6, 1)]
    assert ink == sorted(ink)
    assert (data.render("8", scale=1.2) + 1).sum() > (data.render("8") + 1).sum()
    for tilted in (data.render("l", slant=0.3, size=64), data.render("l", angle=-0.3, size=64)):
        top, bottom = tilted[:, :32], tilted[:, 32:]
        assert centre(torch.cat([top, torch.full_like(bottom, -1)], 1))[0] > 0.03
        assert centre(torch.cat([torch.full_like(top, -1), bottom], 1))[0] < -0.03


def test_fonts_can_be_held_out():
    """The font factor counts within the names given."""
    glyphs = data.glyphs(n=30, noise=0.0, fonts=["cmtt10", "STIXGeneral"])
    assert set(glyphs.factors["font"].tolist()) == {0, 1}
    assert_close(glyphs.x[3], redraw(glyphs, 3, ["cmtt10", "STIXGeneral"]))


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b[:100] + b"?" + b[101:], lambda b: b""]
)
def test_a_damaged_cache_is_named_and_drawn_again(cache, damage):
    """Cut short, altered or empty: the warning names the file, the images are right, the file is mended."""
    whole = data.glyphs(n=20).images
    file = cached_file(cache)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(UserWarning, match=f"{file.name} is damaged"):
        again = data.glyphs(n=20).images
    assert torch.equal(whole, again)
    assert torch.equal(data.glyphs(n=20).images, whole)


def test_a_cache_that_cannot_be_written_is_reported(cache):
    """A file stands where the folder should be; the images come all the same."""
    cache.parent.mkdir()
    cache.write_text("in the way")
    with pytest.warns(UserWarning, match="could not be kept"):
        assert len(data.glyphs(n=3)) == 3


def test_a_killed_writer_leaves_no_file_under_the_final_name(cache, monkeypatch):
    """The file gets its name only when it is whole."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        data.glyphs(n=3)
    assert list((cache / "glyphs").iterdir()) == []


def test_the_plotting_state_is_left_alone():
    """Neither importing nor drawing loads pyplot, and importing loads none of the heavy libraries."""
    code = (
        "import sys; from coursekit import data;"
        "assert not {'matplotlib', 'sklearn', 'torchvision', 'scipy', 'PIL'} & set(sys.modules);"
        "data.glyphs(n=5); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: data.glyphs(n=0), "n=0"),
        (lambda: data.glyphs(n=2, seed=-1), "seed=-1"),
        (lambda: data.glyphs(n=2, size=2), "4 .. 1024 pixels, got 2"),
        (lambda: data.glyphs(n=2, noise=2.0), "got 2.0"),
        (lambda: data.glyphs(n=2, fonts=["Arial"]), "'Arial' is none of DejaVuSans"),
        (lambda: data.glyphs(n=2, fonts=[]), "at least one"),
        (lambda: data.render("ab"), "got 'ab'"),
        (lambda: data.render("7", "Arial"), "'Arial' is none of"),
        (lambda: data.render("7", colour="pink"), "'pink' is none of red"),
        (lambda: data.render("7", weight=1.5), "weight=1.5"),
        (lambda: data.render("7", x=float("nan")), "finite"),
    ],
)
def test_a_wrong_value_is_named(make, message):
    """The message holds the value and what was expected."""
    with pytest.raises(ValueError, match=message):
        make()


def test_small_glyphs_are_the_upright_ones_with_a_pixel_for_four():
    """Each pixel by the four that stand there, one after the other, and no turned glyph."""
    whole, small = data.glyphs(60, train=False), data.small_glyphs(60, train=False)
    chosen = whole.factors["angle"].abs() < 0.08
    assert small.shape == (1, 14, 14)
    assert 20 < len(small) < 60
    assert torch.equal(small.factors["jitter"], whole.factors["jitter"][chosen])
    assert torch.equal(small.y, whole.y[chosen])
    image = whole.images[chosen][3, 0].int()
    for row, column in itertools.product(range(14), repeat=2):
        four = image[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert abs(small.images[3, 0, row, column].item() - four.sum().item() / 4) <= 0.5
