"""Image models: probabilities that sum to one, draws that follow them, with a memory and without."""

import pytest
import torch
from torch.testing import assert_close

from coursekit import data, train
from coursekit.models.ar import BernoulliOutput, CategoricalOutput, LogisticMixtureOutput, PixelModel
from tests.models.ar.image_nets import NETS, net

NAMES = list(NETS)


def model(name: str, shape: tuple[int, int, int] = (1, 3, 3), output=None, c_dim: int = 0) -> PixelModel:
    output = output or BernoulliOutput()
    sizes = {"out_features": output.features, "levels": output.levels, "c_dim": c_dim}
    return PixelModel(net(name, shape, **sizes), output)


def every(shape: tuple[int, int, int], levels: int) -> torch.Tensor:
    """All images there are, (levels ** D, C, H, W)."""
    grid = torch.cartesian_prod(*[torch.arange(levels).double()] * torch.Size(shape).numel())
    return grid.reshape(-1, *shape)


@torch.no_grad()
def total(m: PixelModel, c: torch.Tensor | None = None) -> float:
    """The sum of p(x | c) over all images."""
    parts = every(m.shape, m.output.levels).split(8192)
    return sum(m.log_prob(x, None if c is None else c.expand(len(x))).exp().sum().item() for x in parts)


@pytest.mark.parametrize("name", NAMES)
def test_the_probabilities_of_all_binary_images_sum_to_one(name):
    """2^9 images of 3 x 3: the chain rule needs no normalizing constant, given a condition either."""
    assert total(model(name)) == pytest.approx(1, abs=1e-12)
    assert total(model(name, c_dim=4), torch.tensor([3])) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    "output", [CategoricalOutput(3), LogisticMixtureOutput(2, 3)], ids=["softmax", "mix"]
)
@pytest.mark.parametrize("name", NAMES)
def test_the_probabilities_of_all_colour_images_sum_to_one(name, output):
    """3^6 images of two pixels with R, G and B in three levels."""
    assert total(model(name, (3, 1, 2), output)) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("output", [CategoricalOutput(), LogisticMixtureOutput(3)], ids=["softmax", "mix"])
def test_the_probabilities_of_all_pairs_of_256_levels_sum_to_one(output):
    """65,536 images of two pixels."""
    assert total(model("fvbn", (1, 1, 2), output)) == pytest.approx(1, abs=1e-10)


def test_log_prob_is_the_product_of_conditionals_taken_one_by_one():
    """Logistic regressions by hand, in the order of the pixels."""
    m, x = model("fvbn", (1, 2, 2)), every((1, 2, 2), 2)
    w, b = m.net.out.weight, m.net.out.bias
    flat, expected = 2 * x.flatten(1) - 1, 0.0
    for i in range(4):
        p = torch.sigmoid(b[i] + flat[:, :i] @ w[i, :i])
        expected = expected + torch.where(x.flatten(1)[:, i] == 1, p, 1 - p).log()
    assert_close(m.log_prob(x), expected)
    ((player, loss),) = m.losses(x)
    assert player == "model"
    assert_close(loss, -expected.mean())


def drawn(m: PixelModel, seed: int = 3, **keywords) -> torch.Tensor:
    torch.manual_seed(seed)
    return m.sample(6, progress=False, **keywords)


@pytest.mark.parametrize("output", [BernoulliOutput(), CategoricalOutput(5), LogisticMixtureOutput(2, 5)])
@pytest.mark.parametrize("shape", [(1, 4, 3), (3, 2, 3)], ids=["grey", "colour"])
@pytest.mark.parametrize("name", NAMES)
def test_sampling_with_a_memory_draws_the_same_images(name, shape, output):
    """From the same noise: unconditionally, with labels, and around given pixels."""
    plain, conditional = model(name, shape, output), model(name, shape, output, c_dim=3)
    labels = torch.tensor([0, 1, 2, 2, 1, 0])
    given = torch.full((6, *shape), torch.nan, dtype=torch.double)
    given[:, :, 0] = 1.0
    for m, keywords in [(plain, {}), (conditional, {"c": labels}), (plain, {"given": given})]:
        assert torch.equal(drawn(m, **keywords), drawn(m, cached=False, **keywords))


