"""The verb that brings everything up to date.

Apart from the others, which load all that reads files: with nothing new to do, most of
its time goes into loading modules.
"""

from __future__ import annotations

import os

import click

from perennial.cli import show
from perennial.cli.main import Place
from perennial.config.folder import DataFolder
from perennial.lake.opening import open_workspace


@click.command()
@click.option("--as-of", metavar="DATE", help="Take the day's snapshot as of this day.")
@click.option("--full", is_flag=True, help="Build everything again.")
@show.format_option
@click.pass_obj
def refresh(place: Place, as_of: str | None, full: bool, format_: str) -> None:
    """Bring roll-ups, ledgers, health, measures and alerts up to date."""
    workspace = open_workspace(place.data, place.workspace)
    has_people = _drain(place)
    with show.progress("refresh") as report:
        done = workspace.refresh(as_of=as_of, full=full, progress=report)
    if has_people and as_of is None:
        _open_alerts(place)
    steps = [{"step": step, "seconds": s} for step, s in done.seconds.items()]
    show.rows([*steps, {"step": "total", "seconds": round(done.total, 3)}], format_)


def _drain(place: Place) -> bool:
    """Load what waits in the inbox; False: the folder has no application, so none."""
    folder = DataFolder(place.data.absolute())
    if not folder.database.exists() and "PERENNIAL_DATABASE_URL" not in os.environ:
        return False
    from perennial.config.start import setup

    setup(place.data, migrate=True)
    from perennial.apps.intake.stream import loader
    from perennial.apps.team.models import Workspace

    for workspace in Workspace.objects.filter(key=place.workspace):
        loader.drain(workspace)
    return True


def _open_alerts(place: Place) -> None:
    """Playbooks and messages wait for the worker: they reach out to people."""
    from perennial.apps.team.models import Workspace
    from perennial.apps.work.alerts import actions as alerts

    for workspace in Workspace.objects.filter(key=place.workspace):
        alerts.evaluate(workspace)


COMMANDS = {"refresh": refresh}
