"""Linear operators against their matrices, and against the inner product that defines an adjoint."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from coursekit.tasks import (
    Blur,
    Crop,
    Downsample,
    Exposure,
    Grey,
    LinearOperator,
    Mask,
    hole,
    make_operator,
    random_pixels,
    window,
)

SHAPE = (3, 4, 6)


def draws(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


OPERATORS: dict[str, LinearOperator] = {
    "mask": Mask(draws(*SHAPE) > 0),
    "hole": hole(SHAPE, 2),
    "random pixels": random_pixels(SHAPE, 0.5),
    "crop": Crop(SHAPE, (1, 2, 2, 3)),
    "window": window(SHAPE, 2),
    "downsample": Downsample(SHAPE, 2),
    "as it is": Downsample(SHAPE, 1),
    "grey": Grey(SHAPE),
    "red": Grey(SHAPE, (1.0, 0.0, 0.0)),
    "blur": Blur(SHAPE, 0.8),
}
each = pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)


def assert_adjoint(operator: LinearOperator, seed: int = 0) -> None:
    """<A x, y> = <x, A^T y> for each row."""
    x, y = draws(2, *operator.shape, seed=seed), draws(2, *operator.y_shape, seed=seed + 1)
    a, b = (operator(x) * y).flatten(1).sum(1), (x * operator.adjoint(y)).flatten(1).sum(1)
    assert_close(a, b, rtol=1e-12, atol=1e-12)
    assert operator.adjoint(y).shape == x.shape


@each
def test_the_adjoint_passes_the_dot_product_test(operator):
    assert_adjoint(operator)


@settings(max_examples=25, deadline=None)
@given(
    sides=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    factor=st.integers(1, 4),
    width=st.floats(0.05, 20.0),
    weights=st.lists(st.floats(-3, 3), min_size=1, max_size=4).filter(lambda w: max(map(abs, w)) > 1e-3),
    seed=st.integers(0, 1000),
)
def test_every_size_and_strength_has_its_adjoint(sides, factor, width, weights, seed):
    """The dot-product test over the ranges of the arguments."""
    h, w = sides
    assert_adjoint(Blur((1, h, w), width), seed)
    assert_adjoint(Downsample((2, h * factor, w * factor), factor), seed)
    assert_adjoint(Grey((len(weights), h, w), weights), seed)
    assert_adjoint(Crop((1, h + 2, w + 1), (seed % 3, seed % 2, h, w)), seed)
    assert_adjoint(random_pixels((2, h, w), (seed % 10) / 9, seed), seed)


@each
def test_the_singular_values_are_those_of_the_matrix(operator):
    """By torch's own decomposition of A; and V is orthogonal, with V^T undone by V."""
    found = operator.values.flatten().sort(descending=True).values
    expected = torch.linalg.svdvals(operator.matrix())
    assert_close(found[: len(expected)], expected, rtol=1e-10, atol=1e-10)
    assert_close(found[len(expected) :], torch.zeros_like(found[len(expected) :]))
    x = draws(3, *SHAPE)
    assert_close(operator.unrotate(operator.rotate(x)), x)
    assert_close(
        operator.rotate(x).flatten(1) @ operator.rotate(x).flatten(1).T, x.flatten(1) @ x.flatten(1).T
    )


@each
def test_the_three_factors_are_the_operator(operator):
    """U^T A x = s V^T x, and A^T y = V s U^T y."""
    x, y = draws(3, *SHAPE), draws(3, *operator.y_shape, seed=1)
    assert_close(operator.project(operator(x)), operator.values * operator.rotate(x))
    assert_close(operator.adjoint(y), operator.unrotate(operator.values * operator.project(y)))


@each
def test_the_pseudo_inverse_is_that_of_the_matrix(operator):
    y = draws(3, *operator.y_shape)
    expected = y.flatten(1) @ torch.linalg.pinv(operator.matrix(), rtol=1e-3).T
    assert_close(operator.pseudo_inverse(y).flatten(1), expected)


@each
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_verb_stays_on_the_device_and_in_the_precision_of_its_argument(operator, device, dtype):
    """An operator's tables lie on the CPU in float64; `--device cuda` tells whether they go along."""
    x = draws(2, *SHAPE).to(device, dtype)
    y = operator.measure(x, 0.1)
    verbs = (
        operator.adjoint,
        operator.project,
        operator.coordinates,
        operator.pseudo_inverse,
        operator.picture,
    )
    for out in (y, operator.unrotate(operator.rotate(x)), *(verb(y) for verb in verbs)):
        assert (out.device.type, out.dtype) == (device.type, dtype)


def test_tables_are_made_on_the_cpu_whatever_the_default_device_is():
    """Otherwise they would land there and clash with what says where it is."""
    x, made = draws(2, *SHAPE), [("hole", {"side": 2}), ("random_pixels", {"share": 0.5})]
    made += [("window", {"side": 2}), ("downsample", {"factor": 2}), ("grey", {}), ("blur", {"width": 0.8})]
    torch.set_default_device("meta")
    try:
        operators = [make_operator(name, SHAPE, **keywords) for name, keywords in made]
        found = [(a.pseudo_inverse(a(x)), a.matrix()) for a in operators]
    finally:
        torch.set_default_device(None)
    for (name, keywords), (picture, matrix) in zip(made, found, strict=True):
        operator = make_operator(name, SHAPE, **keywords)
        assert_close(picture, operator.pseudo_inverse(operator(x)))
        assert_close(matrix, operator.matrix())


