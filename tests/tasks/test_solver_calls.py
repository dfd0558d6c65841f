"""What every solver takes, and what it refuses with words."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from coursekit.models.diffusion import DDIM, VE, VP, ExactGaussian, Reread, Straight
from coursekit.tasks import DDRM, DPS, Direct, Exposure, Guided, LikelihoodGuided, Replacement, Solver
from tests.tasks.gaussian import MASK, MEAN, OPERATORS, SHAPE, SMOOTH, each

TWO_TIMES = torch.tensor([0.2, 0.8])


class Deaf:
    """A prior that ignores the picture that `Direct` hands over: an exact one takes none."""

    def __init__(self, prior):
        self.prior, self.path = prior, prior.path

    def predict(self, x_t, t, c=None):
        return self.prior.predict(x_t, t)


SOLVERS: dict[str, Callable[[ExactGaussian], Solver]] = {
    "replacement": lambda prior: Replacement(2),
    "dps": lambda prior: DPS(0.3),
    "ddrm": lambda prior: DDRM(),
    "guided": lambda prior: Guided(prior.remaining),
    "direct": lambda prior: Direct(DDIM()),
}
solved = pytest.mark.parametrize("make", SOLVERS.values(), ids=SOLVERS)


@solved
def test_every_path_and_shape_is_taken(make):
    """A path without a variance of one at its end, through `Reread`; a finite result of the image's shape."""
    prior, operator = ExactGaussian(MEAN, SMOOTH, VP()), OPERATORS["crop"]
    reread = Deaf(Reread(prior, VE(0.01, 10.0)))
    x = make(prior)(reread, operator, torch.zeros(2, *operator.y_shape), 0.1, 10)
    assert x.shape == (2, *SHAPE)
    assert torch.isfinite(x).all()


class OfClass:
    """One exact prior for each class; all rows ask for the same."""

    def __init__(self, *priors):
        self.priors, self.path = priors, priors[0].path

    def predict(self, x_t, t, c=None):
        return self.priors[c.unique().item()].predict(x_t, t)


@pytest.mark.parametrize("name", ["replacement", "dps", "ddrm", "guided"])
def test_a_prior_of_a_class_is_asked_for_that_class(name):
    """With c, a conditional prior draws what the prior of that class alone draws."""
    first, second = ExactGaussian(MEAN, SMOOTH, VP()), ExactGaussian(-MEAN, SMOOTH, VP())
    solver, y, drawn = SOLVERS[name](second), torch.zeros(2, *SHAPE), []
    for prior, given in ((second, {}), (OfClass(first, second), {"c": torch.ones(2, dtype=torch.long)})):
        torch.manual_seed(0)
        drawn.append(solver(prior, MASK, y, 0.1, 4, **given))
    assert_close(*drawn, rtol=0, atol=0)


def test_direct_has_a_condition_already():
    prior = ExactGaussian(MEAN, SMOOTH, VP())
    with pytest.raises(ValueError, match="got a second condition; Direct takes none"):
        Direct(DDIM())(Deaf(prior), MASK, torch.zeros(2, *SHAPE), 0.1, 4, c=torch.ones(2))


@solved
@each
def test_a_solver_runs_where_its_measurement_is(operator, make, device):
    """And in its precision; `--device cuda` tells whether tables go along."""
    prior = ExactGaussian(MEAN, SMOOTH, VP()).to(device)
    y = torch.zeros(2, *operator.y_shape, device=device)
    x = make(prior)(Deaf(prior), operator, y, 0.1, 4)
    assert (x.device.type, x.dtype, x.shape) == (device.type, torch.float32, (2, *SHAPE))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda p, y: DDRM()(p, Exposure(SHAPE, 2.0), y, 0.1), TypeError, "Exposure is not linear, and DDRM"),
        (lambda p, y: Replacement()(p, Exposure(SHAPE, 2.0), y, 0.1), TypeError, "take DPS"),
        (lambda p, y: DPS()(p, OPERATORS["crop"], y, 0.1), ValueError, r"y has shape \(1, 1, 2, 4\)"),
        (lambda p, y: DPS()(p, OPERATORS["mask"], y, -0.1), ValueError, "noise is -0.1"),
        (lambda p, y: Guided()(p, OPERATORS["mask"], y, 0.0), ValueError, "it must be above 0"),
        (
            lambda p, y: Guided(p.remaining)(p, Exposure(SHAPE, 2.0), y, 0.1),
            TypeError,
            "Exposure is not linear",
        ),
        (
            lambda p, y: exactly_guided(p, y).predict(y.expand(2, -1, -1, -1), TWO_TIMES),
            ValueError,
            "several times",
        ),
        (
            lambda p, y: LikelihoodGuided(p, Exposure(SHAPE, 2.0), y, 0.1, p.remaining),
            TypeError,
            "needs a matrix",
        ),
        (lambda p, y: DPS()(p, MASK, y, 0.1, times=torch.ones(1)), ValueError, "at least two, falling"),
        (lambda p, y: DPS()(p, MASK, y, 0.1, times=torch.arange(3.0)), ValueError, "at least two, falling"),
        (lambda p, y: DPS()(p, MASK, y, 0.1, x=y[0]), ValueError, "a start for each row of y"),
        (lambda p, y: DPS(0.0), ValueError, "step is 0.0"),
        (lambda p, y: DDRM(1.5), ValueError, "eta is 1.5"),
        (lambda p, y: Replacement(0), ValueError, "resampling is 0"),
    ],
)
def test_what_can_not_be_is_named(call, kind, words):
    with pytest.raises(kind, match=words):
        call(ExactGaussian(MEAN, SMOOTH, VP()), torch.zeros(1, *SHAPE))


@pytest.mark.parametrize("make", [SOLVERS["ddrm"], SOLVERS["guided"]])
def test_what_divides_by_the_data_left_names_a_path_that_leaves_none(make):
    """The straight path is pure noise at t = 1, where all pixels would be NaN; another path is not."""
    prior, y = ExactGaussian(MEAN, SMOOTH, Straight()), torch.zeros(1, *SHAPE)
    with pytest.raises(ValueError, match="at t = 1 a path of the kind Straight holds no data"):
        make(prior)(prior, MASK, y, 0.1, 4)
    assert make(prior)(prior, MASK, y, 0.1, times=torch.tensor([0.9, 0.4, 0.0])).isfinite().all()
    elsewhere = ExactGaussian(MEAN, SMOOTH, VP())
    assert make(elsewhere)(Reread(prior, VP()), MASK, y, 0.1, 4).isfinite().all()


@pytest.mark.parametrize("make", [SOLVERS["replacement"], SOLVERS["dps"], SOLVERS["direct"]])
def test_what_does_not_divide_takes_the_straight_path(make):
    prior = ExactGaussian(MEAN, SMOOTH, Straight())
    assert make(prior)(Deaf(prior), MASK, torch.zeros(1, *SHAPE), 0.1, 4).isfinite().all()


def exactly_guided(prior: ExactGaussian, y: Tensor) -> LikelihoodGuided:
    return LikelihoodGuided(prior, OPERATORS["mask"], y, 0.1, prior.remaining)
