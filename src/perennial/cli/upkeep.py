"""Verbs that keep an installation safe: backup, restore, erase."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from perennial.cli import show
from perennial.cli.keys import application_workspace
from perennial.cli.main import Place
from perennial.config import archive
from perennial.config.database import named
from perennial.config.folder import DataFolder
from perennial.config.start import setup
from perennial.core.errors import BadValue

file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command()
@file_argument
@click.pass_obj
def backup(place: Place, file: Path) -> None:
    """Write everything into one FILE; the installation may run meanwhile.

    FILE is new, and readable by you alone: it has the key that signs sessions.
    """
    with show.progress("backup") as report:
        files = archive.back_up(DataFolder(place.data), file, report, url=named())
    click.echo(f"{len(files):,} files, {file.stat().st_size / 1e6:,.1f} MB in {file}")


@click.command()
@file_argument
@click.pass_obj
def restore(place: Place, file: Path) -> None:
    """Make the data folder of a FILE that `backup` wrote.

    Only into an empty folder, with PostgreSQL an empty database as well, and all of it
    or nothing.
    """
    folder = DataFolder(place.data.absolute())
    with show.progress("restore") as report:
        files = archive.restore(file, folder, report, url=named())
    setup(place.data, migrate=True)
    click.echo(f"{len(files):,} files in {place.data}. See that it is well: check")


@click.command()
@click.option("--user", default="", help="Id of the person.")
@click.option("--account", default="", help="Id of the account.")
@click.option("--dry-run", is_flag=True, help="Show what is there, erase nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@show.format_option
@click.pass_context
def erase(
    context: click.Context,
    user: str,
    account: str,
    dry_run: bool,
    yes: bool,
    format_: str,
) -> None:
    """Remove a person or an account everywhere, and prove it.

    With an account go those merged into it, and the people who are in no other. The
    exit status is 1 where something is left. There is no way back, but for backups:
    those made before still have it all.
    """
    if bool(user) == bool(account):
        raise click.UsageError("say either --user or --account")
    workspace = application_workspace(context.obj)
    from perennial.config import erasing

    subject = erasing.subject_of(workspace, user=user, account=account)
    found = erasing.rows(workspace, subject)
    if not found:
        raise BadValue(f"there is nothing of {user or account} here")
    if dry_run:
        show.rows(found, format_)
        return
    if not yes and sys.stdin.isatty():
        rows = sum(row["rows"] for row in found)
        click.confirm(f"Erase {user or account}, {rows:,} rows, for ever?", abort=True)
    with show.progress("erase") as report:
        gone = erasing.erase(workspace, subject, report)
    show.rows(gone, format_)
    if any(row["left"] for row in gone):
        context.exit(1)


COMMANDS = {"backup": backup, "restore": restore, "erase": erase}