def test_what_is_weakened_a_thousandfold_counts_as_not_seen():
    """A wide blur kills the high frequencies; dividing by what is left of them would only blow up noise."""
    blur = Blur((1, 16, 16), 3.0)
    assert 0 < blur.seen.sum() < 256
    x = draws(2, 1, 16, 16)
    assert_close(blur(blur.pseudo_inverse(blur(x))), blur(x), rtol=0, atol=2e-3 * x.abs().max().item())
    assert blur.pseudo_inverse(draws(2, 1, 16, 16, seed=1)).abs().max() < 1e3 * 16


def test_a_blur_keeps_the_mean_and_spreads_a_point_by_its_width():
    """The variance of a point's picture is width squared along each axis."""
    x = torch.zeros(1, 1, 31, 31, dtype=torch.float64)
    x[..., 15, 15] = 1
    y, place = Blur((1, 31, 31), 2.0)(x)[0, 0], torch.arange(31.0).double() - 15
    assert_close(y.sum(), torch.tensor(1.0).double())
    assert_close((y.sum(0) * place.square()).sum(), torch.tensor(4.0).double(), rtol=1e-6, atol=0)


def test_pictures_look_like_the_image_that_was_measured():
    """A constant image is the picture of its own measurement wherever something was seen."""
    x = torch.full((1, *SHAPE), 0.5, dtype=torch.float64)
    for name in ("downsample", "grey", "blur", "as it is"):
        assert_close(OPERATORS[name].picture(OPERATORS[name](x)), x)
    for name in ("mask", "window"):
        assert set(OPERATORS[name].picture(OPERATORS[name](x)).unique().tolist()) == {0.0, 0.5}


def test_exposure_multiplies_the_light_and_cuts_it_off():
    """By hand: light 0, 1/4, 1/2, 1 under gain 2."""
    x = torch.tensor([-1.0, -0.5, 0.0, 1.0]).view(1, 1, 2, 2)
    assert_close(Exposure((1, 2, 2), 2.0)(x).flatten(), torch.tensor([-1.0, 0.0, 1.0, 1.0]))
    assert not isinstance(Exposure((1, 2, 2), 2.0), LinearOperator)


def test_a_measurement_is_the_operator_and_its_noise():
    operator, x = Downsample((1, 40, 40), 2), draws(5, 1, 40, 40)
    rest = operator.measure(x, 0.3) - operator(x)
    assert rest.std().item() == pytest.approx(0.3, abs=5 * 0.3 / (2 * 2000) ** 0.5)
    assert_close(operator.measure(x, 0.0), operator(x))


def test_what_a_mask_hides_is_measured_as_zero_without_noise():
    mask, x = OPERATORS["mask"], draws(2, *SHAPE)
    y = mask.measure(x, 0.3, torch.Generator().manual_seed(0))
    eps = torch.empty_like(x).normal_(generator=torch.Generator().manual_seed(0))
    assert_close(y, torch.where(mask.kept.bool(), x + 0.3 * eps, torch.zeros_like(x)))


def test_an_operator_is_made_by_its_name():
    x = draws(2, *SHAPE)
    assert_close(make_operator("blur", SHAPE, width=0.8)(x), OPERATORS["blur"](x))
    assert_close(make_operator("window", SHAPE, side=2)(x), OPERATORS["crop"](x)[..., :, :2])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Downsample(SHAPE, 4), r"factor is 4; expected a divisor of the sides of \(3, 4, 6\)"),
        (lambda: Grey((2, 4, 4)), "expected one for each of 2 channels"),
        (lambda: Blur(SHAPE, 0.0), "width is 0.0; expected a standard deviation"),
        (lambda: Crop(SHAPE, (3, 0, 2, 2)), "expected a window within images of shape"),
        (lambda: Exposure(SHAPE, -1.0), "gain is -1.0; expected above 0"),
        (lambda: Mask(torch.full(SHAPE, 0.5)), "expected .* of bools or of zeros and ones"),
        (lambda: Mask(torch.ones(4, 6)), r"kept has shape \(4, 6\)"),
        (lambda: hole(SHAPE, 5), "side is 5; expected 0 to 4, the image's shorter side"),
        (lambda: hole(SHAPE, -1), "side is -1"),
        (lambda: random_pixels(SHAPE, 5), "share is 5; expected a part of all pixels, 0 to 1"),
        (lambda: make_operator("smear", SHAPE), "no operator is called 'smear'; there are blur, crop"),
        (
            lambda: Blur(SHAPE, 1.0)(draws(2, 1, 4, 6)),
            r"x has shape \(2, 1, 4, 6\); this Blur maps \(B, 3, 4, 6\)",
        ),
        (lambda: window(SHAPE, 2).pseudo_inverse(draws(1, *SHAPE)), r"y has shape \(1, 3, 4, 6\); this Crop"),
    ],
)
def test_what_can_not_be_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
