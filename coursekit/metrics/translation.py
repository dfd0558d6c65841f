"""How well images are translated: by their targets where these are known, and by what should be kept."""

from typing import Any

import torch
from torch import Tensor, nn

from coursekit.metrics.features import Features, extract
from coursekit.metrics.frechet import frechet_distance
from coursekit.metrics.likelihood import Estimate
from coursekit.metrics.rows import judging
from coursekit.metrics.samples import compare


def judge_pairs(
    model: nn.Module,
    data: Any,
    features: Features,
    classify: Features,
    *,
    n: int,
    batch_size: int = 500,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Measures of the translations of the first n sources.

    Args:
        model: has `sample(n, c)`; in evaluation mode meanwhile.
        data: targets `x`, sources `c` and labels `y` of the images, as `data.PairedSet` has them.
        features: of grey images, (B, 1, H, W) -> (B, D), on the model's device; of colours the brightest
            channel is read.
        classify: the same images -> logits, (B, Y), on the model's device.
        n: how many.
        batch_size: rows at once.
        seed: of the generator's noise, if it has any.

    Returns:
        "l1_error", the mean distance of a pixel from the target's; "content_kept", the share whose label is
        read; and all measures of `samples.compare`, with the first n targets.

    Raises:
        ValueError: the model makes images of another shape than the targets'.
    """
    chosen = data[:n]
    with judging(model, seed) as device:
        x = chosen.x.to(device)
        y = torch.cat([model.sample(len(c), c.to(device)) for c in chosen.c.split(batch_size)])
        found = {"l1_error": _error(y, x), "content_kept": _kept(y, chosen.y, classify)}
        return found | compare(_read(x, features), _read(y, features))


def judge_domains(
    model: nn.Module,
    data: Any,
    features: Features,
    classify: Features,
    *,
    n: int,
    batch_size: int = 500,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Measures of the translations of the first n images of both kinds.

    Args:
        model: has `encode`, from a to b, and `decode`, from b to a; in evaluation mode meanwhile.
        data: labelled sets of images `a` and `b`, as `data.UnpairedSet` has them.
        features, classify, n, batch_size, seed: as for `judge_pairs`.

    Returns:
        Numbers whose names end in "_to_b" or "_to_a", the direction. They begin with "content_kept", the
        share whose label the reader finds, "frechet_distance", from images of that kind, or "cycle_error",
        by how much a pixel differs after the way there and back.
    """
    ways = {"to_b": (data.a, data.b, model.encode, model.decode)}
    ways["to_a"] = (data.b, data.a, model.decode, model.encode)
    found = {}
    with judging(model, seed) as device:
        for name, (source, target, there, back) in ways.items():
            source, target = source[:n], target[:n]
            x, of_kind = source.x.to(device), target.x.to(device)
            parts = [(y := there(part), back(y)) for part in x.split(batch_size)]
            y, again = (torch.cat(side) for side in zip(*parts, strict=True))
            found[f"content_kept_{name}"] = _kept(y, source.y, classify)
            distance = frechet_distance(_read(of_kind, features), _read(y, features))
            found[f"frechet_distance_{name}"] = distance
            found[f"cycle_error_{name}"] = _error(again, x)
    return found


def _error(y: Tensor, x: Tensor) -> Estimate:
    """By how much a pixel differs, in the mean over an image."""
    if y.shape != x.shape:
        raise ValueError(f"the model made images of {tuple(y.shape)}; expected {tuple(x.shape)}")
    return Estimate.of((y - x).abs().flatten(1).mean(1).cpu(), "1 of -1 .. 1")


def _grey(x: Tensor) -> Tensor:
    """The brightest channel: (N, C, H, W) -> (N, 1, H, W)."""
    return x.amax(1, keepdim=True)


def _read(x: Tensor, features: Features) -> Tensor:
    return extract(_grey(x), features).cpu()


def _kept(y: Tensor, labels: Tensor, classify: Features) -> Estimate:
    read = torch.cat([classify(part).argmax(1) for part in _grey(y).split(500)])
    return Estimate.of(read.cpu() == labels.cpu(), "1")
