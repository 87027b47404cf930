"""Verbs of what arrives: events."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from perennial.cli import show
from perennial.cli.main import Place
from perennial.core.windows import Period
from perennial.lake.duck import connect
from perennial.lake.local_days import month_names
from perennial.lake.opening import open_workspace
from perennial.lake.store import Lake

_EVERY_S = 1.0


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


COMMANDS = {events.name: events}
