"""Who is in the onboarding flows, and which steps they completed.

Derived whenever facts come in. Whoever something new may have happened to is looked
at again from the beginning, so a late event, a repeated load or a run that died lead
to the same rows as one load of everything. A step is completed when its event
happened, not when that was seen. Rows that other tools sent are never written over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa

from perennial.core.onboarding import Flow
from perennial.core.windows import DAY, Period
from perennial.lake import flowbook, measures, merged
from perennial.lake.completing import (
    Finder,
    Judged,
    accounts_meeting,
    events_named,
    of_conditions,
    of_events,
)
from perennial.lake.definition_days import changed_days, on_duck
from perennial.lake.duck import connect_apart
from perennial.lake.entries import ENTRIES, STEPS, Entry, Key, Row, Told, ours
from perennial.lake.flowbook import Book
from perennial.lake.local_days import merged as joined
from perennial.lake.tables import TABLES
from perennial.lake.touched import FOLLOWED

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

_EVENTS: Final = ("events", *FOLLOWED)
_PEOPLE: Final = ("accounts", "users", "assignments", "mrr_ledger")
_OURS: Final = (flowbook.NAME, flowbook.TICKS, measures.NAME, merged.NAME)
_READ: Final = (*_EVENTS, *_PEOPLE, *_OURS)


def take(
    workspace: Workspace, duck: duckdb.DuckDBPyConnection, *, full: bool = False
) -> None:
    """Bring entries and steps up to date with what came in since the last time."""
    lake = workspace.lake
    if lake.snapshot(flowbook.NAME).version < 0:
        return
    now = {name: lake.snapshot(name).version for name in _READ}
    before = {name: lake.progress(ENTRIES, name) for name in now}
    if before == now and not full:
        return
    known = {name: at for name, at in before.items() if at is not None}
    moved = {name for name in now if known.get(name) != now[name]}
    with lake.lock(ENTRIES), lake.lock(STEPS):
        told, judged = Told(workspace, duck), Judged(workspace)
        # Everybody is looked through, so not for each load of events.
        may_enter = full or moved & {*_PEOPLE, flowbook.NAME, measures.NAME}
        fresh = _enter(workspace, duck, told) if may_enter else []
        if full or len(known) < len(now):
            some = told.entries
        else:
            touched = _touched(workspace, duck, told, judged, moved, known, now)
            some = [*fresh, *touched]
        _write(workspace, told, judged, _unique(some))
        lake.record(ENTRIES, now)


def catch_up(workspace: Workspace) -> None:
    """The same, for somebody who waits for it."""
    with connect_apart() as duck:
        take(workspace, duck)


def _unique(entries: Iterable[Entry]) -> list[Entry]:
    return list({(e.book.name, *e.key): e for e in entries}.values())


# --- who is in it ------------------------------------------------------------


def _enter(
    workspace: Workspace, duck: duckdb.DuckDBPyConnection, told: Told
) -> list[Entry]:
    """Write down who entered, and who follows another version now; these.

    Whom a new version reaches back for, and does not fit, leaves.
    """
    stored = {(e.book.name, e.key): e for e in told.entries}
    fresh: list[Entry] = []
    gone: list[Entry] = []
    for book in told.books.values():
        entering: dict[int, list[Entry]] = defaultdict(list)
        for key, started in _starts(workspace, duck, book):
            known = stored.get((book.name, key))
            started = known.started_on if known else started
            version = book.version_of(started)
            follows = known.version if known else None
            may_enter = known is not None or not book.is_stopped
            if version and version != follows and may_enter:
                entering[version].append(Entry(book, version, *key, started))
        for version, some in entering.items():
            fits = _fitting(workspace, book.versions[version], some)
            fresh += fits
            left = {e.key for e in some} - {e.key for e in fits}
            gone += [e for e in told.entries if e.book is book and e.key in left]
    lake = workspace.lake
    told.read(gone)
    if gone:
        lake.delete_keys(ENTRIES, [(e.book.name, *e.key) for e in gone])
        steps = [(*e.key, e.book.name, step) for e in gone for step in ours(told.of(e))]
        lake.delete_keys(STEPS, steps)
    rows = [
        {
            "flow": e.book.name,
            "account_id": e.account_id,
            "user_id": e.user_id,
            "started_on": e.started_on,
            "version": e.version,
        }
        for e in fresh
    ]
    lake.write(ENTRIES, pa.Table.from_pylist(rows, TABLES[ENTRIES].schema()))
    changed = {(e.book.name, e.key) for e in (*fresh, *gone)}
    kept = [e for e in told.entries if (e.book.name, e.key) not in changed]
    told.entries = [*kept, *fresh]
    return fresh


def _starts(
    workspace: Workspace, duck: duckdb.DuckDBPyConnection, book: Book
) -> list[tuple[Key, date]]:
    """Everybody who began since the flow reaches back, and the local day they did."""
    source, tz = workspace.lake.source, workspace.settings.timezone
    if book.flow.per == "account":
        query = f"""
        SELECT account_id, NULL, coalesce(timezone('{tz}', created_at)::DATE, paid) AS began
        FROM {source("accounts")} LEFT JOIN (
            SELECT account_id, min(date_from) AS paid FROM {source("mrr_ledger")}
            WHERE mrr_e4 > 0 GROUP BY account_id) USING (account_id)
        WHERE NOT coalesce(is_test, false) AND began >= $since
        """
    else:  # a person is new once, in the first account they came to
        query = f"""
        SELECT arg_min(account_id, (coalesce(date_from, DATE '0001-01-01'), account_id)),
               user_id, coalesce(any_value(timezone('{tz}', u.created_at)::DATE),
                                 min(date_from)) AS began
        FROM {source("assignments")} LEFT JOIN {source("users")} u USING (user_id)
        LEFT JOIN {source("accounts")} a USING (account_id)
        WHERE NOT coalesce(u.is_test OR u.is_internal, false)
          AND NOT coalesce(a.is_test, false)
        GROUP BY user_id HAVING began >= $since
        """
    since = min(flow.since for flow in book.versions.values())
    rows = duck.execute(query, {"since": since}).fetchall()
    return [((account, user), began) for account, user, began in sorted(rows, key=repr)]


def _fitting(workspace: Workspace, flow: Flow, some: Sequence[Entry]) -> list[Entry]:
    """Those a flow is for. Where that cannot be asked any more, nobody enters."""
    if flow.is_for_all:
        return list(some)
    ids = accounts_meeting(workspace, flow.who)
    return [entry for entry in some if entry.account_id in ids]


# --- whom something may have happened to -------------------------------------


def _touched(
    workspace: Workspace,
    duck: duckdb.DuckDBPyConnection,
    told: Told,
    judged: Judged,
    moved: set[str],
    before: Mapping[str, int],
    now: Mapping[str, int],
) -> Iterator[Entry]:
    if merged.NAME in moved:
        yield from told.entries
    if flowbook.TICKS in moved:
        yield from (e for e in told.entries if told.ticks(e))
    if measures.NAME in moved:
        conditional = [e for e in told.entries if any(of_conditions(e.flow))]
        told.read(conditional)
        yield from (e for e in conditional if _is_met(e, told, judged))
    if moved & {*_EVENTS}:
        watching = [e for e in told.entries if any(of_events(e.flow))]
        days = changed_days(workspace, duck, before, now)
        if days is None:
            yield from watching
        elif days and watching:
            yield from _happened_to(workspace, told, watching, days)


def _is_met(entry: Entry, told: Told, judged: Judged) -> bool:
    """Is there a condition that was not met before?"""
    waiting = (s for s in of_conditions(entry.flow) if s.name not in told.of(entry))
    return any(judged.fits(step, entry.account) for step in waiting)


def _happened_to(
    workspace: Workspace, told: Told, some: Sequence[Entry], days: set[date]
) -> Iterator[Entry]:
    """Those with an event of these days before the step it counts for was completed."""
    names = sorted({s.event for e in some for s in of_events(e.flow)})
    first: dict[tuple[str, str], datetime] = {}
    for span in joined(Period(day, day + DAY) for day in days):
        rows = events_named(workspace, span, names)
        earliest = rows.group_by("user_id", "account_id", "event").agg(
            at=rows.timestamp.min()
        )
        for user, account, event, at in on_duck(workspace).run(earliest).iter_rows():
            for who in (user, account):
                key = str(who), event
                first[key] = min(at, first.get(key, at))
    seen = {who for who, _ in first}
    some = [entry for entry in some if entry.who in seen]
    told.read(some)
    for entry in some:
        done = told.of(entry)
        for step in of_events(entry.flow):
            at = first.get((str(entry.who), step.event))
            taken = done.get(step.name)
            if at and (taken is None or at < taken["completed_at"]):
                yield entry
                break


def _write(
    workspace: Workspace, told: Told, judged: Judged, some: Sequence[Entry]
) -> None:
    """Steps of these entries as they are now: new ones in, those undone out."""
    if not some:
        return
    told.read(some)
    found = Finder(workspace, told, judged, some)
    rows: list[Row] = []
    gone: list[tuple[Any, ...]] = []
    for entry in some:
        made = found.rows(entry)
        rows += made.values()
        undone = ours(told.of(entry)) - made.keys()
        gone += [(*entry.key, entry.book.name, step) for step in undone]
    workspace.lake.delete_keys(STEPS, gone)
    workspace.lake.write(STEPS, pa.Table.from_pylist(rows, TABLES[STEPS].schema()))


def tried(workspace: Workspace, name: str, flow: Flow) -> list[tuple[Entry, list[Row]]]:
    """Who would be in a flow, with the rows of their steps, if it were published so."""
    book = Book(name, {1: flow}, is_stopped=False)
    with connect_apart() as duck:
        told = Told(workspace, duck)
        every = [Entry(book, 1, *k, day) for k, day in _starts(workspace, duck, book)]
        some = _fitting(workspace, flow, every)
        told.read(some)
        found = Finder(workspace, told, Judged(workspace), some) if some else None
        return [
            (e, [*(r for r in told.of(e).values() if r["version"] is None),
                 *(found.rows(e).values() if found else ())])
            for e in some
        ]  # fmt: skip
