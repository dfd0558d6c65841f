"""What all commands of the command line share."""

import functools
from collections.abc import Callable
from typing import Any

import typer


def plainly(command: Callable[..., None]) -> Callable[..., None]:
    """Show an error that a user can mend as its message, without a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **keywords: Any) -> None:
        try:
            command(*args, **keywords)
        except (ValueError, FileNotFoundError, FileExistsError, FloatingPointError) as error:
            typer.secho(f"Error: {error}", fg="red", err=True)
            raise typer.Exit(1) from error

    return run
