"""Continuity and completeness against decoders whose answer is known."""

import math

import pytest
import torch
from torch import tensor
from torch.testing import assert_close

from coursekit.metrics.latent import box, completeness, confidence_floor, continuity


def codes(n=4000, dims=3, seed=0):
    return torch.randn(n, dims, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def affine(dims=3, out=7, seed=1):
    weight = torch.randn(dims, out, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return lambda z: z @ weight + 5


def two_worlds(z):
    """A step decoder: black left of zero, white right of it."""
    return (z[:, :1] > 0).to(z).expand(-1, 4)


def soft(logits):
    return lambda x: (logits * x).softmax(1)


def test_every_affine_decoder_jumps_by_the_step_in_any_dimension():
    """E|W d|^2 = step^2 E|W (z - z')|^2 whatever W and D, so the two agree up to the sampling error."""
    for dims in (2, 3, 10):
        jump = continuity(affine(dims), codes(dims=dims), 0.1)
        assert abs(jump.mean - 0.1) < 4 * jump.stderr
        assert jump.stderr < 0.003


def test_the_jump_ignores_the_scale_of_codes_and_pixels():
    """Latent units and pixel units differ between models, so neither may count."""
    z = codes()
    jump = continuity(lambda z: torch.sin(2 * z), z)
    assert_close(continuity(lambda z: 9 * torch.sin(2 * z / 50) + 1, 50 * z).mean, jump.mean)


def test_the_jump_ignores_a_shear_of_the_latent_space_up_to_sampling_error():
    """An autoencoder knows its codes only up to invertible maps; the affine ones drop out of the measure."""
    z, shear = codes(20_000, 2), tensor([[1.0, 3.0], [0.0, 0.5]], dtype=torch.float64)
    straight = continuity(lambda z: torch.sin(2 * z), z)
    sheared = continuity(lambda z: torch.sin(2 * z @ torch.linalg.inv(shear)), z @ shear)
    assert abs(straight.mean - sheared.mean) < 4 * (straight.stderr + sheared.stderr)


def test_the_jump_ignores_a_latent_dimension_without_spread():
    """A dimension that the encoder never uses has no standard deviation to step along."""
    z = codes(20_000, 2)
    padded = torch.cat([z, torch.full_like(z[:, :1], 3.0)], 1)
    plain = continuity(torch.sin, z)
    wide = continuity(lambda z: torch.sin(z[:, :2]), padded)
    assert abs(plain.mean - wide.mean) < 4 * (plain.stderr + wide.stderr)


def test_a_step_decoder_jumps_as_often_as_a_code_crosses_the_edge():
    """Codes even on (-1, 1) have variance 1/3, so d ~ N(0, s^2) with s = step sqrt(2/3), and the share that
    crosses zero is E max(d, 0) = s / sqrt(2 pi). Unrelated codes differ half of the time."""
    order = torch.randperm(100_001, generator=torch.Generator().manual_seed(0))
    z, step = torch.linspace(-1, 1, 100_001, dtype=torch.float64)[order, None], 0.1
    crossing = step * (2 / 3) ** 0.5 / (2 * math.pi) ** 0.5
    jump = continuity(two_worlds, z, step)
    assert jump.mean == pytest.approx((crossing / 0.5) ** 0.5, rel=0.02)
    assert jump.mean > 2 * step


def test_the_standard_error_of_the_jump_is_its_spread_over_data_sets():
    """The stated error must be the one that fresh codes and directions show."""
    runs = [continuity(lambda z: torch.sin(2 * z), codes(500, 2, seed), seed=seed) for seed in range(100)]
    spread = torch.tensor([run.mean for run in runs]).std().item()
    stated = sum(run.stderr for run in runs) / len(runs)
    assert stated == pytest.approx(spread, rel=0.25)


def test_images_and_vectors_give_the_same_jump():
    """A decoder's output may have any shape."""
    jump = continuity(affine(), codes())
    assert continuity(lambda z: affine()(z).reshape(-1, 1, 7, 1), codes()) == jump


def test_completeness_counts_the_confident_codes():
    """Codes on a known grid and a classifier that is sure beyond a known point."""
    z = torch.linspace(-1, 1, 2001)[:, None]
    classify = soft(tensor([[-1.0, 1.0]]))
    wanted = (z.abs() * 2).sigmoid() >= 0.8
    share = completeness(lambda z: z, classify, z, threshold=0.8)
    assert share.mean == pytest.approx(wanted.double().mean().item())
    assert share.stderr == pytest.approx((share.mean * (1 - share.mean) / 2001) ** 0.5)


def test_real_data_score_the_share_that_set_the_floor():
    """The floor makes completeness read on a scale where real data have a chosen value."""
    x, classify = codes(5000, 1), soft(tensor([[-1.0, 1.0]], dtype=torch.float64))
    floor = confidence_floor(classify, x, share=0.95)
    assert completeness(lambda z: z, classify, x, floor).mean == pytest.approx(0.95, abs=2e-4)


def test_the_box_holds_the_central_codes_and_fills_itself_evenly():
    """Walls at the quantiles of each axis; uniform between them."""
    z = codes(10_000, 2) * tensor([1.0, 20.0], dtype=torch.float64)
    draws = box(z, 20_000, coverage=0.9)
    low, high = z.quantile(0.05, 0), z.quantile(0.95, 0)
    assert (draws >= low).all()
    assert (draws <= high).all()
    assert_close(draws.mean(0) / (high - low), (low + high) / 2 / (high - low), atol=0.01, rtol=0)
    assert_close(draws.var(0), (high - low) ** 2 / 12, rtol=0.03, atol=0)


def test_one_outlier_does_not_move_the_walls():
    """The bounding box of all codes is set by its worst code; the box of the central part is not."""
    z = codes(1000, 2)
    spoilt = torch.cat([z, tensor([[1e6, 1e6]], dtype=torch.float64)])
    assert box(spoilt, 1000).abs().max() < 4


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: continuity(affine(), codes()[0]), r"\(N, D\).*\(3,\)"),
        (lambda: continuity(affine(), codes(), step=0.0), "step must be positive, got 0.0"),
        (lambda: continuity(torch.zeros_like, codes()), "decode to the same output"),
        (lambda: completeness(affine(), lambda x: x, codes()), "apply a softmax"),
        (lambda: completeness(affine(), soft(1.0), codes(), threshold=90), r"\(0, 1\], got 90"),
        (lambda: confidence_floor(soft(1.0), codes(), share=95), r"\(0, 1\), got 95"),
        (lambda: box(codes(), 10, coverage=98), r"\(0, 1\], got 98"),
    ],
)
def test_wrong_arguments_are_named(call, words):
    """The message says which value and what was expected."""
    with pytest.raises(ValueError, match=words):
        call()
