"""Recipes of autoencoders and variational autoencoders."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from coursekit.models.vae import IWAE, VAE, Autoencoder, BernoulliDecoder, GaussianDecoder
from coursekit.nets import MLP, ConvDecoder, ConvEncoder
from coursekit.recipes.images import SHAPES, c_dim_of, conditioned, images, shape_of
from coursekit.recipes.registry import Recipe, register
from coursekit.train import Cosine

MNIST = SHAPES["mnist"]


def binarized(dataset: str, split: str, conditional: bool = False) -> Any:
    """An image set as fresh zeros and ones for every batch."""
    return conditioned(dataset, split, conditional).binarized()


def coder(
    net: str, dataset: str, latent_dim: int, out: int, hidden: Sequence[int], width: int, c_dim: int = 0
) -> Any:
    """Encoder to `out` numbers and decoder from `latent_dim`, "mlp" or "conv"."""
    shape = shape_of(dataset)
    if net == "mlp":
        return MLP(shape, out, hidden, c_dim), MLP(latent_dim, math.prod(shape), hidden[::-1], c_dim)
    if net == "conv":
        return ConvEncoder(shape, out, width, c_dim), ConvDecoder(latent_dim, shape, width, c_dim)
    raise ValueError(f"net must be 'mlp' or 'conv', got {net!r}.")


def autoencoder(
    dataset: str = "glyphs",
    net: str = "mlp",
    latent_dim: int = 2,
    hidden: Sequence[int] = (256, 256),
    width: int = 32,
    steps: int = 3000,
    batch_size: int = 128,
    lr: float = 1e-3,
    ema: float = 0.0,
) -> Recipe:
    """A nonlinear autoencoder of images."""

    def make() -> nn.Module:
        return Autoencoder(*coder(net, dataset, latent_dim, latent_dim, hidden, width))

    data = partial(images, dataset)
    return Recipe(make, data, steps, batch_size, lr, schedule=Cosine(), ema=ema)


def vae(
    dataset: str = "glyphs",
    net: str = "mlp",
    likelihood: str = "bernoulli",
    latent_dim: int = 2,
    beta: float = 1.0,
    variance: float = 0.1,
    learn_variance: bool = False,
    hidden: Sequence[int] = (256, 256),
    width: int = 32,
    conditional: bool = False,
    prior: str = "fixed",
    steps: int = 3000,
    batch_size: int = 128,
    lr: float = 1e-3,
    ema: float = 0.0,
) -> Recipe:
    """A VAE of images; `variance` and `learn_variance` belong to the Gaussian likelihood.

    `prior` is "fixed" or, where the model is conditional, "learnt": a perceptron with hidden layers `hidden`.
    """
    if likelihood not in ("bernoulli", "gaussian"):
        raise ValueError(f"likelihood must be 'bernoulli' or 'gaussian', got {likelihood!r}.")
    if prior not in ("fixed", "learnt") or (prior == "learnt" and not conditional):
        raise ValueError(f"prior must be 'fixed', or 'learnt' with conditional=True, got {prior!r}.")

    def make() -> nn.Module:
        c_dim = c_dim_of(dataset, conditional)
        encoder, decoder = coder(net, dataset, latent_dim, 2 * latent_dim, hidden, width, c_dim)
        if likelihood == "bernoulli":
            decoder = BernoulliDecoder(decoder, SHAPES[dataset])
        else:
            decoder = GaussianDecoder(decoder, SHAPES[dataset], variance, learn_variance)
        prior_net = MLP(0, 2 * latent_dim, hidden, c_dim) if prior == "learnt" else None
        return VAE(encoder, decoder, latent_dim, beta, prior_net=prior_net)

    data = partial(binarized if likelihood == "bernoulli" else conditioned, dataset, conditional=conditional)
    judged_by = ("elbo", "samples") if conditional else ()
    return Recipe(make, data, steps, batch_size, lr, schedule=Cosine(), ema=ema, judged_by=judged_by)


def stages(step: int, steps: int, count: int = 8) -> float:
    """The learning-rate stages of arXiv:1509.00519: stage i lasts 3^i parts at the factor 10^(-i / 7)."""
    part = step / steps * (3**count - 1) / 2
    stage = sum(part >= (3**i - 1) / 2 for i in range(1, count))
    return 10 ** (-stage / (count - 1))


def iwae_mnist(
    objective: str = "vae",
    k: int = 1,
    binarization: str = "dynamic",
    hidden: int = 200,
    latent_dim: int = 50,
    steps: int = 600_000,
    batch_size: int = 20,
    lr: float = 1e-3,
    eps: float = 1e-4,
    ema: float = 0.0,
    held_out: int = 0,
) -> Recipe:
    """The one-layer model of arXiv:1509.00519 on MNIST (Burda, Grosse & Salakhutdinov 2016), trained so.

    Two hidden layers of tanh units each way, Glorot's first weights, output biases from the mean training
    image; Adam with eps 1e-4 on batches of 20, in eight stages of falling learning rate. The paper runs
    3,280 epochs, 9,840,000 steps; here the stages share out `steps`.

    Args:
        objective: "vae" or "iwae", with k importance samples (the VAE's bound has k = 1).
        binarization: "dynamic", fresh zeros and ones for every batch, or "static", the fixed set.
        held_out: how many training images, the last ones, are kept from training as the split "valid";
            the static set comes with a split of that name, so there it must be 0.
    """
    if objective not in ("vae", "iwae") or (objective == "vae" and k != 1):
        raise ValueError(f"objective must be 'vae' with k=1, or 'iwae', got {objective!r} with k={k}.")
    if binarization not in ("dynamic", "static"):
        raise ValueError(f"binarization must be 'dynamic' or 'static', got {binarization!r}.")

    def make() -> nn.Module:
        encoder = MLP(MNIST, 2 * latent_dim, (hidden, hidden), activation=nn.Tanh)
        net = MLP(latent_dim, 784, (hidden, hidden), activation=nn.Tanh)
        decoder = BernoulliDecoder(net, MNIST)
        model = VAE(encoder, decoder, latent_dim) if k == 1 else IWAE(encoder, decoder, latent_dim, k)
        return model.apply(_glorot)

    if not 0 <= held_out < 60_000 or (held_out and binarization == "static"):
        raise ValueError(f"held_out must be in [0, 60000), and 0 for the static set, got {held_out}.")

    def data(split: str) -> Any:
        if binarization == "static":
            from coursekit import data

            return data.binarized_mnist(split)
        if split != "train" and not (split == "valid" and held_out):
            return binarized("mnist", split)
        train = binarized("mnist", "train")
        first = len(train) - held_out
        return train[:first] if split == "train" else train[first:]

    def optimizer(parameters: Sequence[Tensor], lr: float) -> Optimizer:
        return Adam(parameters, lr=lr, eps=eps, fused=True)

    return Recipe(make, data, steps, batch_size, lr, optimizer, stages, ema=ema, start=start_from_mean)


@torch.no_grad()
def start_from_mean(model: nn.Module, data: Any, rows: int = 10_000) -> None:
    """Set the decoder's output bias so that it starts from the mean image, kept within [0.001, 0.999]."""
    mean = data.batch(0, min(rows, len(data)))[0].mean(0).clamp(0.001, 0.999)
    model.decoder.net.layers[-1].bias.copy_(mean.logit().flatten())


def _glorot(module: nn.Module) -> None:
    """Glorot & Bengio's uniform weights and zero biases, for every affine map."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


register("autoencoder", autoencoder)
register("vae", vae)
register("vae_digits", vae, dataset="digits", hidden=(128, 128))
register("vae_glyphs", vae, dataset="glyphs", net="conv")
register("iwae_mnist", iwae_mnist)
