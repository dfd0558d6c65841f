"""Five families on the same glyphs, with class, weight and slant as their condition, over three seeds.

    python -m bench.conditional runs/conditional --result book/results/conditional-glyphs.json

The numbers of steps are what about 12 seconds of one core hold, by a timing of each. Samples are drawn under
the conditions of the test images. `classifier-glyphs` reads their class; weight, slant and font are read by
least squares from its feature maps, fitted to the training images. "pen" is what other drawings of the same
class, weight and slant score. What is judged already in the folder is kept; a run that was stopped begins
anew, since its time is measured.
"""

import argparse
import base64
import io
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib import pyplot as plt
from torch import Tensor, nn

from coursekit import data, recipes
from coursekit.files import write_json
from coursekit.judge import as_pictures
from coursekit.metrics.classes import judge_classes
from coursekit.metrics.features import extract
from coursekit.models.ar import PixelModel
from coursekit.models.vae import VAE
from coursekit.recipes.records import record
from coursekit.train import tune_cpu
from coursekit.train.files import read_json

CLASSIFIER, DRAWS, PAIRS, AT_ONCE = "classifier-glyphs", 1500, 500, 500
SEEDS, SIDE = (0, 1, 2), (1, 28, 28)
VAE_KEYWORDS = {"likelihood": "gaussian", "learn_variance": True, "latent_dim": 16, "hidden": (512, 512)}
FAMILIES = {
    "autoregressive": ("made", {"output": "categorical", "levels": 8, "hidden": (512,), "lr": 2e-3}, 550),
    "vae, fixed prior": ("vae", VAE_KEYWORDS, 900),
    "vae, learnt prior": ("vae", VAE_KEYWORDS | {"prior": "learnt"}, 800),
    "gan": ("dcgan", {"width": 32, "lr": 1e-3, "ema": 0.99}, 1900),
    "flow": ("mlp_flow", {"layers": 6, "hidden": (256,), "lr": 2e-3}, 800),
    "diffusion": ("mlp_denoiser", {"prediction": "data", "lr": 2e-3, "ema": 0.99}, 900),
}


class StyleReader:
    """Weight, slant and font of small images, by least squares from a classifier's feature maps.

    Args:
        classifier: its maps are read.
        train: styled glyphs with their factors, which the coefficients are fitted to.
        penalty: of the squared coefficients.
    """

    def __init__(self, classifier: nn.Module, train: data.ImageSet, penalty: float = 100.0):
        self.maps = classifier.net.layers
        names = [train.factors["weight"], train.factors["slant"]]
        targets = torch.cat([torch.stack(names, 1), F.one_hot(train.factors["font"])], 1).float()
        a = F.pad(self._features(train.x), (0, 1), value=1.0)  # (N, F + 1)
        eye = penalty * torch.eye(a.shape[1])
        self.coefficients = torch.linalg.solve(a.T @ a + eye, a.T @ targets)

    @torch.no_grad()
    def _features(self, x: Tensor) -> Tensor:
        return torch.cat([self.maps(as_pictures(part, None, SIDE)).flatten(1) for part in x.split(500)])

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """weight and slant, (N,), and the likeliest font, (N,)."""
        read = F.pad(self._features(x), (0, 1), value=1.0) @ self.coefficients
        return {"weight": read[:, 0], "slant": read[:, 1], "font": read[:, 2:].argmax(1)}


class Judge:
    """Measures answers to the conditions of the test images."""

    def __init__(self) -> None:
        self.classifier = recipes.pretrained(CLASSIFIER)
        self.test = data.styled_glyphs(train=False, progress=False)[:DRAWS]
        self.read = StyleReader(self.classifier, data.styled_glyphs(progress=False))
        self.c = self.test.factors["style"]
        self.features = lambda x: self.classifier.features(as_pictures(x, None, SIDE))
        self.real = extract(self.test.x, self.features)
        self.spread = 1.0
        self.spread = self._spread(*(answers(self.test[:PAIRS], seed) for seed in (0, 1)))

    @torch.no_grad()
    def __call__(self, x: Tensor, again: Tensor) -> dict[str, float]:
        """x answers all conditions, (DRAWS, 1, 14, 14), `again` the first PAIRS of them."""
        drawn, named = extract(x, self.features), self.classifier(as_pictures(x, None, SIDE)).argmax(1)
        found = judge_classes(self.real, drawn, self.test.labels, named)
        read, asked = self.read(x), self.test.factors
        errors = {f"{n}_error": (read[n] - asked[n]).square().mean().sqrt().item() for n in data.small.STYLED}
        share = read["font"].bincount(minlength=len(data.small.PLAIN)) / len(x)
        fonts = torch.special.entr(share).sum().exp().item()
        values = {name: each.mean for name, each in found.items()} | errors
        return values | {"fonts": fonts, "diversity": self._spread(x[:PAIRS], again)}

    def _spread(self, x: Tensor, again: Tensor) -> float:
        """Mean squared distance of two answers to one condition, as a share of the data's."""
        return (x - again).square().flatten(1).sum(1).mean().item() / self.spread


