"""What does a training step through `fit` cost beside a hand-written loop of the same model?"""

import contextlib
import io
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bench.pairs import Block, ratio
from coursekit import train
from coursekit.models.vae import VAE, BernoulliDecoder
from coursekit.nets import MLP, ConvDecoder, ConvEncoder

SHAPE = (1, 28, 28)
ALLOWED = 1.05


def mlp_vae() -> VAE:
    """784-256-256 each way, 16 latents."""
    return VAE(MLP(SHAPE, 32), BernoulliDecoder(MLP(16, 784), SHAPE), 16)


def conv_vae() -> VAE:
    """Two strided convolutions each way, 16 and 32 channels, 16 latents."""
    encoder, decoder = ConvEncoder(SHAPE, 32, width=16), ConvDecoder(16, SHAPE, width=16)
    return VAE(encoder, BernoulliDecoder(decoder, SHAPE), 16)


def by_hand(make: Callable[[], nn.Module], x: Tensor, steps: int, batch_size: int) -> Block:
    """The loop that one would write: batch, loss, backward, step; no log, no check."""

    def block() -> Callable[[], None]:
        model = make().train()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
        rows = torch.randint(len(x), (steps + 3, batch_size))

        def work(start: int = 3, stop: int = steps + 3) -> None:
            for step in range(start, stop):
                loss = -model.elbo(x[rows[step]]).mean()
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()

        work(0, 3)
        return work

    return block


def by_fit(make: Callable[[], nn.Module], x: Tensor, steps: int, batch_size: int) -> Block:
    """The same through the trainer, with its progress bar, history and checks."""

    def block() -> Callable[[], None]:
        trainer = train.Trainer(make(), x, batch_size=batch_size, device="cpu")
        trainer.run(3, progress=False)

        def work() -> None:
            with contextlib.redirect_stderr(io.StringIO()):
                trainer.run(steps + 3)

        return work

    return block


def main(pairs: int = 15, steps: int = 100, batch_size: int = 128) -> bool:
    """Print the ratios; returns whether each median is within what is allowed."""
    x = (torch.rand(2000, *SHAPE) < 0.2).float()
    within = True
    print(
        f"training step, {pairs} pairs of {steps} steps, batch {batch_size}: median [range], limit {ALLOWED}"
    )
    for make in (mlp_vae, conv_vae):
        hand, fit = (side(make, x, steps, batch_size) for side in (by_hand, by_fit))
        through_fit, noise = ratio(fit, hand, pairs), ratio(hand, hand, pairs)
        within &= through_fit.median <= ALLOWED
        print(f"  {make.__name__:9} fit / by hand {through_fit}   by hand / by hand {noise}")
    return within
