"""Translation of glyphs, with pairs and without: what each term of the loss does, from three seeds each.

    python -m bench.translation runs/translation --result book/results/translation-glyphs.json

Kinds: thin and bold glyphs in colour, without pairs; by the critics alone, with the cycle term, and with the
identity term as well. Hiding: coloured and grey glyphs without pairs; what the way back finds in grey ones,
before and after noise is added to them. Pairs: the outline of a glyph and the glyph, hatched; L1 alone, the
critic alone, and both with four sizes of patches. A run that is stopped continues where it was.
"""

import argparse
import base64
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from matplotlib import pyplot as plt
from torch import Tensor, nn

from coursekit import data, recipes
from coursekit.files import write_json
from coursekit.metrics.translation import judge_domains, judge_pairs
from coursekit.recipes.records import record
from coursekit.train import tune_cpu
from coursekit.train.files import read_json

SEEDS, SHOWN, READER = 3, 10, "classifier-glyphs"
NOISES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)
SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "kinds": {
        "critics alone": {"cycle": 0.0},
        "and cycle": {},
        "and cycle and identity": {"identity": 5.0},
    },
    "pairs": {
        "L1 alone": {"adversarial": 0.0},
        "critic alone, 16": {"l1": 0.0},
        **{f"both, {side}": {"patch": side} for side in (1, 8, 16, 28)},
    },
    "hiding": {"colour and grey": {"domains": "colour", "change": 0.15}},
}
RECIPES = {"pairs": "pix2pix", "kinds": "cyclegan", "hiding": "cyclegan"}
STEPS = {"pairs": 350, "kinds": 400, "hiding": 500}


def of_pairs(model: nn.Module, reader: nn.Module) -> tuple[dict[str, float], Tensor]:
    """Measures of hatched glyphs, and some of them."""
    test = data.outlines(2000, train=False, progress=False)
    found = judge_pairs(model, test, reader.features, reader, n=len(test))
    y = model.sample(len(test), test.c)
    return _means(found) | {"hatching": data.hatching(y).mean().item()}, y[:SHOWN]


def of_kinds(model: nn.Module, reader: nn.Module) -> tuple[dict[str, float], Tensor]:
    """Measures of thin glyphs made bold and of bold ones made thin, and some of the first."""
    test = data.domains("weight", 5000, train=False, progress=False)
    found = _means(judge_domains(model, test, reader.features, reader, n=len(test)))
    ends = [data.thickness(kind.x).mean() for kind in (test.a, test.b)]
    with torch.no_grad():
        bold, thin = model.encode(test.a.x), model.decode(test.b.x)
    for name, y, source in (("to_b", bold, test.a), ("to_a", thin, test.b)):
        made_bold = (data.thickness(y) > sum(ends) / 2).float().mean().item()
        found[f"domain_reached_{name}"] = made_bold if name == "to_b" else 1 - made_bold
        for factor, measure in (("x", across), ("slant", slant)):
            was, now = measure(source.x), measure(y)
            found[f"{factor}_kept_{name}"] = correlation(was, now)
            found[f"{factor}_measured_{name}"] = now.isfinite().float().mean().item()  # not where all is dark
        colour, now = source.factors["colour"], data.colour_of(y)
        found[f"colour_kept_{name}"] = (now == colour).float().mean().item()
        found[f"colour_bits_{name}"] = information(colour, now)
    return found, bold[:SHOWN]


def of_hiding(model: nn.Module, reader: nn.Module) -> tuple[dict[str, Any], Tensor]:
    """How often the way back finds the colour, by the noise added on the way; and some grey glyphs."""
    test = data.domains("colour", 2000, train=False, progress=False)
    torch.manual_seed(0)
    with torch.no_grad():
        grey = model.encode(test.a.x)
        again = [model.decode(grey + noise * torch.randn_like(grey)) for noise in NOISES]
        found = {"noise": NOISES, "colour_found": [_found(y, test.a.factors["colour"]) for y in again]}
        found["cycle_error"] = [(y - test.a.x).abs().mean().item() for y in again]
    judged = judge_domains(model, test, reader.features, reader, n=len(test))
    return found | _means(judged), grey[:SHOWN]


