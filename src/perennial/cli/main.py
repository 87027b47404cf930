"""`perennial`: the group of all verbs, and how errors leave it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click

from perennial.core.errors import PerennialError


@dataclass(frozen=True)
class Place:
    """Where a command works: the data folder and the workspace in it."""

    data: Path
    workspace: str


#: The module each verb lives in: only that one is loaded.
VERBS = {
    "init": "run",
    "demo": "run",
    "serve": "run",
    "worker": "run",
    "import": "load",
    "refresh": "refresh",
    "export": "load",
    "tables": "load",
    "metrics": "ask",
    "metric": "ask",
    "define": "define",
    "targets": "define",
    "settings": "define",
    "health": "ask",
    "insights": "ask",
    "scorecard": "scorecard",
    "accounts": "accounts",
    "keys": "keys",
    "events": "intake",
    "check": "check",
    "backup": "upkeep",
    "restore": "upkeep",
    "erase": "upkeep",
}


class Verbs(click.Group):
    """Loads a verb when it is asked for; says in one line what a person did wrong."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = import_module(f"perennial.cli.{VERBS[cmd_name]}")
        command = module.COMMANDS[cmd_name]
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except PerennialError as error:
            click.echo(f"perennial: {error}", err=True)
            ctx.exit(1)
        except BrokenPipeError:
            raise  # whoever read has read enough
        except OSError as error:  # no such file, no right to it, a full disk
            click.echo(f"perennial: {_reason(error)}", err=True)
            ctx.exit(1)


def _reason(error: OSError) -> str:
    if error.filename and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}"
    return str(error).splitlines()[0]


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="PERENNIAL_DATA",
    default=Path("perennial-data"),
    show_default=True,
    help="The folder that holds everything.",
)
@click.option(
    "--workspace", default="default", show_default=True, help="Key of the workspace."
)
@click.version_option(package_name="perennial")
@click.pass_context
def cli(context: click.Context, data: Path, workspace: str) -> None:
    """Customer success: who thrives, who is about to leave, why, and what to do."""
    context.obj = Place(data.expanduser(), workspace)


def main() -> None:
    sys.exit(cli())


if __name__ == "__main__":
    main()
