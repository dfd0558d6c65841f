"""Mean log-likelihoods against exact values."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from coursekit.metrics.likelihood import Estimate, bits_per_dim, evaluate, per_symbol


class Standard(nn.Module):
    """N(0, I), exactly; and a noisy "bound" on it that lies 1 below on average."""

    def log_prob(self, x: Tensor, c: Tensor | None = None, shift: float = 0.0) -> Tensor:
        assert not self.training
        return (-0.5 * x.square() - 0.5 * math.log(2 * math.pi)).flatten(1).sum(1) + shift

    def elbo(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return self.log_prob(x) - 2 * torch.rand(len(x))


class Numbered:
    """Rows 0 .. n - 1 in order, as a data set whose last batch runs into the next epoch."""

    def __init__(self, x: Tensor):
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[Tensor, None]:
        return self.x[torch.arange(step * size, (step + 1) * size) % len(self)], None


class Endless:
    """Standard normal rows without end."""

    def batch(self, step: int, size: int, seed: int = 0) -> tuple[Tensor, None]:
        return torch.randn(size, 3, generator=torch.Generator().manual_seed(1000 * seed + step)), None


@pytest.fixture
def x() -> Tensor:
    return torch.randn(23, 1, 2, 2, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: (x, torch.zeros(len(x))), Numbered])
@pytest.mark.parametrize("batch_size", [1, 5, 23, 100])
def test_every_row_counts_once_whatever_the_batches(wrap, batch_size, x):
    """23 rows leave a rest in every batch size but one; filled-up batches must be cut."""
    values = Standard().eval().log_prob(x).double()
    estimate = evaluate(Standard(), wrap(x), batch_size=batch_size, progress=False)
    assert estimate.n == 23
    assert_close(estimate.mean, values.mean().item())
    assert_close(estimate.stderr, (values.var() / 23).sqrt().item())


def test_keywords_reach_the_method_and_the_mode_comes_back(x):
    """k of an importance-weighted estimate travels this way."""
    model = Standard()
    shifted = evaluate(model, x, shift=2.0, progress=False)
    assert_close(shifted.mean - evaluate(model, x, progress=False).mean, 2.0)
    assert model.training


def test_noise_follows_the_seed_and_leaves_the_callers_state_alone(x):
    """An evaluation in a chapter changes no later cell."""
    torch.manual_seed(3)
    before = torch.get_rng_state()
    runs = [evaluate(Standard(), x, method="elbo", seed=seed, progress=False) for seed in (0, 0, 1)]
    assert torch.equal(before, torch.get_rng_state())
    assert runs[0] == runs[1] != runs[2]


def test_an_endless_set_needs_a_number_of_rows():
    """The mean of N(0, I)'s log-density is minus its entropy: -3/2 (1 + log 2 pi), within 4 errors."""
    with pytest.raises(ValueError, match="Endless is endless: say how many rows"):
        evaluate(Standard(), Endless(), progress=False)
    estimate = evaluate(Standard(), Endless(), n=5000, batch_size=999, progress=False)
    assert abs(estimate.mean + 1.5 * (1 + math.log(2 * math.pi))) < 4 * estimate.stderr


def test_bits_per_dimension_of_uniform_noise_are_the_bits_of_a_level():
    """A uniform density on [-1, 1] gives a level of 256 the probability 1/255; discrete data have no bins."""
    uniform = Estimate(-12 * math.log(2), 12 * 0.1 * math.log(2), 10)
    density = bits_per_dim(uniform, 12, levels=256)
    assert_close((density.mean, density.stderr), (math.log2(255), 0.1))
    assert_close(bits_per_dim(uniform, 12).mean, 1.0)
    with pytest.raises(ValueError, match="computed from nats"):
        bits_per_dim(density, 12)


def test_a_model_without_the_method_is_refused(x):
    """A GAN has no likelihood, and the message says what is missing."""
    with pytest.raises(TypeError, match="Linear has no log_prob"):
        evaluate(nn.Linear(1, 1), x, progress=False)


def test_a_value_that_is_not_finite_is_refused_with_its_row(x):
    """One infinite row would make the whole mean infinite."""
    x[7] = math.inf
    with pytest.raises(ValueError, match=r"log_prob is -inf at row 7 \(1 of 23 rows"):
        evaluate(Standard(), x, progress=False)


class Bigrams(nn.Module):
    """p(x_t | x_{t-1}) from a table; x_1 is given, or with given = 0 uniform."""

    def __init__(self, given: int):
        super().__init__()
        self.given = given
        self.table = nn.Parameter(torch.randn(5, 5, generator=torch.Generator().manual_seed(0)))

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        pairs = self.table.log_softmax(-1)[x[:, :-1], x[:, 1:]].sum(1)
        return pairs if self.given else pairs - math.log(5)


class Windows:
    """A text in windows of 4, the last one shorter, which overlap as asked."""

    def __init__(self, text: Tensor):
        self.text = text

    def windows(self, size: int, overlap: int):
        starts = range(0, len(self.text) - overlap, 4 - overlap)
        pieces = [self.text[start : start + 4] for start in starts]
        for n in range(0, len(pieces) - 1, size):
            yield torch.stack(pieces[n : min(n + size, len(pieces) - 1)])
        yield pieces[-1][None]


@pytest.mark.parametrize("size", [1, 3, 50])
def test_every_symbol_of_a_text_is_scored_once(size):
    """Where one symbol of context is all that counts, windows that share one give the whole text's score."""
    text = torch.randint(5, (42,), generator=torch.Generator().manual_seed(1))
    model = Bigrams(given=1)
    found = per_symbol(model, Windows(text), batch_size=size, progress=False)
    assert found.mean == pytest.approx(model.log_prob(text[None]).item() / 41)
    assert (found.n, found.unit) == (41, "nats per symbol")
    assert model.training


def test_windows_of_a_model_that_scores_its_first_symbol_do_not_overlap():
    """42 symbols, each scored once, eleven of them as the first of a window."""
    text = torch.randint(5, (42,), generator=torch.Generator().manual_seed(1))
    model = Bigrams(given=0)
    found = per_symbol(model, Windows(text), progress=False)
    inside = model.table.log_softmax(-1)[text[:-1], text[1:]]
    inside = inside[[t % 4 != 3 for t in range(41)]].sum().item()
    assert found.mean == pytest.approx((inside - 11 * math.log(5)) / 42)
    assert found.n == 42


def test_the_first_windows_alone_can_be_scored():
    text = torch.randint(5, (42,), generator=torch.Generator().manual_seed(1))
    model = Bigrams(given=1)
    found = per_symbol(model, Windows(text), n=5, batch_size=2, progress=False)
    assert found.mean == pytest.approx(model.log_prob(text[None, :16]).item() / 15)
    assert found.n == 15
