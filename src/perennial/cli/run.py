"""Verbs that make and run an installation: init, demo, serve, worker."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from perennial.cli import show
from perennial.cli.main import Place
from perennial.core.errors import BadValue
from perennial.core.settings import Settings
from perennial.lake import settings_store
from perennial.lake.opening import open_workspace
from perennial.lake.store import Lake

host_option = click.option("--host", default="127.0.0.1", show_default=True)
port_option = click.option(
    "--port",
    default=8000,
    show_default=True,
    envvar="PORT",
    type=click.IntRange(1, 65_535),
)


@click.command()
@click.option("--email", required=True, help="Your e-mail address.")
@click.option("--name", default="", help="Your name.")
@click.option("--timezone", show_default="UTC", help="IANA time zone.")
@click.option("--currency", show_default="USD", help="ISO 4217 code.")
@host_option
@port_option
@click.pass_obj
def init(
    place: Place,
    email: str,
    name: str,
    timezone: str | None,
    currency: str | None,
    host: str,
    port: int,
) -> None:
    """Make the data folder and an administrator; prints a one-time sign-in link."""
    _prepare(place)
    workspace = open_workspace(place.data, place.workspace, new=True)
    # A folder that is in use keeps its own: another currency would be no number.
    said = {"timezone": timezone, "currency": currency}
    settings = settings_store.change(
        workspace.lake,
        {key: value for key, value in said.items() if value is not None},
        by=email,
        at=workspace.now,
    )
    path = _own(place, email, name=name, settings=settings)
    click.echo(f"Ready in {place.data}. Start it with: perennial serve")
    click.echo(f"Sign in once with: http://{host}:{port}{path}")


@click.command()
@host_option
@port_option
@click.option("--seed", default=7, show_default=True, help="Another company.")
@click.option("--no-serve", is_flag=True, help="Make the company and stop.")
@click.pass_obj
def demo(place: Place, host: str, port: int, seed: int, no_serve: bool) -> None:
    """Make an example company and serve it: the first thing to look at."""
    from perennial.demo import load as demo_load

    email, name = demo_load.VISITOR
    # Whoever reaches the address is signed in as the visitor.
    os.environ.update(PERENNIAL_DEMO="1", PERENNIAL_DEMO_EMAIL=email)
    _prepare(place)
    workspace = open_workspace(place.data, place.workspace, new=True)
    made = workspace.lake.snapshot("events").version >= 0
    if made and not _is_demo(workspace.lake):
        raise BadValue(f"{place.data} holds real data; give --data another folder")
    _own(
        place,
        email,
        name=name,
        title=demo_load.COMPANY,
        settings=Settings().with_values(demo_load.SETTINGS),
    )
    if not made:
        with show.progress("demo") as report:
            demo_load.load(workspace, end=workspace.today, seed=seed, progress=report)
        _warm(place, demo_load.team(workspace))
    if not no_serve:
        click.echo(f"Open http://{host}:{port}/demo/sign-in  (Ctrl-C stops)")
        _serve(place, host, port, web_only=False)


def _own(
    place: Place, email: str, *, name: str, settings: Settings, title: str = ""
) -> str:
    """Make the workspace and its owner; the path of a one-time sign-in link."""
    from perennial.apps.team import actions

    return actions.initialize(
        email,
        name=name,
        key=place.workspace,
        workspace_name=title,
        currency=settings.currency,
        timezone=settings.timezone,
    )


@click.command()
@host_option
@port_option
@click.option("--web-only", is_flag=True, help="Without background work.")
@click.pass_obj
def serve(place: Place, host: str, port: int, web_only: bool) -> None:
    """Web application, API and background work in one."""
    place.data.mkdir(parents=True, exist_ok=True)
    _serve(place, host, port, web_only=web_only)


@click.command()
@click.pass_obj
def worker(place: Place) -> None:
    """Background work alone."""
    from perennial.config.serve import worker as run

    run(place.data)


def _warm(place: Place, people: Sequence[tuple[str, str]]) -> None:
    """The company's people and playbooks; and have the worker compute the board and
    past forecasts, so that visitors need not wait."""
    from perennial.apps.guides import example as guides
    from perennial.apps.jobs import actions
    from perennial.apps.onboarding import example as onboarding
    from perennial.apps.surveys import example as surveys
    from perennial.apps.team.models import Workspace
    from perennial.apps.work import example
    from perennial.demo import funnel, truths

    workspace = Workspace.objects.get(key=place.workspace)
    example.set_up(workspace, people)
    surveys.set_up(workspace)
    onboarding.set_up(workspace, funnel.FLOW, funnel.STEPS)
    guides.set_up(workspace, truths.GUIDE_TARGET, *truths.guided())
    actions.enqueue("warm_metrics", workspace)
    actions.enqueue("send_surveys", workspace)
    actions.enqueue("answer_insights", workspace)
    actions.enqueue("tell_past_forecasts", workspace)


def _serve(place: Place, host: str, port: int, *, web_only: bool) -> None:
    from perennial.config.serve import serve as run

    run(host, port, web_only=web_only, data=place.data)


def _prepare(place: Place) -> None:
    from perennial.config.start import setup

    place.data.mkdir(parents=True, exist_ok=True)
    setup(place.data, migrate=True)


def _is_demo(lake: Lake) -> bool:
    changes = lake.read("settings").to_pylist()
    return any(change["changed_by"] == "demo" for change in changes)


COMMANDS = {command.name: command for command in (init, demo, serve, worker)}
