"""Posterior sampling by scores: grad log p(x_t | y) = grad log p(x_t) + grad log p(y | x_t)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn

from coursekit.models.diffusion import DDIM, Denoises, Path, Prediction, Sampler, ancestral_step
from coursekit.models.diffusion.denoiser import same_time
from coursekit.tasks.linear import LinearOperator, Operator
from coursekit.tasks.solver import Solver

Covariance = Callable[[Tensor], Tensor]


class LikelihoodGuided(nn.Module):
    """A denoiser of p(x_0 | y): score = score(x_t) + grad log N(y; A x_0(x_t), noise^2 I + A C_t A^T).

    It is exact where x_0 given x_t is Gaussian with the covariance C_t; C_t = 0 is Jensen's approximation,
    which takes A at the mean of x_0 for the mean over x_0.

    Args:
        denoiser: of p(x_0).
        operator: A; linear, unless C_t is 0.
        y: measurements, (B, *y_shape).
        noise: their standard deviation; above 0 where C_t is 0.
        covariance: t -> C_t, (B,) -> (B, D, D); None is 0. With one all rows must be at one time.

    Raises:
        TypeError: a covariance for an operator that is not linear.
        ValueError: neither noise nor a covariance.

    Source: Chung et al. 2023 (arXiv:2209.14687), eq. (11), for C_t = 0.
    """

    def __init__(
        self,
        denoiser: Denoises,
        operator: Operator,
        y: Tensor,
        noise: float,
        covariance: Covariance | None = None,
    ):
        super().__init__()
        if covariance is None and not noise > 0:
            raise ValueError(f"noise is {noise}; without a covariance of x_0 it must be above 0")
        if covariance is not None and not isinstance(operator, LinearOperator):
            raise TypeError(f"{type(operator).__name__} is not linear; a covariance of x_0 needs a matrix")
        self.denoiser, self.operator, self.noise = denoiser, operator, noise
        self.register_buffer("y", y, persistent=False)
        self.covariance = covariance
        self.matrix = None if covariance is None else operator.matrix()

    @property
    def path(self) -> Path:
        """The denoiser's own."""
        return self.denoiser.path

    def predict(self, x_t: Tensor, t: Tensor, c: Tensor | None = None) -> Prediction:
        """The guided prediction: (B, *), (B,) -> each (B, *)."""
        with torch.enable_grad():
            x_t = x_t.detach().requires_grad_()
            prediction = self.denoiser.predict(x_t, t, c)
            rest = self.y - self.operator(prediction.x0)
            weighed = self._weigh(rest.detach(), t)
            (slope,) = torch.autograd.grad((rest * weighed).sum(), x_t)
        scale, noise = self.path.at(t, x_t)
        # grad of -|rest|^2 / 2 is minus that of rest times its fixed self; x_0 by Tweedie's formula
        x0, eps = prediction.x0 - noise.square() / scale * slope, prediction.eps + noise * slope
        spread = None if prediction.spread is None else prediction.spread.detach()
        return replace(prediction, x_t=x_t.detach(), x0=x0.detach(), eps=eps.detach(), spread=spread)

    def _weigh(self, rest: Tensor, t: Tensor) -> Tensor:
        """(noise^2 I + A C_t A^T)^-1 rest: (B, *y_shape) -> the same."""
        if self.covariance is None:
            return rest / self.noise**2
        if (t != t[0]).any():
            raise ValueError("t holds several times; with a covariance of x_0 all rows must be at one time")
        A, C = self.matrix.to(rest.device), self.covariance(t[:1])[0].double()
        total = A @ C @ A.T + self.noise**2 * torch.eye(len(A), dtype=A.dtype, device=A.device)
        return torch.linalg.solve(total, rest.flatten(1).double().T).T.to(rest).view_as(rest)


class Guided(Solver):
    """Any sampler, run on `LikelihoodGuided`.

    With `ExactGaussian.remaining` as the covariance, and that Gaussian as the prior, it draws from the
    posterior up to the sampler's own error. Without one, steps must be small beside noise^2, or it diverges.

    Args:
        covariance: as for `LikelihoodGuided`.
        sampler: None is `DDIM()`.
    """

    divides = True

    def __init__(self, covariance: Covariance | None = None, sampler: Sampler | None = None):
        self.covariance, self.sampler, self.linear = covariance, sampler or DDIM(), covariance is not None

    def walk(
        self, denoiser: Denoises, operator: Operator, y: Tensor, noise: float, x: Tensor, times: Tensor
    ) -> Iterator[Tensor]:
        yield from self.sampler.walk(
            LikelihoodGuided(denoiser, operator, y, noise, self.covariance), x, times
        )


class DPS(Solver):
    """Ancestral steps, each followed by x <- x - step * grad |y - A(x_0(x_t))|, the norm over a row.

    The gradient, with respect to x_t, is Jensen's; its length is set by hand, and the measurement's noise
    is not read. The passes back make it about twice as dear as sampling.

    Args:
        step: above 0; zeta' of the paper is half of it.

    Source: Chung et al. 2023 (arXiv:2209.14687), algorithm 1 with the step size of section 3.3.
    """

    linear = False

    def __init__(self, step: float = 1.0):
        if not step > 0:
            raise ValueError(f"step is {step}; expected above 0")
        self.step = step

    @torch.no_grad()
    def walk(
        self, denoiser: Denoises, operator: Operator, y: Tensor, noise: float, x: Tensor, times: Tensor
    ) -> Iterator[Tensor]:
        for t, s in pairwise(times):
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                prediction = denoiser.predict(x, same_time(t, x))
                length = (y - operator(prediction.x0)).flatten(1).norm(dim=1)
                (slope,) = torch.autograd.grad(length.sum(), x)
            x = ancestral_step(prediction, same_time(s, x)).detach() - self.step * slope
            yield x