def answers(test: data.ImageSet, seed: int) -> Tensor:
    """Other images of the same class, weight and slant, drawn by the pen: (N, 1, 14, 14)."""
    rows = []
    draw = torch.Generator().manual_seed(seed)
    for label, weight, slant in zip(
        *(test.factors[n].tolist() for n in ("class", "weight", "slant")), strict=True
    ):
        font = data.small.PLAIN[int(torch.randint(6, (), generator=draw))]
        x, y, scale, angle = (2 * torch.rand(4, generator=draw) - 1).tolist()
        pose = {"x": 0.07 * x, "y": 0.07 * y, "scale": 1 + 0.15 * scale, "angle": 0.08 * angle}
        rows.append(data.render(str(label), font, weight=weight, slant=slant, **pose))
    return F.avg_pool2d(torch.stack(rows), 2)


def strip(x: Tensor) -> str:
    """Images side by side, as a PNG in base64."""
    file, row = io.BytesIO(), torch.cat(list(x[:, 0]), dim=1)
    plt.imsave(file, row.clamp(-1, 1).numpy(), cmap="gray", vmin=-1, vmax=1, format="png")
    return base64.b64encode(file.getvalue()).decode()


def images_of(model: nn.Module, recipe: recipes.Recipe) -> dict[str, Callable[[Tensor], Tensor]]:
    """What answers conditions (N, 12) by images in [-1, 1], by name; a VAE also without its pixels' noise."""
    kind, still = recipe.data("test"), {"progress": False} if isinstance(model, PixelModel) else {}

    def sample(c: Tensor) -> Tensor:
        x = model.sample(len(c), c, **recipe.sampling, **still)
        return as_pictures(x, kind, x.shape[1:])

    def means(c: Tensor) -> Tensor:
        return model.decode(model.prior_given(c).expand(c.shape[:1]).sample(), c).mean

    return {"": sample, ", means": means} if isinstance(model, VAE) else {"": sample}


def train_and_judge(name: str, seed: int, folder: Path, judge: Judge) -> dict[str, Any]:
    """One training: its rows, each with facts, measures, and some drawings."""
    recipe_name, keywords, steps = FAMILIES[name]
    recipe = recipes.get(recipe_name, dataset="styled_glyphs", conditional=True, **keywords)
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was stopped: its time would not be whole
    started = time.process_time()
    common = {"log_every": 100, "progress": False, "device": "cpu", "resume": False}
    model, _ = recipes.train(recipe, folder, steps=steps, seed=seed, facts=record(), **common)
    spent = round(time.process_time() - started, 1)
    facts = {"recipe": recipe_name, "keywords": {**recipe.keywords, "steps": steps}, "seed": seed}
    facts |= {"parameters": sum(p.numel() for p in model.parameters()), "core_seconds": spent}
    rows = {}
    for variant, answer in images_of(model, recipe).items():
        torch.manual_seed(seed)
        started = time.process_time()
        with torch.no_grad():
            x, again = (torch.cat([answer(c) for c in judge.c[:n].split(AT_ONCE)]) for n in (DRAWS, PAIRS))
        timed = {"seconds_a_draw": (time.process_time() - started) / (DRAWS + PAIRS)}
        rows[name + variant] = facts | timed | {"metrics": judge(x, again), "drawings": strip(x[:12])}
    return rows


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Facts and drawings of the first run; each measure's mean and standard deviation over all."""
    values = {name: [run["metrics"][name] for run in runs] for name in runs[0]["metrics"]}
    over = {
        name: {"mean": statistics.fmean(each), "std_over_runs": statistics.stdev(each), "runs": len(each)}
        for name, each in values.items()
    }
    return {**runs[0], "metrics": over, "core_seconds": [run["core_seconds"] for run in runs]}


def main() -> None:
    """Train and judge all families; write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    tune_cpu()
    judge, runs = Judge(), {}
    for seed in SEEDS:
        for name in FAMILIES:
            folder = options.folder / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"
            if not (folder / "judged.json").exists():
                write_json(folder / "judged.json", train_and_judge(name, seed, folder, judge))
            for row, found in read_json(folder / "judged.json").items():
                runs.setdefault(row, []).append(found)
    rows = {name: summary(each) for name, each in runs.items()}
    pen = judge(*(answers(judge.test[:n], seed=2 + i) for i, n in enumerate((DRAWS, PAIRS))))
    facts = {"features": CLASSIFIER, "draws": DRAWS, "pen": pen, "asked": strip(judge.test.x[:12])}
    write_json(options.result, record() | facts | {"models": rows})


if __name__ == "__main__":
    main()
