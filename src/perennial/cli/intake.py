"""Verbs of what arrives: keys, events."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from perennial.cli import show
from perennial.cli.main import Place
from perennial.core.errors import BadValue, UnknownName
from perennial.core.windows import Period
from perennial.lake.duck import connect
from perennial.lake.store import Lake
from perennial.lake.usage import month_names
from perennial.lake.workspace import open_workspace

if TYPE_CHECKING:
    from perennial.apps.intake.models import WriteKey
    from perennial.apps.team.models import Workspace

_EVERY_S = 1.0


@click.group()
def keys() -> None:
    """Write keys: what lets a program send events."""


@keys.command("create")
@click.option("--kind", type=click.Choice(["write"]), default="write")
@click.option("--name", required=True, help="Name of the source that sends with it.")
@show.format_option
@click.pass_obj
def create(place: Place, kind: str, name: str, format_: str) -> None:
    """Make a key, and the source it belongs to where that is missing."""
    workspace = application_workspace(place)
    from perennial.apps.intake import sources

    key = sources.create_key(workspace, name, by=None)
    _print([_row(key)], format_)


@keys.command("list")
@show.format_option
@click.pass_obj
def list_(place: Place, format_: str) -> None:
    """List the keys of the workspace."""
    show.rows([_row(key) for key in _keys(application_workspace(place))], format_)


@keys.command("revoke")
@click.argument("key")
@click.pass_obj
def revoke(place: Place, key: str) -> None:
    """Make a KEY (or its beginning) stop working; what it sent stays."""
    workspace = application_workspace(place)
    found = [known for known in _keys(workspace) if known.key.startswith(key)]
    if not found:
        raise UnknownName("key", key, [])
    if len(found) > 1:
        raise BadValue(f"{len(found)} keys begin with {key!r}: write more of it")
    from perennial.apps.intake import sources

    sources.revoke(found[0], by=None)
    click.echo(f"{sources.shown(found[0].key)} of {found[0].source} is revoked.")


def _print(rows: Sequence[dict[str, Any]], format_: str) -> None:
    """One row: an object in JSON, as programs want it."""
    if format_ == "json":
        click.echo(json.dumps(rows[0], default=show.plain, ensure_ascii=False))
    else:
        show.rows(rows, format_)


def _row(key: WriteKey) -> dict[str, Any]:
    return {
        "key": key.key,
        "kind": "write",
        "source": key.source.name,
        "source_id": key.source.slug,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


def _keys(workspace: Workspace) -> list[WriteKey]:
    from perennial.apps.intake.models import WriteKey

    mine = WriteKey.objects.filter(source__workspace=workspace)
    return list(mine.select_related("source").order_by("source__name", "pk"))


def application_workspace(place: Place) -> Workspace:
    """The workspace's row, made where the folder has none yet."""
    from perennial.config.start import setup

    place.data.mkdir(parents=True, exist_ok=True)
    setup(place.data, migrate=True)
    from perennial.apps.team import actions

    settings = open_workspace(place.data, place.workspace).settings
    return actions.create_workspace(
        place.workspace, currency=settings.currency, timezone=settings.timezone
    )


@click.group()
def events() -> None:
    """What arrives."""


@events.command("tail")
@click.option("--last", default=10, show_default=True, help="Begin with so many.")
@click.option("--follow/--no-follow", default=True, help="Go on until Ctrl-C.")
@click.option(
    "--format", "format_", type=click.Choice(["table", "json"]), default="table"
)
@click.pass_obj
def tail(place: Place, last: int, follow: bool, format_: str) -> None:
    """Follow arriving events and rejects, as the lake gets them."""
    lake = open_workspace(place.data, place.workspace).lake
    since = datetime.now(UTC) - timedelta(days=1)
    seen: set[tuple[str, str]] = set()
    rows = list(_arrived(lake, since))[-last:] if last else []
    while True:
        for row in rows:
            mark = (row["source"] or "", row["id"])
            if mark not in seen:
                seen.add(mark)
                click.echo(_line(row, format_))
        if not follow:
            return
        since = max(
            [since, *(row["received_at"] - timedelta(minutes=1) for row in rows)]
        )
        time.sleep(_EVERY_S)
        rows = list(_arrived(lake, since))


def _arrived(lake: Lake, since: datetime) -> Iterator[dict[str, Any]]:
    """Events and rejects received since an instant, in the order they came.

    Only files of the last 40 days are read: what came now may have happened then.
    """
    today = datetime.now(UTC).date()
    months = month_names(Period(today - timedelta(days=40), today + timedelta(days=1)))
    query = f"""
        SELECT received_at, 'event' AS what, source_id AS source, event_id AS id, event,
               coalesce(user_id, anonymous_id) AS user, account_id AS account,
               properties AS payload
        FROM {lake.source("events", months=months)} WHERE received_at > $1
        UNION ALL
        SELECT rejected_at, 'reject: ' || code, source, row_number::VARCHAR,
               NULL, NULL, NULL, payload
        FROM {lake.source("rejects")} WHERE rejected_at > $1
        ORDER BY received_at, id
    """
    with connect() as duck:
        yield from duck.sql(query, params=[since]).to_arrow_table().to_pylist()


def _line(row: dict[str, Any], format_: str) -> str:
    if format_ == "json":
        return json.dumps(row, default=show.plain, ensure_ascii=False)
    at = row["received_at"].astimezone().strftime("%H:%M:%S")
    names = (row["event"], row["user"], row["account"], row["payload"])
    said = "  ".join(str(name)[:80] for name in names if name)
    return f"{at}  {row['what']:<24} {said}"


COMMANDS = {command.name: command for command in (keys, events)}
