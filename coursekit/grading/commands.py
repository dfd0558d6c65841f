"""The command line's part for exercises: `coursekit exercises build | validate | bundle` and `grade`."""

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coursekit.grading.limits import MEBIBYTE, Limits
from coursekit.terminal import plainly

if TYPE_CHECKING:
    from coursekit.grading.gradebook import Grade

exercises = typer.Typer(help="Build and check the exercises.", no_args_is_help=True)
Solutions = Annotated[Path, typer.Option(help="Folder of the masters.")]
MASTER = "Name of a master in solutions/, or the path of one."


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


@exercises.command()
@plainly
def bundle(
    exercise: Annotated[str, typer.Argument(help=MASTER)],
    out: Annotated[Path | None, typer.Option(help="The zip; by default NAME-autograder.zip.")] = None,
) -> None:
    """Make the autograder zip of an exercise for Gradescope."""
    from coursekit.grading import bundle

    master = _master(exercise)
    typer.echo(bundle.write(master, out or Path(f"{master.stem}-autograder.zip")))


@plainly
def grade(
    folder: Annotated[
        Path, typer.Argument(help="Submissions as the learning system gives them: folder, zip.")
    ],
    exercise: Annotated[str, typer.Option(help=MASTER)],
    out: Annotated[Path, typer.Option(help="Folder for results, tables and reports.")] = Path("grades"),
    roster: Annotated[Path | None, typer.Option(help="Students: Canvas's, Moodle's or your own CSV.")] = None,
    written: Annotated[
        Path | None, typer.Option(help="CSV with points given by hand; OUT/written.csv counts as well.")
    ] = None,
    due: Annotated[str, typer.Option(help="When it was due, such as '2026-03-01 23:59'.")] = "",
    late_percent_per_day: Annotated[float, typer.Option(help="Share of the points that a day costs.")] = 0.0,
    grace_minutes: Annotated[float, typer.Option(help="How much later is still in time.")] = 0.0,
    canvas_column: Annotated[
        str, typer.Option(help="The assignment as Canvas's export calls it; by default the exercise's name.")
    ] = "",
    processes: Annotated[int, typer.Option(min=1, help="Submissions graded at a time.")] = cores(),
    scheduler: Annotated[str, typer.Option(help="Address of a Dask scheduler, whose workers grade.")] = "",
    sandbox: Annotated[
        str, typer.Option(help="bubblewrap, podman, docker or container; by default whichever works.")
    ] = "",
    unsafe_local: Annotated[
        bool, typer.Option("--unsafe-local", help="No sandbox; only on a machine that may be lost.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="Time for a call; thrice for a question.")] = Limits.call,
    memory: Annotated[int, typer.Option(help="MiB that answers may take.")] = Limits.memory // MEBIBYTE,
    gradescope: Annotated[
        bool, typer.Option("--gradescope", help="One student's folder; writes OUT/results.json alone.")
    ] = False,
) -> None:
    """Grade submissions. What was graded before, and is still the same, is kept."""
    from coursekit.grading.exercise import read
    from coursekit.grading.gradescope import grade_one
    from coursekit.grading.job import Plan
    from coursekit.grading.late import Late, parse_time
    from coursekit.grading.publish import Options, grade_folder

    master = _master(exercise)
    late = Late(parse_time(due) if due else None, late_percent_per_day, grace_minutes)
    times = {"call": seconds, "cell": seconds, "question": 3 * seconds}
    limits = Limits(**times, memory=memory * MEBIBYTE)
    name = "unsafe" if unsafe_local else sandbox
    name = name if scheduler else _sandbox(name, [master, folder, out])
    plan = Plan(read(master), name, limits)
    if gradescope:
        grade_one(folder, out, plan)
    else:
        options = Options(plan, processes, scheduler, roster, written, late, canvas_column)
        _tell(grade_folder(folder, out, options), out)


def _master(exercise: str) -> Path:
    """The file of a master, by its name or path."""
    for path in (Path(exercise), Path("solutions") / f"{exercise}.md"):
        if path.is_file():
            return path
    known = ", ".join(sorted(path.stem for path in Path("solutions").glob("[0-9][0-9]-*.md")))
    raise FileNotFoundError(
        f"{exercise!r} is neither a master's path nor its name in solutions/ ({known or 'none there'})."
    )


def _sandbox(name: str, secrets: list[Path]) -> str:
    """Name of a sandbox that works here, and from which the files that matter can't be read."""
    from coursekit.grading.choose import choose
    from coursekit.grading.sandbox import SandboxError

    try:
        sandbox = choose(name or None)
    except SandboxError as error:
        raise ValueError(str(error)) from error
    exposed = sandbox.exposed(path for path in secrets if path.exists())
    if exposed and name != "unsafe":
        files = ", ".join(map(str, exposed))
        raise ValueError(
            f"In the sandbox {sandbox.name} answers could read {files}, as they can Python and its packages. "
            "Move the files elsewhere, or close them to other users by chmod."
        )
    return sandbox.name


def _tell(grades: "list[Grade]", out: Path) -> None:
    """Print how it went; the exit status is 1 if the grader failed on a submission."""
    from coursekit.grading.run import LOST

    for status, count in Counter(grade.status for grade in grades).most_common():
        typer.echo(f"{count:5} {status}")
    waiting = sum(len(grade.waiting) for grade in grades)
    if waiting:
        typer.echo(f"{waiting:5} answers to grade by hand: fill in {out / 'written.csv'}, run the same again")
    typer.echo(f"Open {out / 'instructor.html'}.")
    if any(grade.status == LOST for grade in grades):
        typer.secho(
            "The grader failed on some; their reports say why. Run the same again.", fg="red", err=True
        )
        raise typer.Exit(1)


def _valid(files: list[Path]) -> bool:
    """Print a report on each master; whether all of them are without violations."""
    import matplotlib as mpl

    from coursekit.grading.exercise import read
    from coursekit.grading.validate import validate

    mpl.use("agg")  # cells that plot open no window
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
