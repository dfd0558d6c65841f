"""How fast does our Glow train beside normflows', at equal structure? On 1x28x28 images, on 2 threads."""

import sys
import warnings
from functools import partial

import torch
from torch import Tensor, nn

from bench.pairs import Block, Loss, launched, ratio, training
from coursekit.models.flows import glow

SCALES, FLOW_STEPS, WIDTH, BATCH, STEPS, THREADS = 2, 8, 128, 64, 3, 2
ATLEAST = 1.3


class Ours(nn.Module):
    """coursekit's, with standard normal latents at both scales."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = glow((1, 28, 28), SCALES, FLOW_STEPS, WIDTH, learnt_prior=False)

    def loss(self, x: Tensor) -> Tensor:
        """Mean nats."""
        return next(self.flow.losses(x))[1]


class Peer(nn.Module):
    """normflows': the same steps, with a scale and a shift for each latent."""

    def __init__(self) -> None:
        super().__init__()
        from normflows import MultiscaleFlow, distributions, flows, transforms

        def steps(channels: int) -> list[nn.Module]:
            return [*(flows.GlowBlock(channels, WIDTH) for _ in range(FLOW_STEPS)), flows.Squeeze()]

        bases = [distributions.DiagGaussian(shape) for shape in ((8, 7, 7), (2, 14, 14))]
        with warnings.catch_warnings():  # it calls torch.qr and torch.lu, which are deprecated
            warnings.simplefilter("ignore")
            scales = [steps(8), steps(4)]
        logit = transforms.Logit(1e-5)
        self.flow = MultiscaleFlow(bases, scales, [flows.Merge()], logit, class_cond=False)

    def loss(self, x: Tensor) -> Tensor:
        """Mean nats."""
        return -self.flow.log_prob(x, None).mean()


def steps_of(make: type[Ours] | type[Peer]) -> Block:
    """STEPS steps of Adam on random images."""

    def model() -> tuple[nn.Module, Loss]:
        made = make()
        return made, made.loss

    return training(model, partial(torch.rand, BATCH, 1, 28, 28), STEPS)


def main(launches: int = 3, blocks: int = 5) -> bool:
    """Print the ratio over fresh processes; returns whether its median is what it should be."""
    sizes = [sum(p.numel() for p in make().parameters()) for make in (Ours, Peer)]
    print(
        f"Glow, {SCALES} scales of {FLOW_STEPS} steps, width {WIDTH}, 1x28x28, batch {BATCH}, {THREADS}"
        f" threads, {launches} launches of {blocks} pairs: median [range]"
    )
    speed = launched("bench.glow", [str(blocks)], launches)
    print(f"  normflows ({sizes[1]:,} parameters) / ours ({sizes[0]:,}) {speed}, at least {ATLEAST}")
    return speed.median >= ATLEAST


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    result = ratio(*(steps_of(make) for make in (Peer, Ours)), int(sys.argv[1]))
    print(result.median)
