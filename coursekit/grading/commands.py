"""The command line's part for exercises: `coursekit exercises build | validate`."""

from pathlib import Path
from typing import Annotated

import typer

from coursekit.terminal import plainly

exercises = typer.Typer(help="Build and check the exercises.", no_args_is_help=True)
Solutions = Annotated[Path, typer.Option(help="Folder of the masters.")]


@exercises.command()
@plainly
def validate(
    files: Annotated[list[Path] | None, typer.Argument(help="Masters; by default all.")] = None,
    solutions: Solutions = Path("solutions"),
) -> None:
    """Try every solution, starter, wrong and right answer, and list what does not hold."""
    from coursekit.grading.build import masters

    if not _valid(files or masters(solutions)):
        raise typer.Exit(1)


@exercises.command()
@plainly
def build(
    solutions: Solutions = Path("solutions"),
    out: Annotated[Path, typer.Option(help="Folder of the students' notebooks.")] = Path("exercises"),
) -> None:
    """Build the students' notebooks; if anything does not hold, none is written."""
    from coursekit.grading.build import masters, write

    if not _valid(masters(solutions)):
        raise typer.Exit(1)
    for path in write(solutions, out):
        typer.echo(path)


def _valid(files: list[Path]) -> bool:
    """Print a report on each master; whether all of them are without violations."""
    from coursekit.grading.exercise import read
    from coursekit.grading.validate import validate

    fit = True
    for file in files:
        try:
            report = validate(read(file))
        except ValueError as error:
            typer.secho(f"{file}: {error}", fg="red", err=True)
            fit = False
        else:
            typer.secho(str(report), fg="red" if report.violations else None)
            fit &= not report.violations
    return fit
