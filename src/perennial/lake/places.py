"""How far those in an onboarding flow got, for people who look at it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import duckdb

from perennial.core.onboarding import Flow, Progress
from perennial.lake import flowbook, onboarding
from perennial.lake.duck import connect
from perennial.lake.entries import ENTRIES, STEPS

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace


#: People who are switched off, and accounts that left.
_Left: TypeAlias = tuple[set[str], set[str]]


@dataclass(frozen=True)
class Done:
    """A step that was completed: `by` is what says so, `who` the person, if one did."""

    at: datetime
    by: str
    who: str = ""


@dataclass(frozen=True)
class Place:
    """One of those in a flow, an account or a person in it, and how far they are."""

    flow: str
    version: int
    account_id: str | None
    user_id: str | None
    progress: Progress
    done: Mapping[str, Done]
    #: A person who is switched off, and whose account left or is archived.
    is_off: bool = False
    is_lost: bool = False

    def is_stalled(self, today: date, days: int, zone: ZoneInfo) -> bool:
        """Not finished, without a step for so many whole days, and still there."""
        has_left = self.is_off or self.is_lost
        return not has_left and self.progress.is_stalled(today, days, zone)


def places(
    workspace: Workspace,
    flow: str = "",
    *,
    account: str | None = None,
    user: str | None = None,
) -> list[Place]:
    """Those in a flow, or in any; of an account or a person, where one is given."""
    books = flowbook.known(workspace.lake)
    given = {"flow": flow or None, "account": account, "user": user}
    where = " AND ".join(
        f"coalesce({column} = ${name}, ${name} IS NULL)"
        for name, column in (
            ("flow", "flow"), ("account", "account_id"), ("user", "user_id")
        )
    )  # fmt: skip
    with connect() as duck:
        entries, steps = (
            _rows(duck, f"FROM {workspace.lake.source(name)} WHERE {where}", given)
            for name in (ENTRIES, STEPS)
        )
        left = _left(workspace, duck, entries)
    done: dict[tuple[object, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in steps:
        done[row["flow"], row["user_id"] or row["account_id"]].append(row)
    found = {}
    for row in sorted(entries, key=lambda row: row["started_on"], reverse=True):
        book = books[row["flow"]]
        if version := book.versions.get(row["version"]):
            # Of accounts that were merged, the one that began first.
            who = row["flow"], row["user_id"] or row["account_id"]
            found[who] = _place(row, version, done[who], left)
    return list(found.values())


def _left(
    workspace: Workspace,
    duck: duckdb.DuckDBPyConnection,
    entries: Iterable[Mapping[str, Any]],
) -> _Left:
    """Of those in a flow, who is not there any more."""
    source = workspace.lake.source

    def those(column: str, table: str, condition: str) -> set[str]:
        ids = {row[column] for row in entries} - {None}
        query = (
            f"SELECT {column} FROM {source(table)} "
            f"WHERE {condition} AND {column} IN (SELECT unnest($ids))"
        )
        given = {"ids": sorted(ids)}
        return (
            {key for (key,) in duck.execute(query, given).fetchall()} if ids else set()
        )

    off = f"deactivated_at <= TIMESTAMPTZ '{workspace.now.isoformat()}'"
    lost = "state IN ('churned', 'archived')"
    return those("user_id", "users", off), those("account_id", "account_measures", lost)


def _rows(
    duck: duckdb.DuckDBPyConnection, query: str, given: Mapping[str, object]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        duck.sql(query, params=given).to_arrow_table().to_pylist()
    )
    return found


def _place(
    row: Mapping[str, Any],
    flow: Flow,
    steps: Iterable[Mapping[str, Any]],
    left: _Left,
) -> Place:
    off, lost = left
    done: dict[str, Done] = {}
    for step in steps:
        said = json.loads(step["properties"] or "{}") if step["version"] else {}
        told = Done(step["completed_at"], said.get("by", "import"), said.get("who", ""))
        if flow.step(step["step"]):
            done[step["step"]] = min(done.get(step["step"], told), told, key=_at)
    when = {name: each.at for name, each in done.items()}
    return Place(
        row["flow"],
        row["version"],
        row["account_id"],
        row["user_id"],
        Progress(flow, row["started_on"], when),
        done,
        row["user_id"] in off,
        row["account_id"] in lost,
    )


def _at(done: Done) -> datetime:
    return done.at


def tried(workspace: Workspace, name: str, flow: Flow) -> list[Place]:
    """Who would be where, if a flow were published as it stands."""
    made = [
        (
            {
                "flow": name,
                "version": entry.version,
                "account_id": entry.account_id,
                "user_id": entry.user_id,
                "started_on": entry.started_on,
            },
            rows,
        )
        for entry, rows in onboarding.tried(workspace, name, flow)
    ]
    with connect() as duck:
        left = _left(workspace, duck, [row for row, _ in made])
    return [_place(row, flow, rows, left) for row, rows in made]
