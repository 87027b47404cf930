"""Who needs a human today, and whose health changed color."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.apps.customers import listing, queries
from perennial.apps.customers.account import Account
from perennial.apps.customers.breakdown import Snapshot, biggest_move, snapshot
from perennial.apps.customers.kept import kept
from perennial.apps.customers.listing import Reader
from perennial.apps.customers.reasons import (
    RENEWAL_DAYS,
    STALLED_DAYS,
    Facts,
    Steps,
    grows,
    needs,
)
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.money import SCALE
from perennial.core.windows import DAY, local_date
from perennial.lake.workspace import Workspace as Lake

#: Rows of the ranked list on a page, and the most that can be asked for.
SHOWN = 12
MOST = 200
#: The largest accounts that may grow, at the end of the list.
GROWING = 3
#: Changes of color listed.
CHANGES = 6
_READ = ("account_measures", "onboarding_steps", "health_snapshots", "users")


@dataclass(frozen=True)
class Needed:
    """Accounts to look at: how many there are, and the first of them."""

    count: int
    red: int
    renewing: Decimal
    accounts: list[Account]
    growing: list[Account]
    growing_count: int
    facts: Mapping[str, Facts]


def needed(workspace: Workspace, reader: Reader, owner: str, most: int) -> Needed:
    """Who needs a human: by color, then MRR, then the next renewal."""
    return _needed(lake_of(workspace), reader, owner, most)


@kept(*_READ, shared=True)
def _needed(lake: Lake, reader: Reader, owner: str, most: int) -> Needed:
    m = lake.table("account_measures")
    m = m.filter(listing.owned_by(m, owner)) if owner else m
    steps = _stalled(lake, m, reader)
    m = m.mutate(calls=needs(m, reader) | m.account_id.isin(list(steps)))
    m = m.mutate(grows=grows(m) & ~m.calls)
    counts = _counts(lake, m, reader)
    ranked = listing.priority(m)
    first = lake.engine.run(m.filter(m.calls).order_by(ranked).limit(most))
    # Those who may grow are all well: the largest come first.
    last = lake.engine.run(m.filter(m.grows).order_by(ranked[1:]).limit(GROWING))
    calling, growing = (queries.accounts_of(lake, rows) for rows in (first, last))
    return Needed(
        count=counts["calls"] or 0,
        red=counts["red"] or 0,
        renewing=Decimal(counts["renewing"] or 0) / SCALE,
        accounts=calling,
        growing=growing,
        growing_count=counts["grows"] or 0,
        facts=_facts(lake, reader.as_of, [*calling, *growing], steps),
    )


def _counts(lake: Lake, m: ir.Table, reader: Reader) -> dict[str, Any]:
    soon = listing.renews_within(m, reader.as_of, RENEWAL_DAYS).fill_null(False)
    found = m.agg(
        calls=m.calls.cast("int64").sum(),
        grows=m.grows.cast("int64").sum(),
        red=(m.calls & (m.health_color == "red")).cast("int64").sum(),
        renewing=ibis.ifelse(m.calls & soon, m.mrr_e4, 0).sum(),
    )
    return lake.engine.run(found).row(0, named=True)


def _facts(
    lake: Lake, as_of: date, accounts: Sequence[Account], steps: Mapping[str, Steps]
) -> dict[str, Facts]:
    """Key features of the listed accounts, and how far onboarding came."""
    ids = [account.account_id for account in accounts]
    found = {row["account_id"]: row for row in snapshots_of(lake, [as_of], ids)}
    return {
        i: Facts(
            found[i]["key_features_used"] if i in found else None,
            found[i]["key_features"] if i in found else None,
            steps.get(i),
        )
        for i in ids
    }


def facts_of(workspace: Workspace, account: Account, now: Snapshot | None) -> Facts:
    """The same for one account, whose snapshot is known."""
    lake = lake_of(workspace)
    measured = now.measured if now else None
    return Facts(
        measured.key_features_used if measured else None,
        measured.key_features if measured else None,
        steps(lake).get(account.account_id),
    )


def snapshots_of(
    lake: Lake, dates: Sequence[date], ids: Sequence[str]
) -> list[dict[str, Any]]:
    """Stored health of some accounts on some days, the newest computation of each."""
    if not ids:
        return []
    table = lake.table("health_snapshots")
    found = table.filter(
        table.date.isin(list(dates)) & table.account_id.isin(list(ids))
    )
    rows = lake.engine.run(found).sort("computed_at").iter_rows(named=True)
    return list({(row["account_id"], row["date"]): row for row in rows}.values())


# --- onboarding that stands still --------------------------------------------


@kept(*_READ, shared=True)
def steps(lake: Lake) -> dict[str, Steps]:
    """The furthest step of every account in onboarding, those of people aside who are
    switched off; kept until facts change."""
    m, taken = lake.table("account_measures"), lake.table("onboarding_steps")
    waiting = m.filter((m.health_status == "onboarding") & (m.state == "paying"))
    flows = taken.group_by("flow").agg(
        of=ibis.greatest(taken.position.max(), taken.steps.max().fill_null(0))
    )
    users = lake.table("users")
    off = users.filter(users.deactivated_at <= ibis.literal(lake.now))
    taken = taken.semi_join(waiting, "account_id").anti_join(off, "user_id")
    taken = taken.group_by("account_id", "flow").agg(
        done=taken.position.max(), last_at=taken.completed_at.max()
    )
    rows = (
        waiting.select("account_id")
        .left_join(taken.join(flows, "flow"), "account_id", rname="{name}_t")
        .select("account_id", "done", "of", "last_at")
    )
    longest = lake.engine.run(flows)["of"].max()
    found = lake.engine.run(rows).sort("last_at", nulls_last=False)
    return {
        r["account_id"]: Steps(
            r["done"] or 0, r["of"] or int(str(longest)), r["last_at"]
        )
        for r in found.iter_rows(named=True)
        if longest is not None
    }


def _stalled(lake: Lake, m: ir.Table, reader: Reader) -> dict[str, Steps]:
    """Accounts whose onboarding has had no step for some days."""
    known = steps(lake)
    if not known:
        return {}
    mine = m.filter(m.account_id.isin(list(known))).select("account_id", "created_at")
    started = dict(lake.engine.run(mine).iter_rows())
    return {i: known[i] for i, at in started.items() if _stands(known[i], at, reader)}


def _stands(steps: Steps, created_at: datetime | None, reader: Reader) -> bool:
    since = steps.last_at or created_at
    if since is None:
        return False
    return (reader.as_of - local_date(since, reader.zone)).days >= STALLED_DAYS


# --- changes of color --------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """An account whose color changed, and the part that moved its score most."""

    account: Account
    before: str
    moved: tuple[str, float] | None
    is_model_change: bool = False


@dataclass(frozen=True)
class Changes:
    """The changes since yesterday; where there are none, of the week."""

    days: int
    count: int
    rows: list[Change]


def changes(workspace: Workspace, reader: Reader, owner: str) -> Changes:
    """Accounts with another color than yesterday, or than a week ago."""
    return _changed(lake_of(workspace), reader.as_of, owner)


@kept(*_READ, shared=True)
def _changed(lake: Lake, as_of: date, owner: str) -> Changes:
    m = lake.table("account_measures")
    m = m.filter(m.state == "paying")
    m = m.filter(listing.owned_by(m, owner)) if owner else m
    other = m.filter(m.health_color != m.health_color_1d)
    found = lake.engine.run(other.mutate(before=other.health_color_1d))
    if not found.is_empty():
        return _changes(lake, as_of, 1, found)
    week = lake.engine.run(colored_before(lake, m, as_of - DAY * 7))
    return _changes(lake, as_of, 7, week)


def colored_before(lake: Lake, m: ir.Table, day: date) -> ir.Table:
    """Accounts of `m` that had another color on a day, with that one as `before`."""
    table = lake.table("health_snapshots")
    newest = ibis.window(group_by="account_id", order_by=ibis.desc("computed_at"))
    stored = table.filter(table.date == day)
    stored = stored.mutate(rank=ibis.row_number().over(newest))
    stored = stored.filter(stored["rank"] == 0)
    both = m.join(stored.select("account_id", before="color"), "account_id")
    return both.filter(both.before != both.health_color)


def largest(lake: Lake, found: pl.DataFrame, most: int) -> list[tuple[Account, str]]:
    """Of accounts that had another color those of most MRR, each with that color: a
    change there matters most. Of thousands only these are made accounts of."""
    order = found.filter(pl.col("account_id") != "").sort(
        "mrr_e4", "name", descending=[True, False], nulls_last=True
    )
    first = order.head(most)
    return list(zip(queries.accounts_of(lake, first), first["before"], strict=True))


def _changes(lake: Lake, as_of: date, days: int, found: pl.DataFrame) -> Changes:
    first = largest(lake, found, CHANGES)
    ids = [account.account_id for account, _ in first]
    stored = {
        (row["account_id"], row["date"]): snapshot(lake, row)
        for row in snapshots_of(lake, [as_of, as_of - DAY * days], ids)
    }
    rows = []
    for account, before in first:
        now = stored.get((account.account_id, as_of))
        old = stored.get((account.account_id, as_of - DAY * days))
        moved = biggest_move(now, old) if now and old else None
        is_model_change = bool(now and old and now.rules != old.rules)
        rows.append(Change(account, before, moved, is_model_change))
    return Changes(days, found.height, rows)
