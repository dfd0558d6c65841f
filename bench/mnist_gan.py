"""Our DCGAN and WGAN-GP on MNIST beside a public DCGAN, torchgan's, after as many training images.

    python -m bench.mnist_gan runs/mnist_gan --result book/results/gan-mnist.json

All are judged by the features of one classifier, `classifier-mnist`, on the test images. torchgan's makes
images of 32x32 pixels: it sees MNIST's with a black margin, which is cut off before it is judged. Trainings
of ours continue where they were stopped.
"""

import argparse
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torchgan.losses import MinimaxDiscriminatorLoss, MinimaxGeneratorLoss
from torchgan.models import DCGANDiscriminator, DCGANGenerator
from tqdm import trange

from coursekit import data, recipes
from coursekit.files import write_json
from coursekit.metrics.samples import judge_samples
from coursekit.recipes import shelf
from coursekit.recipes.records import record
from coursekit.train import tune_cpu

LATENT, WIDTH, BATCH, MARGIN = 64, 64, 64, (2, 2, 2, 2)
CLASSIFIER = "classifier-mnist"


class Peer(nn.Module):
    """torchgan's DCGAN of grey images."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = DCGANGenerator(LATENT, 32, 1, WIDTH, nonlinearity=nn.ReLU())
        self.critic = DCGANDiscriminator(32, 1, WIDTH, last_nonlinearity=nn.Identity())

    @torch.no_grad()
    def sample(self, n: int, c: None = None) -> Tensor:
        """n images of 28x28."""
        z = torch.randn(n, LATENT, device=next(self.parameters()).device)
        return F.pad(self.generator(z), [-side for side in MARGIN])


def adam(parameters: Iterable[Tensor]) -> Optimizer:
    """With the settings of DCGAN's paper."""
    return Adam(parameters, lr=2e-4, betas=(0.5, 0.999))


def train_peer(images: int, device: torch.device) -> tuple[nn.Module, float]:
    """torchgan's model after that many images, and the seconds it took."""
    torch.manual_seed(0)
    model, mnist = Peer().to(device), data.mnist().to(device)
    nets = model.generator, model.critic
    optimizers = [adam(net.parameters()) for net in nets]
    critic_loss, generator_loss = MinimaxDiscriminatorLoss(), MinimaxGeneratorLoss()
    started = time.perf_counter()
    for step in trange(images // BATCH):
        real = F.pad(mnist.batch(step, BATCH)[0], MARGIN, value=-1.0)
        critic_loss.train_ops(*nets, optimizers[1], real, device)
        generator_loss.train_ops(*nets, optimizers[0], device, BATCH)
    return model, time.perf_counter() - started


def train_ours(name: str, images: int, folder: Path, device: torch.device) -> tuple[nn.Module, float]:
    """A recipe's model after that many images, and the seconds it took."""
    recipe = recipes.get(name, dataset="mnist", latent_dim=LATENT, width=WIDTH)
    steps = images // recipe.batch_size
    model, history = recipes.train(recipe, folder / name, steps=steps, seed=0, log_every=100, device=device)
    return model, history.seconds


def judged(model: nn.Module, seconds: float, device: torch.device) -> dict[str, Any]:
    """A model's size, time and measures of samples."""
    features = shelf.pretrained(CLASSIFIER).to(device).features
    found = judge_samples(model.to(device), data.mnist(train=False), features)
    size = sum(p.numel() for p in model.parameters())
    metrics = {name: asdict(each) for name, each in found.items()}
    return {"parameters": size, "seconds": round(seconds, 1), "metrics": metrics}


def main() -> None:
    """Train and judge all three; write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=640_000, help="training images that each critic sees")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    tune_cpu()
    rows = {}
    for name in ("dcgan", "wgan_gp"):
        trained = train_ours(name, options.images, options.folder, options.device)
        rows[name] = judged(*trained, options.device)
    rows["torchgan dcgan"] = judged(*train_peer(options.images, options.device), options.device)
    facts = {"images": options.images, "features": CLASSIFIER}
    write_json(options.result, record() | facts | {"models": rows})


if __name__ == "__main__":
    main()