def information(u: Tensor, v: Tensor) -> float:
    """Mutual information of two labels of the same glyphs, bits, from their counts: (N,), (N,)."""
    joint = torch.zeros(u.max() + 1, v.max() + 1).index_put((u, v), torch.tensor(1.0), accumulate=True)
    joint = joint / joint.sum()
    apart = joint.sum(1, keepdim=True) * joint.sum(0)
    return torch.special.xlogy(joint, joint / apart.clamp(min=1e-12)).sum().item() / math.log(2)


def across(x: Tensor) -> Tensor:
    """Where the middle of the ink lies, in pixels from the left edge: (B, C, H, W) -> (B,)."""
    ink = (x.mean(1) + 1).sum(1)
    return (ink * torch.arange(x.shape[-1])).sum(1) / ink.sum(1)


def slant(x: Tensor) -> Tensor:
    """Covariance of column and height over the variance of height, of the ink: (B, C, H, W) -> (B,)."""
    ink, place = x.mean(1) + 1, torch.arange(float(x.shape[-1]))
    ink = ink / ink.sum((1, 2), keepdim=True)
    column, row = ink.sum(1), ink.sum(2)
    right, down = place - (column @ place)[:, None], place - (row @ place)[:, None]
    return -torch.einsum("bij,bi,bj->b", ink, down, right) / (row * down**2).sum(1)


def correlation(u: Tensor, v: Tensor) -> float:
    """Of two measures of the same glyphs, (N,) each, over those of which both are finite; 0 if none vary."""
    known = u.isfinite() & v.isfinite()
    value = torch.corrcoef(torch.stack([u[known], v[known]]))[0, 1]
    return value.nan_to_num(0.0).item()


def _found(x: Tensor, colour: Tensor) -> float:
    return (data.colour_of(x) == colour).float().mean().item()


def _means(found: dict[str, Any]) -> dict[str, float]:
    return {name: each.mean for name, each in found.items()}


def strip(x: Tensor) -> str:
    """Images side by side, as a PNG in base64."""
    file, row = io.BytesIO(), torch.cat(list(x.expand(-1, 3, -1, -1)), dim=-1)
    plt.imsave(file, (row.clamp(-1, 1).permute(1, 2, 0).numpy() + 1) / 2, format="png")
    return base64.b64encode(file.getvalue()).decode()


JUDGES: dict[str, Callable[..., Any]] = {"pairs": of_pairs, "kinds": of_kinds, "hiding": of_hiding}


def run_of(part: str, name: str, seed: int, folder: Path, reader: nn.Module) -> dict[str, Any]:
    """Train and judge one setting from one seed."""
    recipe = recipes.get(RECIPES[part], **SETTINGS[part][name])
    common = {"log_every": 50, "progress": False, "device": "cpu", "facts": record()}
    place = folder / part / f"{name.replace(',', '').replace(' ', '-')}-{seed}"
    model, history = recipes.train(recipe, place, steps=STEPS[part], seed=seed, **common)
    found, shown = JUDGES[part](model, reader)
    return {
        "keywords": {**recipe.keywords, "steps": STEPS[part]},
        "parameters": sum(p.numel() for p in model.parameters()),
        "seconds": round(history.seconds, 1),
        "metrics": found,
        "drawings": strip(shown),
    }


def main() -> None:
    """Train and judge all settings, seed by seed; write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    tune_cpu()
    reader = recipes.pretrained(READER)
    parts = {part: {name: [] for name in settings} for part, settings in SETTINGS.items()}
    for seed in range(SEEDS):
        for part, name in [(part, name) for part, settings in SETTINGS.items() for name in settings]:
            kept = options.folder / part / f"{name} {seed}.json"
            if not kept.exists():
                write_json(kept, run_of(part, name, seed, options.folder, reader))
            parts[part][name].append(read_json(kept))
        write_json(options.result, record() | {"reader": READER, "seeds": seed + 1} | parts)


if __name__ == "__main__":
    main()
