"""What all solvers of inverse problems share: a denoiser as the prior, an operator, y and its noise."""

from collections.abc import Iterator

from torch import Tensor
from tqdm.auto import tqdm

from coursekit.models.diffusion import Denoises, Prediction, Sampler, even_times
from coursekit.tasks.linear import LinearOperator, Operator


class Solver:
    """Draws x given y = A(x) + noise * eps, one draw for each row of y; a subclass gives `walk`.

    To have k draws for each measurement, repeat its rows: y.repeat_interleave(k, 0).
    """

    linear = True
    """Whether the operator must be a `LinearOperator`."""

    divides = False
    """Whether x_t is divided by alpha, of which some paths leave nothing at t = 1."""

    def __call__(
        self,
        denoiser: Denoises,
        operator: Operator,
        y: Tensor,
        noise: float,
        steps: int = 50,
        *,
        c: Tensor | None = None,
        x: Tensor | None = None,
        times: Tensor | None = None,
        progress: bool = False,
    ) -> Tensor:
        """Draws given y: (B, *y_shape) -> (B, *shape).

        Args:
            denoiser: the prior: a model's `guided()`, its `denoiser`, or an exact one.
            operator: A.
            y: measurements, (B, *y_shape).
            noise: standard deviation of their noise, in units of y, at least 0.
            steps: number of equal steps from t = 1 to t = 0.
            c: the prior's condition, where it has one, a row for each of y; not for `Direct`, whose
                condition is the picture of y.
            x: where to start, (B, *shape); None draws it from the path's prior.
            times: all times, (steps + 1,), falling, in place of `steps`. They should begin at t = 1, where
                x is taken to be noise of the path's deviation.
            progress: show a bar if it takes more than a second.

        Raises:
            TypeError: a solver for linear operators got another one.
            ValueError: y or x has another shape, noise is negative, times do not fall, or the solver divides
                by alpha(t) and the path's is 0 at the first time.
        """
        self.check(operator, y, noise)
        times = even_times(y, steps) if times is None else times.to(y)
        self.check_start(denoiser, operator, y, x, times)
        denoiser = denoiser if c is None else Given(denoiser, c)
        x = denoiser.path.prior_sample(len(y), operator.shape, y, times[0].item()) if x is None else x
        bar = tqdm(total=len(times) - 1, unit="step", delay=1, disable=not progress)
        with bar:
            for after in self.walk(denoiser, operator, y, noise, x, times):  # noqa: B007
                bar.update()
        return after

    def check(self, operator: Operator, y: Tensor, noise: float) -> None:
        """Raise unless this solver can take these."""
        if self.linear and not isinstance(operator, LinearOperator):
            raise TypeError(
                f"{type(operator).__name__} is not linear, and {type(self).__name__} needs a linear operator;"
                " take DPS, which needs gradients alone, or a model conditioned on y with Direct"
            )
        operator.check(y, operator.y_shape, "y")
        if noise < 0:
            raise ValueError(f"noise is {noise}; expected a standard deviation, at least 0")

    def check_start(
        self, denoiser: Denoises, operator: Operator, y: Tensor, x: Tensor | None, times: Tensor
    ) -> None:
        """Raise unless this solver can start there."""
        if len(times) < 2 or not (times.diff() < 0).all():
            raise ValueError(f"times are {times.tolist()}; expected at least two, falling")
        expected = (len(y), *operator.shape)
        if x is not None and x.shape != expected:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected {expected}, a start for each row of y")
        if self.divides and not denoiser.path.scale(times[:1]).item() > 0:
            raise ValueError(
                f"at t = {times[0].item():g} a path of the kind {type(denoiser.path).__name__} holds no data,"
                f" and {type(self).__name__} divides by what is left: take Reread(denoiser, VP())"
            )

    def walk(
        self, denoiser: Denoises, operator: Operator, y: Tensor, noise: float, x: Tensor, times: Tensor
    ) -> Iterator[Tensor]:
        """Yields x after each step between `times`, (steps + 1,)."""
        raise NotImplementedError


class Given:
    """A denoiser with its condition put in, p(x_0 | c) for p(x_0).

    Args:
        denoiser: conditional.
        c: a row for each of x_t.
    """

    def __init__(self, denoiser: Denoises, c: Tensor):
        self.denoiser, self.c, self.path = denoiser, c, denoiser.path

    def predict(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Prediction:
        """The prediction given its own condition; another one is an error."""
        if c is not None:
            raise ValueError(
                "got a second condition; Direct takes none, since it hands over the picture of y"
            )
        return self.denoiser.predict(x_t, t, self.c)


class Direct(Solver):
    """Samples a model of p(x | y) itself, trained with the picture of y as its condition, as the recipe
    `unet_restoration` trains it. The noise is what it was trained with.

    Args:
        sampler: any.
    """

    linear = False

    def __init__(self, sampler: Sampler):
        self.sampler = sampler

    def walk(
        self, denoiser: Denoises, operator: Operator, y: Tensor, noise: float, x: Tensor, times: Tensor
    ) -> Iterator[Tensor]:
        yield from self.sampler.walk(denoiser, x, times, operator.picture(y))
