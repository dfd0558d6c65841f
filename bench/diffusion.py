"""How fast do our U-Net and our DiT train and draw beside those of others, at equal size?

On 1x28x28 images, on 2 threads, in float32. A side has our parameters within 10%, our multiplications within
5%, and attention at the same levels; training is the mean squared error with fused Adam, drawing one pass of
the network and one step of Euler. `tune_cpu`, which our command line calls, is measured apart.
"""

import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bench.pairs import Block, Loss, Ratio, seconds, training
from coursekit.nets import DiT, UNet
from coursekit.train import tune_cpu

SHAPE, BATCH, THREADS, CLASSES = (1, 28, 28), 64, 2, 10
WIDTH, MULTIPLIERS, BLOCKS, HEADS = 32, (1, 2, 2), 2, 4  # of the U-Net, with attention at 14x14
TOKEN, LAYERS, PATCH = 192, 4, 4  # of the DiT
STEPS = {"training": 3, "drawing": 6}
BLOCKS_TIMED = 3  # in each process, of that many steps
ATLEAST = {"unet": 1.2, "dit": 1.1}


class Nothing(nn.Module):
    """In the place of attention at a level where ours has none: adds zero."""

    def forward(self, x: Tensor) -> Tensor:
        """A zero, whatever comes in."""
        return x.new_zeros(())


class Side(nn.Module):
    """A network called as (x, t), t in [0, 1]."""

    def __init__(self, net: nn.Module, call: Callable[..., Tensor]):
        super().__init__()
        self.net, self.call = net, call

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """(B, C, H, W), (B,) -> (B, C, H, W)."""
        return self.call(self.net, x, t)


def our_unet() -> Side:
    """coursekit's."""
    net = UNet(SHAPE, WIDTH, MULTIPLIERS, BLOCKS, attention=(1,), heads=HEADS)
    return Side(net, lambda net, x, t: net(x, t))


def diffusers_unet() -> Side:
    """The same structure: numbers and sizes of all parts are equal."""
    from diffusers import UNet2DModel

    net = UNet2DModel(
        28,
        1,
        1,
        block_out_channels=[WIDTH * m for m in MULTIPLIERS],
        layers_per_block=BLOCKS,
        norm_num_groups=8,
        attention_head_dim=2 * WIDTH // HEADS,
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    )
    return Side(net, lambda net, x, t: net(x, 1000 * t).sample)


def denoising_diffusion_unet() -> Side:
    """denoising-diffusion-pytorch's, a little wider, without the linear attention that ours lacks."""
    from denoising_diffusion_pytorch import Unet

    net = Unet(38, channels=1, dim_mults=MULTIPLIERS, full_attn=(False, True, False), attn_heads=2)
    for part in (*net.downs, *net.ups):
        if type(part[2]).__name__ == "LinearAttention":
            part[2] = Nothing()
    return Side(net, lambda net, x, t: net(x, 1000 * t))


def our_dit() -> Side:
    """coursekit's, with labels."""
    net = DiT(SHAPE, PATCH, TOKEN, LAYERS, HEADS, c_dim=CLASSES)
    return Side(net, lambda net, x, t: net(x, t, labels(x)))


def diffusers_dit() -> Side:
    """The same blocks; each has an embedding of the time of its own."""
    from diffusers import DiTTransformer2DModel

    net = DiTTransformer2DModel(
        num_attention_heads=HEADS,
        attention_head_dim=TOKEN // HEADS,
        in_channels=1,
        num_layers=LAYERS,
        sample_size=28,
        patch_size=PATCH,
        num_embeds_ada_norm=CLASSES,
    )
    return Side(net, lambda net, x, t: net(x, (1000 * t).long(), labels(x)).sample)


def labels(x: Tensor) -> Tensor:
    """Some label for each row."""
    return torch.arange(len(x)) % CLASSES


SIDES = {
    "unet": {
        "ours": our_unet,
        "diffusers": diffusers_unet,
        "denoising-diffusion": denoising_diffusion_unet,
    },
    "dit": {"ours": our_dit, "diffusers": diffusers_dit},
}


def training_steps(make: Callable[[], Side]) -> Block:
    """Steps of Adam towards fixed noise, each row at its own time."""
    t = torch.linspace(0.01, 1, BATCH)

    def model() -> tuple[nn.Module, Loss]:
        side = make()
        return side, lambda x: F.mse_loss(side(x, t), x)

    return training(model, partial(torch.randn, BATCH, *SHAPE), STEPS["training"])


def drawing_steps(make: Callable[[], Side]) -> Block:
    """Steps of Euler, from noise; one before, which does not count."""

    def block() -> Callable[[], None]:
        torch.manual_seed(0)
        side, t = make().eval(), torch.full((BATCH,), 0.5)

        @torch.no_grad()
        def work(steps: int = STEPS["drawing"]) -> None:
            x = torch.randn(BATCH, *SHAPE)
            for _ in range(steps):
                x = x - 0.02 * side(x, t)

        work(1)
        return work

    return block


TASKS = {"training": training_steps, "drawing": drawing_steps}


def size(make: Callable[[], Side]) -> tuple[int, float]:
    """Parameters, and multiplications and additions for one image, in 1e9."""
    side = make()
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        side(torch.randn(1, *SHAPE), torch.rand(1))
    return sum(p.numel() for p in side.parameters()), counter.get_total_flops() / 1e9


def equal(kind: str) -> bool:
    """Whether every side is of our size, which is printed."""
    sizes, fits = {name: size(make) for name, make in SIDES[kind].items()}, True
    ours = sizes["ours"]
    for name, (parameters, flops) in sizes.items():
        print(f"  {kind} {name}: {parameters:,} parameters, {flops:.3f} GFLOP an image")
        fits &= abs(parameters / ours[0] - 1) <= 0.1 and abs(flops / ours[1] - 1) <= 0.05
    return fits


def alternating(kind: str, task: str, one: str, other: str, launches: int) -> Ratio:
    """Time of one side over that of the other, each in fresh processes of its own, whose order alternates."""
    ratios = []
    for launch in range(launches):
        names = (one, other) if launch % 2 else (other, one)
        found = {place: seconds_of(kind, task, name) for place, name in zip("ab", names, strict=True)}
        ratios.append(found["a"] / found["b"] if launch % 2 else found["b"] / found["a"])
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def seconds_of(kind: str, task: str, name: str) -> float:
    """What a process of its own measures: median seconds of a block of steps."""
    command = [sys.executable, "-m", "bench.diffusion", kind, task, name]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main(launches: int = 3) -> bool:
    """Print every ratio of times, theirs over ours; returns whether all medians are what they should be."""
    print(f"1x28x28, batch {BATCH}, {THREADS} threads, {launches} pairs of processes: median [range]")
    within = True
    for kind, sides in SIDES.items():
        within &= equal(kind)
        for task in TASKS:
            for peer in [name for name in sides if name != "ours"]:
                faster = alternating(kind, task, peer, "ours", launches)
                within &= faster.median >= ATLEAST[kind]
                print(f"  {kind} {task}: {peer} / ours {faster}, at least {ATLEAST[kind]}")
            for name, words in (("tuned", "ours with tune_cpu"), ("ours", "ours")):
                print(f"  {kind} {task}: {words} / ours {alternating(kind, task, name, 'ours', launches)}")
    return within


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    kind, task, name = sys.argv[1:]
    if name == "tuned":
        tune_cpu()
    block = TASKS[task](SIDES[kind]["ours" if name == "tuned" else name])
    print(statistics.median(seconds(block) for _ in range(BLOCKS_TIMED)))