@pytest.mark.parametrize("name", NAMES)
def test_samples_follow_the_probabilities(name):
    """4,000 draws of 2 x 2 binary images: each of the 16 counts lies within 5 standard deviations."""
    m, n = model(name, (1, 2, 2)), 4000
    torch.manual_seed(0)
    index = (m.sample(n, progress=False).flatten(1) @ torch.tensor([8.0, 4, 2, 1]).double()).long()
    p = m.log_prob(every((1, 2, 2), 2)).exp()
    count = index.bincount(minlength=16)
    assert ((count - n * p).abs() < 5 * (n * p * (1 - p)).sqrt() + 1).all()


def test_completions_follow_the_conditional_distribution():
    """p(lower row | upper row), by enumeration; the upper row stays as it was given."""
    m, n = model("gated", (1, 2, 2)), 4000
    given = torch.tensor([[[1.0, 0.0], [torch.nan, torch.nan]]])
    torch.manual_seed(0)
    x = m.sample(n, given=given, progress=False)
    assert torch.equal(x[:, 0, 0], given[0, 0].expand(n, 2).double())
    p = m.log_prob(every((1, 2, 2), 2)).exp()[8:12]  # images 1 0 / a b
    p = p / p.sum()
    count = (x[:, 0, 1] @ torch.tensor([2.0, 1]).double()).long().bincount(minlength=4)
    assert ((count - n * p).abs() < 5 * (n * p * (1 - p)).sqrt() + 1).all()


def test_what_is_given_stays_even_where_it_comes_late():
    """Known pixels at the end of the order are kept, each image its own."""
    given = torch.full((6, 1, 3, 3), torch.nan)
    given[:, 0, 2, 1:] = torch.arange(12).reshape(6, 2) % 2
    x = drawn(model("made"), given=given)
    assert torch.equal(x[~given.isnan()], given[~given.isnan()].double())
    assert not x.isnan().any()


def test_the_condition_changes_the_probabilities():
    x = every((1, 2, 2), 2)
    for name in NAMES:
        m = model(name, (1, 2, 2), c_dim=2)
        zeros, ones = (torch.full((16,), label) for label in (0, 1))
        assert (m.log_prob(x, zeros) - m.log_prob(x, ones)).abs().min() > 1e-6, name


def independent(train_x: torch.Tensor, x: torch.Tensor) -> float:
    """Mean log-probability under pixels that are independent, with the frequencies of the training set."""
    p = train_x.mean(0).clamp(0.01, 0.99)
    return (x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(1).mean().item()


def test_a_trained_model_beats_independent_pixels():
    """On handwritten digits it has not seen: pixels tell about each other."""
    train_set, x = data.digits().binarized(0.5), data.digits(train=False).binarized(0.5).x
    torch.manual_seed(0)
    m = PixelModel(NETS["fvbn"]((1, 8, 8)), BernoulliOutput())
    untrained = m.log_prob(x).mean().item()
    train.fit(m, train_set, 100, lr=0.03, progress=False, device="cpu")
    trained = m.log_prob(x).mean().item()
    assert trained > independent(train_set.x, x) + 5 > untrained + 5


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: PixelModel(net("fvbn", (1, 2, 2)), CategoricalOutput(4)), "needs out_features=4, levels=4"),
        (
            lambda: model("made").log_prob(torch.full((2, 1, 3, 3), 0.5).double()),
            r"x holds 0.5; .* ImageSet.binarized",
        ),
        (
            lambda: model("made", output=CategoricalOutput(4)).log_prob(
                torch.full((2, 1, 3, 3), 4.0).double()
            ),
            r"x holds 4; expected whole numbers in 0 \.\. 3: take ImageSet.discrete\(levels=4\)",
        ),
        (lambda: model("made").sample(2, given=torch.zeros(3, 1, 3, 3)), r"given has shape \(3, 1, 3, 3\)"),
        (lambda: model("made").sample(2, given=torch.full((1, 3, 3), 2.0)), "x holds 2"),
        (lambda: CategoricalOutput(1), "levels is 1"),
        (lambda: LogisticMixtureOutput(0), "components is 0"),
    ],
)
def test_what_does_not_fit_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
