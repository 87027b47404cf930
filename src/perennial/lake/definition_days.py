"""`definition_days`: what definitions of people's own count of events.

Counted when facts come in, by day, account and user, so that no page reads single
events. Events mean what they mean in every other number: whose they are, which are
too late, which day it was. Rows of test users are in it; numbers leave them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import ibis
import ibis.expr.types as ir

from perennial.core.ids import digest
from perennial.core.windows import DAY, Period, add_months
from perennial.lake import definitions
from perennial.lake.engines import DuckEngine
from perennial.lake.local_days import local_days, local_months, merged, month_names
from perennial.lake.relations import empty
from perennial.lake.requests import within
from perennial.lake.store import Lake
from perennial.lake.stored import VersionGone
from perennial.lake.touched import FOLLOWED, Touched
from perennial.metrics import custom, registry
from perennial.metrics.custom import Definition
from perennial.metrics.query import ask

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME = custom.ROLLUP
_SOURCES = ("events", *FOLLOWED)


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def json_extract_string(document: str, path: str) -> str:  # type: ignore[empty-body]
    """DuckDB's: the text of what is at the path."""


def roll_up(
    workspace: Workspace, duck: duckdb.DuckDBPyConnection, *, full: bool
) -> None:
    """Bring the table up to date: changed days, and whole what is newly defined."""
    lake, settings = workspace.lake, workspace.settings
    wanted = [d for d in _in_force(lake) if d.is_of_events]
    if not wanted:
        return
    now = {n: lake.snapshot(n).version for n in (*_SOURCES, definitions.NAME)}
    meant = repr((settings.timezone, settings.late_days, sorted(lake.merges.items())))
    now["settings"] = int(digest(meant)[:12], 16)
    before = {name: lake.progress(NAME, name) for name in now}
    if before == now and not full:
        return
    known = {name: at for name, at in before.items() if at is not None}
    days = None
    if not full and known.keys() == now.keys() and known["settings"] == now["settings"]:
        days = changed_days(workspace, duck, known, now)
    fresh = set(wanted)
    if days is not None:
        fresh = set() if known[definitions.NAME] == now[definitions.NAME] else fresh
        fresh = {d for d in fresh if (d.key, d.version) not in _built(lake, duck)}
    _build(workspace, duck, wanted, fresh, days or set(), now)


def _in_force(lake: Lake) -> Iterable[Definition]:
    """Every version of what is not retired: an earlier one can still be asked for."""
    kept = definitions.history(lake)
    keys = definitions.catalog(kept)
    return (k.definition for k in kept if k.definition.key in keys and not k.is_retired)


def _built(lake: Lake, duck: duckdb.DuckDBPyConnection) -> set[tuple[str, int]]:
    rows = duck.execute(f"SELECT DISTINCT metric, version FROM {lake.source(NAME)}")
    return set(rows.fetchall())


def changed_days(
    workspace: Workspace,
    duck: duckdb.DuckDBPyConnection,
    before: Mapping[str, int],
    now: Mapping[str, int],
) -> set[date] | None:
    """Local days whose events are others now, or mean something else; None: any."""
    lake, settings = workspace.lake, workspace.settings
    days = lake.days_changed("events", before["events"])
    if days is None:
        return None
    if any(before[name] != now[name] for name in FOLLOWED):
        try:
            touched = Touched(lake, duck, settings.late_days, before, now)
            days |= touched.event_days()
        except VersionGone:
            return None
    return local_days(days, settings.tz)


def _build(
    workspace: Workspace,
    duck: duckdb.DuckDBPyConnection,
    wanted: Sequence[Definition],
    fresh: set[Definition],
    days: set[date],
    progress: Mapping[str, int],
) -> None:
    """Month by month; the last commit says what the table speaks of."""
    lake = workspace.lake
    changed = merged(Period(day, day + DAY) for day in days)
    months = {name for span in changed for name in month_names(span)}
    if fresh:
        known = {*lake.files_by_month("events"), *lake.files_by_month(NAME)}
        months |= {n for span in local_months(known) for n in month_names(span)}
    for month in sorted(months):
        first = date.fromisoformat(f"{month}-01")
        whole = Period(first, add_months(first, 1))
        inside = [part for span in changed if (part := within(span, first))]
        _keep(lake, duck, month, inside, [d for d in wanted if d not in fresh])
        for d in wanted:
            for span in [whole] if d in fresh else inside:
                _add(workspace, duck, d, span)
        with lake.lock(NAME):
            lake.replace(duck, NAME, f"built_{NAME}", months=[month])
    lake.record(NAME, progress)


def _keep(
    lake: Lake,
    duck: duckdb.DuckDBPyConnection,
    month: str,
    changed: Sequence[Period],
    known: Sequence[Definition],
) -> None:
    """What stays of a month: unchanged days of definitions that were counted."""
    duck.execute(f"CREATE OR REPLACE TEMP TABLE built_{NAME} AS {empty(NAME)}")
    if not known:
        return
    names = ", ".join(f"('{d.key}', {d.version})" for d in known)
    gone = " OR ".join(
        f"(date >= DATE '{span.start}' AND date < DATE '{span.end}')"
        for span in changed
    )
    duck.execute(
        f"INSERT INTO built_{NAME} FROM {lake.source(NAME, months=[month])} "
        f"WHERE (metric, version) IN ({names}) AND NOT ({gone or 'false'})"
    )


def _add(
    workspace: Workspace,
    duck: duckdb.DuckDBPyConnection,
    definition: Definition,
    span: Period,
) -> None:
    engine = on_duck(workspace)
    rows = engine.run(counted(workspace, engine, definition, span))
    duck.register("counted", rows.to_arrow())
    duck.execute(f"INSERT INTO built_{NAME} BY NAME FROM counted")
    duck.unregister("counted")


def on_duck(workspace: Workspace) -> DuckEngine:
    """The engine roll-ups are made with, whichever answers questions."""
    engine = workspace.engine
    return engine if isinstance(engine, DuckEngine) else DuckEngine(workspace.lake)


def counted(
    workspace: Workspace, engine: DuckEngine, d: Definition, span: Period
) -> ir.Table:
    """Rows of the roll-up for a span of local days, computed from the events."""
    query = ask(registry.get("dau"), now=workspace.now, settings=workspace.settings)
    t = workspace.inputs(query, engine.table)
    rows = t.counted_events(span.start, span.end)
    rows = custom.met(_with_properties(rows, d), d)
    value = rows[d.column].cast("string") if d.column else ibis.null("string")
    rows = rows.mutate(
        metric=ibis.literal(d.key),
        version=ibis.literal(d.version, "int64"),
        date=t.local_date(rows.timestamp),
        value=value,
    )
    keys = ["metric", "version", "date", "account_id", "user_id", "value", "of"]
    return rows.group_by(keys).agg(times=rows.count())


def _with_properties(rows: ir.Table, d: Definition) -> ir.Table:
    """What a definition speaks of and is no column of events, out of `properties`."""
    found = {
        name: json_extract_string(
            rows.properties, '$."{}"'.format(name.replace('"', ""))
        )
        for name in sorted(d.names - {*definitions.OF_EVENTS})
    }
    return rows.mutate(**found)
