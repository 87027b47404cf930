"""The verb `scorecard`: what health scores are made of, as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import click

from perennial.cli import show
from perennial.cli.keys import application_workspace
from perennial.cli.main import Place
from perennial.core.errors import BadValue
from perennial.lake import scorecards
from perennial.lake.opening import open_workspace
from perennial.lake.scorecards import Version
from perennial.lake.workspace import Workspace
from perennial.scoring import scorecard_text
from perennial.scoring.scorecard import Scorecard

_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group()
def scorecard() -> None:
    """What health scores are made of: show, check and publish scorecards."""


@scorecard.command("show")
@click.option("--version", "number", type=int, help="Another than the one in force.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="Both say the same.",
)
@click.pass_obj
def show_(place: Place, number: int | None, format_: Literal["yaml", "json"]) -> None:
    """Print the scorecard in force, or another version of it."""
    workspace = open_workspace(place.data, place.workspace)
    found = (
        scorecards.active(workspace)
        if number is None
        else scorecards.version(workspace, number)
    )
    click.echo(scorecard_text.write(found.card, format_), nl=False)


@scorecard.command("check")
@_file
@click.pass_obj
def check(place: Place, file: Path) -> None:
    """Is FILE a scorecard? Says everything that is wrong with it, and where."""
    card = _read(open_workspace(place.data, place.workspace), file)
    shares = ", ".join(
        f"{name} {share:.1%}" for name, share in card.rules[-1].shares.items()
    )
    click.echo(f"{card.name} is a scorecard: {shares}")


@scorecard.command("publish")
@_file
@click.option("--note", required=True, help="What changed, and why.")
@click.pass_obj
def publish(place: Place, file: Path, note: str) -> None:
    """Make FILE the version in force; the next refresh scores by it."""
    card = _read(open_workspace(place.data, place.workspace), file)
    workspace = application_workspace(place)
    from perennial.apps.health import actions

    if not note.strip():
        raise BadValue("say what changed, and why: --note")
    version = actions.publish(workspace, card, by=None, note=note)
    click.echo(f"version {version.number} of the scorecard is published")


@scorecard.command("history")
@show.format_option
@click.pass_obj
def history(place: Place, format_: str) -> None:
    """List every published version: when, by whom, and why."""
    workspace = open_workspace(place.data, place.workspace)
    show.rows([_row(each) for each in scorecards.history(workspace)], format_)


def _row(version: Version) -> dict[str, Any]:
    return {
        "version": version.number,
        "name": version.card.name,
        "published_at": version.published_at,
        "published_by": version.published_by,
        "note": version.note,
        "components": json.dumps(
            {name: round(w, 6) for name, w in version.card.rules[-1].shares.items()}
        ),
    }


def _read(workspace: Workspace, file: Path) -> Scorecard:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadValue(f"{file} is no text in UTF-8") from None
    return scorecards.check(workspace, text)


COMMANDS = {scorecard.name: scorecard}
