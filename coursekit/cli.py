"""The command line: `coursekit recipes | train | sample | evaluate | ship | exercises | grade`."""

import inspect
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from coursekit.grading import commands
from coursekit.terminal import plainly

app = typer.Typer(help="Train and judge the models of the course book.", no_args_is_help=True)
app.add_typer(commands.exercises, name="exercises")
app.command()(commands.grade)

Folder = Annotated[Path, typer.Argument(help="Folder of a trained model.")]
Seed = Annotated[int, typer.Option(help="Seed of all that is drawn.")]
Device = Annotated[str | None, typer.Option(help="Such as cpu or cuda; by default the accelerator, if any.")]


@app.command()
def recipes() -> None:
    """List the recipes with their keywords and defaults."""
    from coursekit.recipes import known

    for name, keywords in known().items():
        typer.echo(
            f"{name}\n  " + "\n  ".join(f"{key} = {json.dumps(value)}" for key, value in keywords.items())
        )


@app.command()
@plainly
def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe; `coursekit recipes` lists them.")],
    folder: Annotated[Path | None, typer.Option(help="Where the run lives; by default runs/RECIPE.")] = None,
    steps: Annotated[
        int | None, typer.Option(help="Number of steps in all; by default the recipe's.")
    ] = None,
    set: Annotated[list[str] | None, typer.Option(help="A keyword of the recipe, as key=value.")] = None,
    seed: Seed = 0,
    checkpoint_every: Annotated[int, typer.Option(help="Steps between two checkpoints.")] = 1000,
    log_every: Annotated[int, typer.Option(help="Steps between two entries of the history.")] = 100,
    device: Device = None,
    precision: Annotated[str | None, typer.Option(help="no or bf16.")] = None,
    compile: Annotated[bool, typer.Option(help="Use torch.compile.")] = False,
) -> None:
    """Train a recipe; the same command again continues a run that was stopped."""
    from coursekit import recipes
    from coursekit.recipes.records import record
    from coursekit.train import tune_cpu

    chosen = recipes.get(recipe, **_keywords(set or []))
    tune_cpu()
    folder = folder or Path("runs") / recipe
    options = {"checkpoint_every": checkpoint_every, "log_every": log_every, "device": device}
    options |= {"precision": precision, "compile": compile}
    _, history = recipes.train(chosen, folder, steps=steps, seed=seed, facts=record(), **options)
    typer.echo(f"{folder}: {history}")


@app.command()
@plainly
def sample(
    folder: Folder,
    n: Annotated[int | None, typer.Option(help="Number of draws; by default 64 images or 1 text.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write: by default samples.png; a text is printed.")
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="How a text begins; by default with a new line.")] = None,
    length: Annotated[int, typer.Option(help="Symbols that are drawn after the prompt.")] = 500,
    temperature: Annotated[
        float, typer.Option(help="Of texts and flows: below 1 bolder, above 1 wilder.")
    ] = 1.0,
    conditions: Annotated[
        bool, typer.Option("--conditions", help="Draw under conditions of the test data: labels, sources.")
    ] = False,
    seed: Seed = 0,
    device: Device = None,
) -> None:
    """Draw from a trained model: images as one picture, texts as text."""
    import torch

    from coursekit import recipes
    from coursekit.protocols import HasSample
    from coursekit.train.processes import Processes

    model = recipes.load(folder).to(Processes(device).device)
    if not isinstance(model, HasSample):
        raise ValueError(f"{type(model).__name__} can't be sampled: it is not a model of p(x).")
    torch.manual_seed(seed)
    chosen = recipes.get(model.recipe["recipe"], **model.recipe["keywords"])
    vocabulary = chosen.vocabulary
    if vocabulary is None:
        if prompt is not None:
            raise ValueError(f"--prompt {prompt!r}: {folder} holds no model of texts.")
        if temperature != 1 and "temperature" not in inspect.signature(model.sample).parameters:
            raise ValueError(f"--temperature {temperature}: {type(model).__name__} has none.")
        keywords = dict(chosen.sampling) | ({} if temperature == 1 else {"temperature": temperature})
        n = 64 if n is None else n
        if conditions:
            keywords["c"] = _conditions(chosen.data("test"), n, next(model.parameters()).device)
        typer.echo(_picture(model, n, out or Path("samples.png"), **keywords))
        return
    if conditions:
        raise ValueError(f"--conditions: {folder} holds a model of texts, which takes none.")
    tokens = vocabulary.encode("\n" if prompt is None else prompt)
    drawn = model.sample(1 if n is None else n, prompt=tokens, length=length, temperature=temperature)
    text = "\n\n".join(vocabulary.decode(row) for row in drawn.cpu())
    if out is None:
        typer.echo(text)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    typer.echo(str(out))


