"""Pairs and kinds of glyphs: what belongs together, what does not, and what can't be known."""

import pytest
import torch
from torch.testing import assert_close

from coursekit import data

N = 60


def test_the_outline_of_a_square_is_the_ring_around_it():
    x = -torch.ones(1, 1, 9, 9)
    x[..., 3:6, 3:6] = 1
    ring = -torch.ones(1, 1, 9, 9)
    ring[..., 2:7, 2:7] = 1
    ring[..., 3:6, 3:6] = -1
    assert torch.equal(data.outline(x), ring)


def test_the_depth_of_hatching_is_read_back():
    """A whole image of it has 0.35 / 0.65, whatever its phase; an even grey has none."""
    place = torch.arange(28)
    for phase in (0.0, 0.3, 0.8):
        share = 0.65 + 0.35 * torch.cos(2 * torch.pi * ((place[:, None] + place) / 4 + phase))
        assert_close(data.hatching(2 * share[None, None] - 1), torch.tensor([0.35 / 0.65]))
    assert_close(data.hatching(torch.zeros(1, 1, 28, 28)), torch.zeros(1), atol=1e-6, rtol=0)
    assert data.hatching(-torch.ones(1, 1, 28, 28)) == 0  # no ink


def test_bolder_strokes_are_thicker():
    """Bars of 1, 3 and 5 pixels: ink over outline grows with the width."""
    x = -torch.ones(3, 1, 28, 28)
    for i, width in enumerate((1, 3, 5)):
        x[i, :, 4:24, 10 : 10 + width] = 1
    found = data.thickness(x)
    assert_close(found, torch.tensor([20 * w / (2 * (20 + w) + 4) for w in (1, 3, 5)]))


def test_the_colour_of_strokes_is_read_back():
    """From drawn glyphs, noise and grey edges included."""
    found = data.glyphs(200, rgb=True, progress=False)
    assert torch.equal(data.colour_of(found.x), found.factors["colour"])


def test_outlines_are_pairs_of_bold_glyphs_and_hide_the_phase():
    """The target is the glyph times the wave of its phase; the source is the outline of the glyph."""
    found = data.outlines(N, progress=False)
    whole = data.glyphs(N, progress=False)
    bold = whole[whole.factors["weight"] > 0.5]
    assert torch.equal(found.y, bold.y)
    assert_close(found.c, data.outline(bold.x), atol=0.005, rtol=0)
    i, phase = torch.arange(28), found.target.factors["phase"][:, None, None]
    wave = 0.65 + 0.35 * torch.cos(2 * torch.pi * ((i[:, None] + i) / 4 + phase))[:, None]
    assert_close((found.x + 1) / 2, (bold.x + 1) / 2 * wave, atol=0.003, rtol=0)
    assert phase.min() < 0.2
    assert phase.max() > 0.8


def test_a_batch_holds_pairs_row_by_row():
    found = data.outlines(N, progress=False)
    x, c = found.batch(3, 7, seed=1)
    for target, source in zip(x, c, strict=True):
        row = (found.x == target).flatten(1).all(1).nonzero().item()
        assert torch.equal(found.c[row], source)
    assert all(torch.equal(a, b) for a, b in zip(found.batch(3, 7, 1), (x, c), strict=True))
    assert len(found[:5]) == 5
    with pytest.raises(ValueError, match="3 targets and 2 sources"):
        data.PairedSet(found.target[:3], found.source[:2])


def test_a_label_map_says_what_each_pixel_is_and_not_the_colour():
    """One label a pixel; where it is ink the picture has the glyph's colour, darker by its row."""
    found = data.label_maps(N, progress=False)
    assert torch.equal((found.c == 1).sum(1), torch.ones(N, 28, 28, dtype=torch.long))
    palette = torch.tensor(list(data.COLOURS.values())) / 255
    rgb, ink = (found.x + 1) / 2, found.c[:, 2] == 1
    light = torch.linspace(1, 0.6, 28)[:, None]
    for picture, mask, colour in zip(rgb, ink, found.target.factors["colour"], strict=True):
        expected = (palette[colour][:, None, None] * light).expand(3, 28, 28)
        assert_close(picture[:, mask], expected[:, mask], atol=0.003, rtol=0)
    assert len(found.target.factors["colour"].unique()) == len(palette)


@pytest.mark.parametrize("kind", ["weight", "serif", "colour"])
def test_the_two_kinds_differ_by_what_they_are_called_after(kind):
    found = data.domains(kind, N, progress=False)
    a, b = found.a.factors, found.b.factors
    if kind == "weight":
        assert a["weight"].max() < 0.25 < 0.75 < b["weight"].min()
        assert found.shapes == ((3, 28, 28), (3, 28, 28))
        fonts = [data.FONTS[k] for k in torch.cat([a["font"], b["font"]])]
        assert not any("Bold" in font or font in ("STIXGeneralBol", "cmb10") for font in fonts)
    elif kind == "serif":
        assert all("Sans" in data.FONTS[k] or data.FONTS[k] == "cmss10" for k in b["font"])
        assert not any("Sans" in data.FONTS[k] for k in a["font"])
    else:
        assert found.shapes == ((3, 28, 28), (1, 28, 28))
        assert {list(data.COLOURS)[k] for k in a["colour"]} == {"red", "blue"}
        assert not set(a["jitter"].tolist()) & set(b["jitter"].tolist())


def test_the_two_kinds_are_walked_apart():
    """Row i of a and row i of b are unrelated; a batch is a function of its arguments."""
    found = data.UnpairedSet(data.glyphs(N, progress=False), data.glyphs(N, progress=False))
    (a, b), c = found.batch(2, 16, seed=3)
    assert c is None
    assert (a != b).flatten(1).any(1).sum() > 10
    (again, _), _ = found.batch(2, 16, seed=3)
    assert torch.equal(a, again)
    with pytest.raises(ValueError, match="kind must be 'weight', 'serif' or 'colour', got 'size'"):
        data.domains("size")


def test_sets_move_and_say_what_they_are():
    found, kinds = data.outlines(N, progress=False), data.domains("weight", N, progress=False)
    assert repr(found).startswith("PairedSet(")
    assert repr(kinds).startswith("UnpairedSet(ImageSet(")
    assert len(data.UnpairedSet(kinds.a[:7], kinds.b[:5])) == 5
    assert found.to("cpu").shape == (1, 28, 28)
    assert len(kinds.to("cpu")) == len(kinds)
