"""Which accounts a condition fits, today and as of an earlier day.

One question for all accounts, of what the last refresh left: the account measures
and, where a condition speaks of them, attributes, days of use, chances and metrics.
An earlier day is answered from what the snapshots and facts say of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.errors import BadValue, UnknownName
from perennial.core.windows import DAY
from perennial.lake import guided, measures, segmentbook
from perennial.lake.engines import no_collection
from perennial.metrics import conditions, query
from perennial.metrics.conditions import Condition, Group, Row
from perennial.metrics.matching import column_of, predicate

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

#: What an answer is made of; whoever keeps one asks for these versions.
READS = (
    *("account_measures", "account_attributes", "former_attributes", "feature_days"),
    *("account_days", "renewal_scores", "segments", "health_snapshots", "settings"),
    "event_days",
)


def matching(
    workspace: Workspace, condition: Condition, as_of: date | None = None
) -> list[str]:
    """Ids of the accounts a condition fits, sorted.

    As of the last refresh, or as of an earlier day: everything before it counts.
    Raises `BadValue` and `UnknownName` for what the workspace does not know.
    """
    with no_collection():
        found = matched(workspace, condition, as_of).select("account_id")
        return workspace.engine.run(found)["account_id"].sort().to_list()


def matched(
    workspace: Workspace, condition: Condition, as_of: date | None = None
) -> ir.Table:
    """Rows of `account_measures` that a condition fits, with what it speaks of."""
    table, whole, day = _wide(workspace, condition, as_of)
    return table.filter(predicate(whole, table, day, workspace.settings.tz))


def counts(workspace: Workspace, condition: Condition) -> list[int]:
    """How many accounts match after each part of the outermost group, in its order.

    Parts of `all` narrow what is left, parts of `any` add to it.
    """
    parts = condition.parts if isinstance(condition, Group) else (condition,)
    if not parts:
        return []
    join = condition.join if isinstance(condition, Group) else "all"
    with no_collection():
        table, _, day = _wide(workspace, condition, None)
        known = _known(workspace)
        zone = workspace.settings.tz
        sums = {}
        for n in range(len(parts)):
            some = conditions.expanded(Group(join, parts[: n + 1]), known)
            sums[f"n{n}"] = predicate(some, table, day, zone).cast("int64").sum()
        [row] = workspace.engine.run(table.agg(**sums)).rows()
    return [count or 0 for count in row]


def check(workspace: Workspace, condition: Condition) -> None:
    """Raise where a condition cannot be asked here: it is asked once."""
    workspace.engine.run(matched(workspace, condition).limit(1))


def asks_for_health(workspace: Workspace, condition: Condition) -> bool:
    """Does it, or a segment it speaks of, depend on colors, scores or chances?"""
    whole = conditions.expanded(condition, _known(workspace))
    return any(row.about.group == "health" for row in conditions.rows(whole))


def _known(workspace: Workspace) -> Mapping[str, Condition]:
    return {key: s.condition for key, s in segmentbook.known(workspace).items()}


def _wide(
    workspace: Workspace, condition: Condition, as_of: date | None
) -> tuple[ir.Table, Condition, date]:
    """A row an account with all the columns, the condition itself, and its day."""
    whole = condition
    if conditions.segments(condition):
        whole = conditions.expanded(condition, _known(workspace))
    newest = measures.newest(workspace)
    if as_of is None or as_of == newest:
        table, day = workspace.engine.table(measures.NAME), newest or workspace.today
    else:
        day = as_of
        table = ibis.memtable(measures.past(workspace, as_of).to_arrow())
    for row, values in _columns(workspace, whole, day, is_past=day != newest):
        column = column_of(row)
        values = values.select(key="account_id", **{column: values.value})
        table = table.left_join(values, table.account_id == values.key).drop("key")
        if row.days is not None:  # nothing counted is zero
            table = table.mutate(**{column: table[column].fill_null(0)})
    return table, whole, day


def _columns(
    workspace: Workspace, condition: Condition, day: date, *, is_past: bool
) -> Iterator[tuple[Row, ir.Table]]:
    """Further columns, one a row that needs one: (account_id, value) where known."""
    done = set()
    for row in conditions.rows(condition):
        column = column_of(row)
        if column in done or (build := _source(row)) is None:
            continue
        done.add(column)
        yield row, build(workspace, row, day, is_past)


Build = Callable[["Workspace", Row, date, bool], ir.Table]


def _source(row: Row) -> Build | None:
    if row.field == "renewal_chance":
        return _chance
    if row.field == "active_days":
        return _active_days
    family = row.about.column.partition(":")[0]
    return {
        "attribute": _attribute,
        "feature": _uses,
        "event": _events,
        "guide": guided.count,
        "metric": _metric,
    }.get(family)


def _attribute(workspace: Workspace, row: Row, day: date, is_past: bool) -> ir.Table:
    name = row.about.column.partition(":")[2]
    now = workspace.engine.table("account_attributes")
    now = now.filter(now["name"] == name).select("account_id", "value")
    if not is_past:
        return now
    former = workspace.engine.table("former_attributes")
    former = former.filter((former["name"] == name) & (former.date_to > day))
    first = former.group_by("account_id").agg(was=former.value.argmin(former.date_to))
    both = now.outer_join(first, "account_id")
    had = both.account_id_right.notnull()
    return both.select(
        account_id=both.account_id.coalesce(both.account_id_right),
        value=ibis.ifelse(had, both.was, both.value),
    )


def _uses(workspace: Workspace, row: Row, day: date, is_past: bool) -> ir.Table:
    days = workspace.engine.table("feature_days")
    since = day - DAY * (row.days or 0)
    window = (days.date >= since) & (days.date < day)
    mine = days.filter(window & (days.feature_id == row.name))
    return mine.group_by("account_id").agg(value=mine.uses.sum())


def _events(workspace: Workspace, row: Row, day: date, is_past: bool) -> ir.Table:
    """Events of a name, of whatever kind: nobody adds them up by account beforehand."""
    asking = query.ask(
        workspace.entry("active_accounts"),
        now=workspace.now,
        settings=workspace.settings,
        as_of=day,
    )
    since = day - DAY * (row.days or 0)
    mine = workspace.inputs(asking).named_events([row.name], since, day)
    return mine.group_by("account_id").agg(value=mine.count())


def _active_days(workspace: Workspace, row: Row, day: date, is_past: bool) -> ir.Table:
    days = workspace.engine.table("account_days")
    since = day - DAY * (row.days or 0)
    window = (days.date >= since) & (days.date < day) & (days.events > 0)
    mine = days.filter(window)
    return mine.group_by("account_id").agg(value=mine.date.nunique())


def _chance(workspace: Workspace, row: Row, day: date, is_past: bool) -> ir.Table:
    told = workspace.engine.table("renewal_scores")
    told = told.filter((told.date <= day) & (told.date > day - DAY * 7))
    newest = ibis.window(
        group_by="account_id", order_by=[ibis.desc("date"), ibis.desc("computed_at")]
    )
    ranked = told.mutate(place=ibis.row_number().over(newest))
    return ranked.filter(ranked.place == 0).select("account_id", value="p")


def _metric(workspace: Workspace, row: Row, day: date, is_past: bool) -> ir.Table:
    """A metric of the catalog over its usual days before."""
    metric = workspace.entry(row.name)
    if "account" not in metric.dimensions or metric.makes or not metric.fills:
        raise BadValue(f"{row.name} is not one number an account")
    answer = workspace.metric(row.name, as_of=day, by=["account"]).rows
    values = answer.select(
        pl.col("account").alias("account_id"), pl.col("value").cast(pl.Float64)
    ).drop_nulls()
    return ibis.memtable(values.to_arrow())


def known_fields(workspace: Workspace) -> Mapping[str, Sequence[str]]:
    """What families hold here: names of attributes, features, events and metrics."""
    features = workspace.engine.table("feature_days").select("feature_id").distinct()
    used = workspace.engine.run(features)["feature_id"].drop_nulls().to_list()
    names = workspace.engine.table("event_days").select("event").distinct()
    events = workspace.engine.run(names)["event"].drop_nulls().to_list()
    metrics = [
        m.key
        for m in workspace.catalog.values()
        if "account" in m.dimensions and not m.makes and m.fills
    ]
    own = [
        n for n in workspace.account_attributes if n not in (*measures.TEXTS, "tags")
    ]
    return {
        "attribute": own,
        "feature": sorted(used),
        "event": sorted(name for name in events if not name.startswith("$")),
        "metric": metrics,
    }


def refuse_unknown(workspace: Workspace, condition: Condition) -> None:
    """Raise `UnknownName` for a feature or metric that is not here.

    An attribute nobody has yet may come: it is known of no account.
    """
    for row in conditions.rows(condition):
        if row.family == "metric" and row.name not in workspace.catalog:
            raise UnknownName("metric", row.name, list(workspace.catalog))