def _conditions(data: Any, n: int, device: Any) -> Any:
    """The conditions of n rows."""
    _, c = data.batch(0, n)
    if c is None:
        raise ValueError(f"--conditions: {data!r} has none.")
    return c.to(device)


def _picture(model: Any, n: int, out: Path, **keywords: Any) -> str:
    """n images drawn and saved as one grid; returns the path."""
    from torchvision.utils import save_image

    x = model.sample(n, **keywords).float().cpu()
    if x.ndim != 4:
        raise ValueError(f"A draw has shape {tuple(x.shape[1:])}; a picture needs (C, H, W).")
    out.parent.mkdir(parents=True, exist_ok=True)
    levels = getattr(getattr(model, "output", model), "levels", 2)
    x = (x + 1) / 2 if x.min() < 0 else x / (levels - 1)
    save_image(x.clamp(0, 1), out, nrow=max(1, round(n**0.5)), pad_value=0.5)
    return str(out)


@app.command()
@plainly
def evaluate(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of trained models that differ by seed only.")
    ],
    k: Annotated[
        int | None,
        typer.Option(help="Importance samples, or draws of a step, a row, where the model takes them."),
    ] = None,
    split: Annotated[str, typer.Option(help="train, test, or valid where the recipe has it.")] = "test",
    n: Annotated[int | None, typer.Option(help="Number of rows; by default all.")] = None,
    batch_size: Annotated[int, typer.Option(help="Rows at once.")] = 64,
    seed: Seed = 0,
    device: Device = None,
    features: Annotated[
        str | None,
        typer.Option(help="Classifier that judges samples; by default classifier-DATASET of book/weights."),
    ] = None,
    result: Annotated[Path | None, typer.Option(help="JSON file to write the result to.")] = None,
) -> None:
    """Measure the mean log-likelihood in nats, of one model or of several trainings of one recipe.

    Of images of levels it is given in bits per dimension too. A model without a likelihood is judged by its
    samples: by the Frechet and kernel distance, precision and recall, density and coverage of the features
    of a classifier of our own; of points as they are. A classifier is judged by its accuracy.
    """
    from coursekit.files import write_json
    from coursekit.judge import judge, summary
    from coursekit.recipes.records import record
    from coursekit.train.processes import Processes

    options = {"n": n, "batch_size": batch_size, "seed": seed}
    on = Processes(device).device
    runs = [judge(folder, split, on, k=k, features=features, **options) for folder in folders]
    first = runs[0]
    if any((run["recipe"], run["keywords"]) != (first["recipe"], first["keywords"]) for run in runs):
        raise ValueError("The folders hold different recipes or keywords: evaluate them one at a time.")
    settings = {"split": split, "k": k, **options}
    report = record() | {"settings": settings, "metrics": summary(runs), "runs": runs}
    typer.echo(json.dumps(report["metrics"], indent=1))
    if result is not None:
        write_json(result, report)


@app.command()
@plainly
def ship(
    folder: Folder,
    name: Annotated[str, typer.Argument(help="What `recipes.pretrained` shall know it by.")],
    shelf: Annotated[Path, typer.Option(help="Where shipped models lie.")] = Path("book/weights"),
    device: Device = None,
) -> None:
    """Put a trained model among the book's weights, with what it scores on its test data."""
    from coursekit import recipes
    from coursekit.judge import judge
    from coursekit.recipes import shelf as shelves
    from coursekit.train.processes import Processes

    run = judge(folder, "test", Processes(device).device)
    data = recipes.get(run["recipe"], **run["keywords"]).data
    words = {split: repr(data(split)) for split in ("train", "test")}
    shelves.ship(folder, shelf / name, run["metrics"], words)
    typer.echo(f"{shelf / name}: {json.dumps(run['metrics'])}")


def _keywords(settings: list[str]) -> dict[str, Any]:
    """["lr=1e-3", "net=conv"] -> {"lr": 0.001, "net": "conv"}; a value is JSON, or else a word."""
    keywords = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise ValueError(f"--set takes key=value, got {setting!r}.")
        try:
            keywords[key] = json.loads(value)
        except json.JSONDecodeError:
            keywords[key] = value
    return keywords
