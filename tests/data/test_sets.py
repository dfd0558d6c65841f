"""Finite sets: every epoch gives each item once, and a batch depends on its arguments alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from coursekit import data
from coursekit.data.walk import generator

NUMBERS = st.integers(1, 40)


def images(n: int, levels: int = 256, size: int = 4) -> data.ImageSet:
    draw = torch.Generator().manual_seed(n)
    pixels = torch.randint(levels, (n, 1, size, size), generator=draw, dtype=torch.uint8)
    pixels[:, 0, 0, 0] = torch.arange(n) % levels
    return data.ImageSet(pixels, torch.arange(n), {"place": torch.arange(n) * 10}, levels)


@settings(deadline=None)
@given(n=NUMBERS, size=NUMBERS, seed=st.integers(0, 2**40))
def test_every_epoch_visits_every_item_exactly_once(n, size, seed):
    """The batches laid end to end are permutations laid end to end, wherever a batch straddles two epochs."""
    source = data.TensorSet(torch.arange(n))
    steps = 3 * n // size + 1
    walk = torch.cat([source.batch(step, size, seed)[0] for step in range(steps)])
    for epoch in walk[: 3 * n].split(n):
        assert epoch.sort().values.tolist() == list(range(n))


@settings(deadline=None)
@given(n=NUMBERS, size=NUMBERS, steps=st.lists(st.integers(0, 10**6), min_size=2, max_size=5), seed=NUMBERS)
def test_a_batch_depends_on_its_arguments_alone(n, size, steps, seed):
    """A set that has served other steps before gives what a fresh one gives: a resumed run needs no state."""
    used, fresh = images(n).conditioned(), images(n).conditioned()
    for step in steps:
        used.batch(step, size, seed)
    (x, c), (x_fresh, c_fresh) = used.batch(steps[0], size, seed), fresh.batch(steps[0], size, seed)
    assert x.shape == (size, 1, 4, 4)
    assert torch.equal(x, x_fresh)
    assert torch.equal(c, c_fresh)


def test_epochs_and_seeds_have_orders_of_their_own():
    """Equal orders of 100 items have probability 1 / 100!."""
    source = data.TensorSet(torch.arange(100))
    orders = [source.batch(step, 100, seed)[0].tolist() for step in range(4) for seed in range(4)]
    assert len({tuple(order) for order in orders}) == 16


def test_conditions_and_factors_stay_with_their_items():
    """x, c and every factor are permuted and cut together."""
    source = images(30)[torch.arange(30) % 3 == 1].conditioned("place")
    x, place = source.batch(5, 25)
    first = ((x[:, 0, 0, 0] + 1) * 255 / 2).round().long()
    assert_close(place, first * 10)
    assert torch.equal(source.factors["place"], source.y * 10)
    pairs = data.TensorSet(torch.arange(30), torch.arange(30) * 2)
    x, c = pairs.batch(7, 11, seed=3)
    assert torch.equal(c, 2 * x)


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_grey_values_become_even_steps_from_minus_one_to_one(levels):
    """x = 2 k / (levels - 1) - 1: the ends are exact and all levels are told apart."""
    pixels = torch.arange(levels, dtype=torch.uint8).reshape(-1, 1, 1, 1)
    x = data.ImageSet(pixels, levels=levels).x.flatten()
    assert_close(x, torch.linspace(-1, 1, levels))
    assert (x[0], x[-1]) == (-1, 1)


@settings(deadline=None, max_examples=20)
@given(levels=st.integers(2, 256), seed=st.integers(0, 2**31))
def test_dynamic_binarization_draws_one_with_the_grey_value_as_probability(levels, seed):
    """The count of ones among n draws lies within five standard deviations of n k / (levels - 1)."""
    n, grey = 4000, seed % levels
    source = data.ImageSet(torch.full((n, 1, 2, 2), grey, dtype=torch.uint8), levels=levels).binarized()
    x, _ = source.batch(0, n, seed)
    p = grey / (levels - 1)
    assert set(x.unique().tolist()) <= {0.0, 1.0}
    assert abs(x.mean().item() - p) <= 5 * (p * (1 - p) / (4 * n)) ** 0.5


def test_dynamic_binarization_is_fresh_at_every_step_and_repeatable():
    """The same image differs from epoch to epoch, and step 3 is step 3 whenever it is asked for."""
    source = images(8, size=16).binarized()
    first, second = source.batch(0, 8), source.batch(1, 8)
    assert not torch.equal(first[0].sum(0), second[0].sum(0))
    again = images(8, size=16).binarized().batch(1, 8)
    assert torch.equal(second[0], again[0])
    assert torch.equal(source.x, source.x)


def test_static_binarization_is_a_threshold_on_the_grey_value():
    """One where k / (levels - 1) is above the threshold."""
    source = images(20, levels=17)
    static = source.binarized(0.5)
    assert torch.equal(static.x, ((source.x + 1) / 2 > 0.5).float())
    assert torch.equal(static[:5].x, static.x[:5])


def test_discrete_images_are_the_levels_themselves():
    """Whole numbers as floats, in batches too; a subset and a condition stay what they are."""
    source = images(20, levels=17)
    assert torch.equal(source.discrete().x, source.images.float())
    assert torch.equal(source.discrete()[:5].x, source.images[:5].float())
    x, c = data.digits().conditioned().discrete().batch(0, 50)
    assert set(x.unique().tolist()) == set(range(17))
    assert c.shape == (50,)


def test_fewer_levels_cut_the_range_evenly():
    """256 levels as 4: each takes 64 neighbouring ones."""
    ramp = data.ImageSet(torch.arange(256, dtype=torch.uint8).reshape(256, 1, 1, 1)).discrete(4)
    assert ramp.levels == 4
    assert torch.equal(ramp.x.flatten(), torch.arange(4.0).repeat_interleave(64))


def test_subsets_keep_what_the_set_is():
    """A subset of a binary, conditioned set is binary and conditioned, with its levels and names."""
    source = data.digits().binarized(0.3).conditioned()
    part = source[source.y == 4].to("cpu")
    x, c = part.batch(0, 50)
    assert (part.levels, part.classes, part.threshold) == (17, tuple("0123456789"), 0.3)
    assert set(x.unique().tolist()) == {0.0, 1.0}
    assert set(c.tolist()) == {4}


def test_an_unconditioned_set_gives_no_condition():
    """An unconditional model trains on a labelled set as it is."""
    assert images(5).batch(0, 3)[1] is None


def test_streams_of_different_keys_differ():
    """Neither a swap of seed and step nor a further number gives the same stream."""
    keys = [(0, 1), (1, 0), (0, 1, 1), (1, 1), (2**33, 1)]
    assert len({torch.rand(1, generator=generator(*key)).item() for key in keys}) == len(keys)


def test_digits_are_the_1797_real_ones_in_two_disjoint_parts():
    """Both parts together are scikit-learn's set, image for image."""
    from sklearn.datasets import load_digits

    train, test = data.digits(), data.digits(train=False)
    ours = torch.cat([train.images, test.images]).flatten(1)
    assert (len(train), len(test)) == (1497, 300)
    assert sorted(ours.tolist()) == sorted(load_digits().data.astype(int).tolist())
    assert train.y.bincount().min() > 130


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: data.TensorSet(torch.zeros(3), torch.zeros(2)), ValueError, "3 items and c has 2"),
        (lambda: data.TensorSet(torch.zeros(0, 2)), ValueError, "empty"),
        (lambda: data.ImageSet(torch.zeros(2, 1, 3, 3)), TypeError, "expected uint8"),
        (lambda: images(3, levels=256).binarized(1.0), ValueError, r"in \[0, 1\), got 1.0"),
        (lambda: images(3, levels=17).discrete(18), ValueError, r"levels=18\): expected 2 .. 17"),
        (lambda: data.ImageSet(images(3).images, levels=300), ValueError, "2 .. 256, got 300"),
        (lambda: data.ImageSet(images(3).images, torch.zeros(4)), ValueError, "4 values for 3 images"),
        (lambda: images(3)[1], TypeError, r"s\[1:2\]"),
        (lambda: images(3).batch(0, 0), ValueError, "size=0"),
        (lambda: images(3).batch(-1, 2), ValueError, "step=-1"),
        (lambda: images(3).conditioned("font"), ValueError, "font.*place, class"),
    ],
)
def test_a_wrong_value_is_named(make, error, message):
    """The message holds the value and what was expected."""
    with pytest.raises(error, match=message):
        make()
