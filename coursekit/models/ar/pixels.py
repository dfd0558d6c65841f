"""Autoregressive models of images."""

from functools import partial
from typing import Protocol

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.distributions import Distribution, Independent
from tqdm.auto import tqdm

from coursekit.models.ar.outputs import check_levels
from coursekit.nets import CausalNet
from coursekit.protocols import Losses


class Output(Protocol):
    """Reads P = `features` numbers as a distribution over one subpixel's levels: (..., P) -> batch (...)."""

    features: int
    levels: int

    def __call__(self, parameters: Tensor) -> Distribution: ...


class PixelModel(nn.Module):
    """p(x | c) = prod_i p(x_i | x_<i, c), over the subpixels of an image in the network's order; exact.

    x holds levels, whole numbers 0 .. levels - 1 as floats ({0, 1} for two of them).

    Args:
        net: the parameters of all conditionals, (B, C, H, W) -> (B, C P, H, W).
        output: what they are the parameters of.

    Raises:
        ValueError: net and output disagree on P or on the number of levels.
    """

    def __init__(self, net: CausalNet, output: Output):
        super().__init__()
        if (net.out_features, net.levels) != (output.features, output.levels):
            raise ValueError(
                f"the net has out_features={net.out_features}, levels={net.levels}; {type(output).__name__}"
                f" needs out_features={output.features}, levels={output.levels}"
            )
        self.net, self.output = net, output

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape (C, H, W) of one image."""
        return self.net.shape

    def conditionals(self, x: Tensor, c: Tensor | None = None) -> Distribution:
        """p(x_i | x_<i, c) of all subpixels in one pass: (B, C, H, W) -> batch (B,), event (C, H, W)."""
        parameters = rearrange(self.net(x, c), "b (c p) h w -> b c h w p", p=self.output.features)
        return Independent(self.output(parameters.to(x.dtype)), 3, validate_args=False)

    def log_prob(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """log p(x | c), exact: (B, C, H, W) -> (B,), nats."""
        return self.conditionals(x, c).log_prob(x)

    def losses(self, x: Tensor, c: Tensor | None = None) -> Losses:
        """One player, "model"; minus the exact log-likelihood, averaged over the batch."""
        yield "model", -self.log_prob(x, c).mean()

    @torch.no_grad()
    def sample(
        self,
        n: int,
        c: Tensor | None = None,
        *,
        given: Tensor | None = None,
        cached: bool = True,
        progress: bool = True,
    ) -> Tensor:
        """n draws, one subpixel after the other: (n, C, H, W).

        Args:
            n: number of images.
            c: condition, as for the network.
            given: images to complete, (n, C, H, W) or (C, H, W): levels where known, NaN where to be drawn.
                The draws follow p(rest | given) if in the network's order all that is known comes first; what
                is known later is kept, but does not influence what is drawn before it.
            cached: whether the network keeps what it computed for earlier subpixels; the result is the same.
            progress: show a bar if it takes more than a second.

        Raises:
            ValueError: `given` has another shape or holds no levels; the condition is not one for n images.
        """
        x = next(self.parameters()).new_zeros(n, *self.shape)
        unknown = None
        if given is not None:
            if tuple(given.shape) not in (self.shape, (n, *self.shape)):
                raise ValueError(
                    f"given has shape {tuple(given.shape)}; expected {(n, *self.shape)} or {self.shape}"
                )
            unknown = given.isnan().to(x.device).expand_as(x)
            x += given.to(x).nan_to_num(0.0)
            check_levels(x, self.output.levels)
        conditionals = self.net.conditionals if cached else partial(CausalNet.conditionals, self.net)
        bar = tqdm(total=x[0].numel(), unit="subpixel", delay=1, disable=not progress)
        with bar:
            for place, parameters in conditionals(x, c):
                at = (slice(None), *place)
                drawn = self.output(parameters.to(x.dtype)).sample()
                x[at] = drawn if unknown is None else torch.where(unknown[at], drawn, x[at])
                bar.update()
        return x
