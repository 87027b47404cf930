"""What the screens of segments read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import ibis
from django.http import Http404

from perennial.apps.customers import listing
from perennial.apps.customers.account import Account
from perennial.apps.customers.kept import kept
from perennial.apps.customers.models import Segment
from perennial.apps.customers.queries import accounts_of
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.money import SCALE
from perennial.core.windows import DAY
from perennial.lake import matching
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics import conditions
from perennial.metrics.conditions import Condition

#: Days that moves are counted and shown for.
BACK = 28
SHOWN = 8


@dataclass(frozen=True)
class Size:
    """Members of a segment now, what they pay, and who came and went in 28 days."""

    accounts: int = 0
    mrr: Decimal = Decimal(0)
    entered: int = 0
    left: int = 0


@dataclass(frozen=True)
class Preview:
    """Whom a condition fits: how many, what they pay, the first of them."""

    accounts: int
    mrr: Decimal
    first: list[Account]


@dataclass(frozen=True)
class Move:
    """An account that entered or left, and when."""

    account_id: str
    name: str
    day: date
    has_entered: bool


def segments(workspace: Workspace) -> list[Segment]:
    """Those in force, by name."""
    return list(workspace.segments.filter(archived_at=None).order_by("name", "key"))


def get_segment_or_404(workspace: Workspace, key: str) -> Segment:
    found = workspace.segments.filter(key=key).first()
    if found is None:
        raise Http404
    return found


def sizes(workspace: Workspace) -> Mapping[str, Size]:
    """By key; a segment without members is not in it."""
    return _sizes(lake_of(workspace))


@kept("segment_members", "account_measures", size=32)
def _sizes(lake: Lake) -> Mapping[str, Size]:
    members = lake.table("segment_members")
    begins, day = _first_days(lake), lake.lake.least("account_measures", "as_of")
    since = (day or lake.today) - DAY * BACK
    measures = lake.table("account_measures").select("account_id", "mrr_e4")
    rows = members.left_join(measures, "account_id")
    live = rows.ends_on.isnull()
    found = rows.group_by("segment").agg(
        accounts=live.cast("int64").sum(),
        mrr=ibis.ifelse(live, rows.mrr_e4.fill_null(0), 0).sum(),
        left=(rows.ends_on > since).fill_null(False).cast("int64").sum(),
    )
    came = members.filter(members.starts_on > since)
    entered: dict[str, int] = {}
    for key, start in lake.engine.run(came.select("segment", "starts_on")).rows():
        entered[key] = entered.get(key, 0) + (start > begins[key])
    return {
        row["segment"]: Size(
            row["accounts"],
            Decimal(int(row["mrr"])) / SCALE,
            entered.get(row["segment"], 0),
            row["left"],
        )
        for row in lake.engine.run(found).iter_rows(named=True)
    }


def _first_days(lake: Lake) -> Mapping[str, date]:
    """The day each segment was first looked at: nobody entered on it."""
    members = lake.table("segment_members")
    found = members.group_by("segment").agg(first=members.starts_on.min())
    return dict(lake.engine.run(found).iter_rows())


@kept("segment_members", "account_measures", size=64)
def moves(lake: Lake, key: str, most: int) -> tuple[Move, ...]:
    """Who entered and left last, the newest first."""
    first = _first_days(lake).get(key)
    members = lake.table("segment_members")
    members = members.filter(members.segment == key)
    names = lake.table("account_measures").select("account_id", "name")
    rows = lake.engine.run(members.inner_join(names, "account_id"))
    found = []
    for row in rows.iter_rows(named=True):
        who = (row["account_id"], row["name"])
        if row["starts_on"] != first:
            found.append(Move(*who, row["starts_on"], has_entered=True))
        if row["ends_on"] is not None:
            found.append(Move(*who, row["ends_on"], has_entered=False))
    return tuple(sorted(found, key=lambda m: (m.day, m.name), reverse=True)[:most])


def preview(workspace: Workspace, condition: Condition) -> Preview:
    """Asked at once: nothing of it is stored."""
    lake = lake_of(workspace)
    rows = matching.matched(lake, condition)
    totals = rows.agg(n=rows.count(), mrr=rows.mrr_e4.sum())
    [(count, mrr)] = lake.engine.run(totals).rows()
    columns = lake.table("account_measures").columns
    best = rows.order_by(listing.priority(rows)).limit(SHOWN).select(columns)
    first = accounts_of(lake, lake.engine.run(best)) if count else []
    return Preview(count, Decimal(int(mrr or 0)) / SCALE, first)


def uses_of(workspace: Workspace, key: str) -> list[Segment]:
    """Segments that speak of this one."""
    return [
        other
        for other in segments(workspace)
        if key in conditions.segments(conditions.read(other.document))
    ]
