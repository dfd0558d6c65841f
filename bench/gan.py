"""How fast does our DCGAN train beside torchgan's, at equal structure? On 3x32x32 images, on 2 threads.

Ours goes through the trainer, theirs through the training step of its losses; both have fused Adam. Ours
draws fakes once a step, and no gradient runs into the critic's weights in the generator's turn.
"""

import sys
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from bench.pairs import Block, launched, ratio
from coursekit import train
from coursekit.models.gan import GAN
from coursekit.nets import DCGANCritic, DCGANGenerator

LATENT, SHAPE, WIDTH, BATCH, STEPS, THREADS = 100, (3, 32, 32), 64, 64, 32, 2
ATLEAST = 1.2


def adam(parameters: Iterable[Tensor], lr: float) -> Optimizer:
    """As in the paper."""
    return Adam(parameters, lr=lr, betas=(0.5, 0.999), fused=True)


def ours() -> tuple[nn.Module, nn.Module]:
    """Generator and critic of coursekit."""
    return DCGANGenerator(LATENT, SHAPE, WIDTH), DCGANCritic(SHAPE, WIDTH)


def theirs() -> tuple[nn.Module, nn.Module]:
    """Generator and critic of torchgan, with the paper's ReLUs in the generator and raw scores."""
    from torchgan.models import DCGANDiscriminator, DCGANGenerator

    generator = DCGANGenerator(LATENT, SHAPE[1], SHAPE[0], WIDTH, nonlinearity=nn.ReLU())
    return generator, DCGANDiscriminator(SHAPE[1], SHAPE[0], WIDTH, last_nonlinearity=nn.Identity())


def our_block() -> Callable[[], None]:
    """Steps through the trainer."""
    torch.manual_seed(0)
    trainer = train.Trainer(
        GAN(*ours(), LATENT), images(), batch_size=BATCH, lr=2e-4, optimizer=adam, device="cpu"
    )
    trainer.run(2, progress=False)
    return lambda: trainer.run(trainer.step + STEPS, progress=False) and None


def their_block() -> Callable[[], None]:
    """Steps of torchgan's losses, which step the optimizers themselves."""
    from torchgan.losses import MinimaxDiscriminatorLoss, MinimaxGeneratorLoss

    torch.manual_seed(0)
    nets, x, device = theirs(), images(), torch.device("cpu")
    optimizers = [adam(net.train().parameters(), 2e-4) for net in nets]
    critic_loss, generator_loss = MinimaxDiscriminatorLoss(), MinimaxGeneratorLoss()

    def work(steps: int = STEPS) -> None:
        for step in range(steps):
            real = x[torch.arange(step * BATCH, (step + 1) * BATCH) % len(x)]
            critic_loss.train_ops(*nets, optimizers[1], real, device)
            generator_loss.train_ops(*nets, optimizers[0], device, BATCH)

    work(2)
    return work


def images() -> Tensor:
    """Random images in [-1, 1]."""
    return 2 * torch.rand(4 * BATCH, *SHAPE) - 1


SIDES: dict[str, Block] = {"torchgan": their_block, "ours": our_block}


def main(launches: int = 3, blocks: int = 5) -> bool:
    """Print the ratio over fresh processes; returns whether its median is enough, its range above noise."""
    sizes = [sum(p.numel() for net in make() for p in net.parameters()) for make in (theirs, ours)]
    print(
        f"DCGAN, 3x32x32, width {WIDTH}, batch {BATCH}, {THREADS} threads, {launches} launches of {blocks}"
        " pairs: median [range]"
    )
    speed = launched("bench.gan", ["torchgan", "ours", str(blocks)], launches)
    noise = launched("bench.gan", ["torchgan", "torchgan", str(blocks)], launches)
    print(f"  torchgan ({sizes[0]:,} parameters) / ours ({sizes[1]:,}) {speed}, at least {ATLEAST}")
    print(f"  torchgan / torchgan {noise}")
    return speed.median >= ATLEAST and speed.low > noise.high


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    one, other, blocks = sys.argv[1:]
    result = ratio(SIDES[one], SIDES[other], int(blocks))
    print(result.median)
