"""How well images are translated: by their targets where these are known, and by what should be kept."""

from typing import Any

import torch
from torch import Tensor, nn

from coursekit.metrics.features import extract
from coursekit.metrics.likelihood import Estimate
from coursekit.metrics.rows import judging
from coursekit.metrics.samples import compare


def judge_pairs(
    model: nn.Module, data: Any, reader: nn.Module, *, n: int, batch_size: int = 500, seed: int = 0
) -> dict[str, Estimate]:
    """Measures of the translations of the first n sources.

    Args:
        model: has `sample(n, c)`; in evaluation mode meanwhile.
        data: targets `x`, sources `c` and labels `y` of the images, as `data.PairedSet` has them.
        reader: a classifier of grey images, with `features`; colours are read by their brightest channel.
        n: how many.
        batch_size: rows at once.
        seed: of the generator's noise, if it has any.

    Returns:
        "l1_error", the mean distance of a pixel from the target's; "content_kept", the share whose label the
        reader finds; and all measures of `samples.compare`, with the first n targets.
    """
    chosen = data[:n]
    with judging(model, seed) as device:
        y = torch.cat([model.sample(len(c), c.to(device)).cpu() for c in chosen.c.split(batch_size)])
        reader = reader.to("cpu").eval()
        found = {"l1_error": Estimate.of((y - chosen.x).abs().flatten(1).mean(1), "1 of -1 .. 1")}
        found["content_kept"] = _kept(y, chosen.y, reader)
        return found | compare(_read(chosen.x, reader), _read(y, reader))


def judge_domains(
    model: nn.Module, data: Any, reader: nn.Module, *, n: int, batch_size: int = 500, seed: int = 0
) -> dict[str, Estimate]:
    """Measures of the translations of the first n images of both kinds.

    Args:
        model: has `encode`, from a to b, and `decode`, from b to a; in evaluation mode meanwhile.
        data: labelled sets of images `a` and `b`, as `data.UnpairedSet` has them.
        reader, n, batch_size, seed: as for `judge_pairs`.

    Returns:
        Numbers whose names end in "_to_b" or "_to_a", the direction. They begin with "content_kept", the
        share whose label the reader finds, "frechet_distance", from images of that kind, or "cycle_error",
        by how much a pixel differs after the way there and back.
    """
    ways = {"to_b": (data.a, data.b, model.encode, model.decode)}
    ways["to_a"] = (data.b, data.a, model.decode, model.encode)
    found = {}
    with judging(model, seed) as device:
        reader = reader.to("cpu").eval()
        for name, (source, target, there, back) in ways.items():
            source, target = source[:n], target[:n]
            parts = [(y := there(x.to(device)), back(y)) for x in source.x.split(batch_size)]
            y, again = (torch.cat(side).cpu() for side in zip(*parts, strict=True))
            found[f"content_kept_{name}"] = _kept(y, source.y, reader)
            distances = compare(_read(target.x, reader), _read(y, reader))
            found[f"frechet_distance_{name}"] = distances["frechet_distance"]
            error = (again - source.x).abs().flatten(1).mean(1)
            found[f"cycle_error_{name}"] = Estimate.of(error, "1 of -1 .. 1")
    return found


def _grey(x: Tensor) -> Tensor:
    """The brightest channel: (N, C, H, W) -> (N, 1, H, W)."""
    return x.amax(1, keepdim=True)


def _read(x: Tensor, reader: nn.Module) -> Tensor:
    return extract(_grey(x), reader.features)


def _kept(y: Tensor, labels: Tensor, reader: nn.Module) -> Estimate:
    read = torch.cat([reader(part).argmax(1) for part in _grey(y).split(500)])
    return Estimate.of(read == labels, "1")
