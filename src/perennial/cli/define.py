"""The verb that makes metrics of one's own."""

from __future__ import annotations

import getpass
from typing import Any

import click

from perennial.cli import show
from perennial.cli.main import Place
from perennial.core.settings import Settings, about, groups, written
from perennial.lake import definitions, settings_store
from perennial.lake import targets as targets_store
from perennial.lake.opening import open_workspace
from perennial.metrics.custom import MEASURES, UNITS
from perennial.metrics.targets import Target


@click.command()
@click.argument("key", required=False)
@click.option("--title", help="What people call it.")
@click.option("--measure", type=click.Choice(MEASURES), help="How it counts.")
@click.option("--of", "table", metavar="TABLE", help="events, tickets, payments, ...")
@click.option("--column", help="What is distinct, added up or ranked.")
@click.option("--where", metavar="EXPRESSION", help="Which rows count.")
@click.option("--part", metavar="EXPRESSION", help="Which of them are a ratio's part.")
@click.option("--percentile", type=int, metavar="1-99")
@click.option("--at", metavar="COLUMN", help="When a row happened.")
@click.option("--unit", type=click.Choice(UNITS))
@click.option("--good", type=click.Choice(("up", "down", "none")))
@click.option("--about", help="What it is, in a sentence.")
@click.option("--retire", is_flag=True, help="Take it out of the catalog.")
@show.format_option
@click.pass_obj
def define(
    place: Place, /, key: str | None, retire: bool, format_: str, **said: Any
) -> None:
    """Define the metric KEY, or a new version of it; without KEY, list all versions.

    Events are counted by the next refresh. `perennial metric KEY` answers then, and
    `--set version=1` as it was defined first.
    """
    workspace = open_workspace(place.data, place.workspace)
    lake, at, by = workspace.lake, workspace.now, getpass.getuser()
    if key and retire:
        definitions.retire(lake, key, by=by, at=at)
    elif key:
        values = {name: value for name, value in said.items() if value is not None}
        if "title" not in values:
            values["title"] = key.replace("_", " ").capitalize()
        definitions.define(lake, {"key": key, **values}, by=by, at=at)
    show.rows(
        [
            _row(kept)
            for kept in definitions.history(lake)
            if key in (None, kept.definition.key)
        ],
        format_,
    )


def _row(kept: definitions.Kept) -> dict[str, Any]:
    d = kept.definition
    return {
        "key": d.key,
        "version": d.version,
        "title": d.title,
        "formula": d.formula,
        "unit": d.unit,
        "is_retired": kept.is_retired,
        "changed_at": kept.changed_at,
        "changed_by": kept.changed_by,
    }


@click.command()
@click.argument("key", required=False)
@click.option("--segment", default="", help="Of this segment; otherwise of all.")
@click.option("--group", default="", help="Of this class of users, as daily.")
@click.option("--target", type=float, help="Where it should get to.")
@click.option("--floor", type=float, help="Below it a customer needs support.")
@click.option("--ceiling", type=float, help="Above it one is ready to expand.")
@click.option("--remove", is_flag=True, help="Take the target away.")
@show.format_option
@click.pass_obj
def targets(
    place: Place, /, key: str | None, remove: bool, format_: str, **said: Any
) -> None:
    """Set what the metric KEY should be; list all targets."""
    workspace = open_workspace(place.data, place.workspace)
    if key:
        target = Target(workspace.entry(key).key, **said)
        if target.is_empty != remove:
            raise click.UsageError("give --target, --floor or --ceiling, or --remove")
        by = getpass.getuser()
        targets_store.change(workspace.lake, target, by=by, at=workspace.now)
    show.rows([vars(target) for target in workspace.targets], format_)


@click.command()
@click.argument("values", nargs=-1, metavar="[KEY=VALUE]...")
@show.format_option
@click.pass_obj
def settings(place: Place, /, values: tuple[str, ...], format_: str) -> None:
    """Change how numbers are counted: KEY=VALUE; without any, list every setting."""
    workspace = open_workspace(place.data, place.workspace)
    given = [value.partition("=") for value in values]
    if any(not equals for _key, equals, _value in given):
        raise click.UsageError("give KEY=VALUE, as week_start=7")
    if given:
        _change(place, {key: value for key, _equals, value in given})
    now, changed = workspace.settings, settings_store.changed(workspace.lake)
    rows = [
        {
            "setting": key,
            "value": written(getattr(now, key)),
            "default": written(getattr(Settings(), key)),
            "changed_by": changed.get(key, (None, ""))[1],
            "what": about(key),
        }
        for keys in groups().values()
        for key in keys
        if not given or key in {key for key, *_ in given}
    ]
    show.rows(rows, format_)


def _change(place: Place, values: dict[str, str]) -> None:
    from perennial.config.start import setup

    setup(place.data, migrate=True)
    from perennial.apps.intake import counting
    from perennial.apps.team.actions import create_workspace

    row = create_workspace(place.workspace)
    if counting.change(row, values, by=getpass.getuser()):
        click.echo("Numbers follow with the next refresh.", err=True)


COMMANDS = {"define": define, "targets": targets, "settings": settings}
