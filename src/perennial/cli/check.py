"""The verb `check`: is this installation healthy?"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import click

from perennial.cli import show
from perennial.cli.keys import application_workspace
from perennial.cli.main import Place
from perennial.lake.duck import connect
from perennial.lake.opening import open_workspace
from perennial.lake.store import Lake
from perennial.lake.tables import TABLES

_PACKAGES = ("perennial", "django", "duckdb", "deltalake", "ibis-framework", "granian")

Row = dict[str, Any]


@click.command()
@show.format_option
@click.pass_context
def check(context: click.Context, format_: str) -> None:
    """Is this installation healthy? Versions, disk, inbox, tables.

    The exit status is 1 where something needs a person.
    """
    place: Place = context.obj
    lake = open_workspace(place.data, place.workspace).lake
    rows = [*_versions(), _disk(place), *_problems(place), *_tables(lake)]
    show.rows(rows, format_)
    if any(row["status"] == "failed" for row in rows):
        context.exit(1)


def _row(what: str, status: str, said: str) -> Row:
    return {"check": what, "status": status, "said": said}


def _versions() -> Iterator[Row]:
    said = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    yield _row("versions", "ok", f"{said}, Python {platform.python_version()}")


def _disk(place: Place) -> Row:
    free = shutil.disk_usage(place.data).free
    return _row("disk", "ok", f"{free / 2**30:,.1f} GiB free")


def _problems(place: Place) -> Iterator[Row]:
    """What the page Data says, too."""
    workspace = application_workspace(place)
    from perennial.apps.intake.models import Batch
    from perennial.apps.intake.state import state

    found = state(workspace)
    for problem in found:
        status = "failed" if problem.is_severe else "warning"
        yield _row(problem.code, status, f"{problem.said} {problem.todo}")
    if not found:
        waiting = Batch.objects.count()
        yield _row("intake", "ok", f"{waiting:,} requests wait in the inbox")


def _tables(lake: Lake) -> Iterator[Row]:
    """Every table can be read, and holds as many rows as its log says."""
    broken, rows = 0, 0
    with connect() as duck:
        for name in TABLES:
            try:
                query = f"SELECT count(*) FROM {lake.source(name)}"
                [(found,)] = duck.sql(query).fetchall()
            except Exception as error:
                broken += 1
                yield _row(f"table {name}", "failed", str(error).splitlines()[0])
                continue
            rows += found
            if found != lake.count(name):
                broken += 1
                said = f"{found:,} rows, and {lake.count(name):,} by its log"
                yield _row(f"table {name}", "failed", said)
    if not broken:
        yield _row("tables", "ok", f"{len(TABLES)} tables, {rows:,} rows, all readable")


COMMANDS = {"check": check}
