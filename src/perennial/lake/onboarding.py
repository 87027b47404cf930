"""Who is in the onboarding flows, and which steps they completed.

Derived whenever facts come in. Whoever something new may have happened to is looked
at again from the beginning, so a late event, a repeated load or a run that died lead
to the same rows as one load of everything. A step is completed when its event
happened, not when that was seen. Rows that other tools sent are never written over.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from perennial.core.errors import PerennialError
from perennial.core.ids import digest
from perennial.core.onboarding import TOLD, Flow, Step, completed
from perennial.core.windows import DAY, Period, day_start
from perennial.lake import flowbook, matching, measures, merged
from perennial.lake.definition_days import changed_days, json_extract_string, on_duck
from perennial.lake.definitions import OF_EVENTS
from perennial.lake.duck import connect_apart
from perennial.lake.flowbook import Book
from perennial.lake.local_days import merged as joined
from perennial.lake.tables import TABLES
from perennial.lake.touched import FOLLOWED
from perennial.metrics import conditions, filters, registry
from perennial.metrics.query import ask

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

ENTRIES: Final = "onboarding_entries"
STEPS: Final = "onboarding_steps"
_EVENTS: Final = ("events", *FOLLOWED)
_PEOPLE: Final = ("accounts", "users", "assignments", "mrr_ledger")
_OURS: Final = (flowbook.NAME, flowbook.TICKS, measures.NAME, merged.NAME)
_READ: Final = (*_EVENTS, *_PEOPLE, *_OURS)

Key = tuple[str | None, str | None]
Row = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One of those in a flow: an account, or a person in it. `merged_into` is the
    account it counts as, where that is another one."""

    book: Book
    version: int
    account_id: str | None
    user_id: str | None
    started_on: date
    merged_into: str | None = None

    @property
    def flow(self) -> Flow:
        return self.book.versions[self.version]

    @property
    def key(self) -> Key:
        return self.account_id, self.user_id

    @property
    def id(self) -> str | None:
        """Whose steps are stored: the person's, or the account's."""
        return self.user_id if self.flow.per == "user" else self.account_id

    @property
    def account(self) -> str | None:
        return self.merged_into or self.account_id

    @property
    def who(self) -> str | None:
        """Whose events count: the person's, wherever they are, or the account's."""
        return self.user_id if self.flow.per == "user" else self.account


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
        told = _Told(workspace, duck)
        # Everybody is looked through, so not for each load of events.
        may_enter = full or moved & {*_PEOPLE, flowbook.NAME, measures.NAME}
        fresh = _enter(workspace, duck, told) if may_enter else []
        if full or len(known) < len(now):
            some = told.entries
        else:
            some = [*fresh, *_touched(workspace, duck, told, moved, known, now)]
        _write(workspace, told, _unique(some), fresh)
        lake.record(ENTRIES, now)


def catch_up(workspace: Workspace) -> None:
    """The same, for somebody who waits for it."""
    with connect_apart() as duck:
        take(workspace, duck)


def _unique(entries: Iterable[Entry]) -> list[Entry]:
    return list({(e.book.name, *e.key): e for e in entries}.values())


class _Told:
    """What is stored: flows, entries, steps and ticks, as they were written."""

    def __init__(self, workspace: Workspace, duck: duckdb.DuckDBPyConnection) -> None:
        lake = workspace.lake
        self.books = flowbook.known(lake)
        self._lake, self._duck = lake, duck
        self._read: set[str | None] = set()
        self._steps: dict[tuple[str, Key], dict[str, Row]] = defaultdict(dict)
        self.entries = [
            Entry(
                self.books[r["flow"]],
                r["version"],
                *_key(r),
                r["started_on"],
                lake.merges.get(r["account_id"]),
            )
            for r in self._rows(ENTRIES)
            if r["version"] in self.books[r["flow"]].versions
        ]

    def _rows(self, name: str, ids: Sequence[str | None] | None = None) -> list[Row]:
        """Rows of a table; of some people or accounts, where they are given."""
        query, given = f"FROM {self._lake.told(name)}", {}
        if ids is not None:
            query += " WHERE coalesce(user_id, account_id) IN (SELECT unnest($ids))"
            given = {"ids": ids}
        found = self._duck.sql(query, params=given).to_arrow_table()
        rows: list[Row] = found.to_pylist()
        return rows

    def read(self, some: Iterable[Entry]) -> None:
        """Steps of these entries, before `of` is asked for them."""
        ids = {entry.id for entry in some} - self._read
        self._read |= ids
        for row in self._rows(STEPS, sorted(ids, key=str)) if ids else ():
            if row["flow"] in self.books:
                self._steps[row["flow"], _key(row)][row["step"]] = row

    def ticks(self, entry: Entry) -> Mapping[str, Row]:
        """Those of the account it counts as: people tick what they see as one."""
        return self._ticks.get((entry.book.name, (entry.account, entry.user_id)), {})

    @cached_property
    def _ticks(self) -> Mapping[tuple[str, Key], Mapping[str, Row]]:
        found: dict[tuple[str, Key], dict[str, Row]] = defaultdict(dict)
        # Last, so that it counts: what was said of the account that stays.
        into = self._lake.merges
        rows = self._rows(flowbook.TICKS)
        for row in sorted(rows, key=lambda row: row["account_id"] not in into):
            account, user = _key(row)
            key = row["flow"], (into.get(account or "", account), user)
            found[key][row["step"]] = row
        return found

    def of(self, entry: Entry) -> Mapping[str, Row]:
        return self._steps.get((entry.book.name, entry.key), {})


def _key(row: Mapping[str, Any]) -> Key:
    return row["account_id"], row["user_id"]


# --- who is in it ------------------------------------------------------------


def _enter(
    workspace: Workspace, duck: duckdb.DuckDBPyConnection, told: _Told
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
        steps = [
            (*e.key, e.book.name, step) for e in gone for step in _ours(told.of(e))
        ]
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
    ids = _matching(workspace, flow.who)
    return [entry for entry in some if entry.account_id in ids]


def _matching(workspace: Workspace, condition: Mapping[str, Any]) -> set[str]:
    try:
        return set(matching.matching(workspace, conditions.read(condition)))
    except PerennialError:  # a segment or metric it speaks of is gone
        return set()


# --- whom something may have happened to -------------------------------------


def _touched(
    workspace: Workspace,
    duck: duckdb.DuckDBPyConnection,
    told: _Told,
    moved: set[str],
    before: Mapping[str, int],
    now: Mapping[str, int],
) -> Iterator[Entry]:
    if merged.NAME in moved:
        yield from told.entries
    if flowbook.TICKS in moved:
        yield from (e for e in told.entries if told.ticks(e))
    if measures.NAME in moved:
        conditional = [e for e in told.entries if any(_judged(e.flow))]
        told.read(conditional)
        judged = _Judged(workspace)
        yield from (e for e in conditional if _is_met(e, told, judged))
    if moved & {*_EVENTS}:
        of_events = [e for e in told.entries if any(_of_events(e.flow))]
        days = changed_days(workspace, duck, before, now)
        if days is None:
            yield from of_events
        elif days and of_events:
            yield from _happened_to(workspace, told, of_events, days)


def _judged(flow: Flow) -> Iterator[Step]:
    return (step for step in flow.steps if step.by == "condition")


def _is_met(entry: Entry, told: _Told, judged: _Judged) -> bool:
    """Is there a condition that was not met before?"""
    waiting = (s for s in _judged(entry.flow) if s.name not in told.of(entry))
    return any(judged.fits(step, entry.account) for step in waiting)


def _of_events(flow: Flow) -> Iterator[Step]:
    return (step for step in flow.steps if step.by == "event")


def _happened_to(
    workspace: Workspace, told: _Told, some: Sequence[Entry], days: set[date]
) -> Iterator[Entry]:
    """Those with an event of these days before the step it counts for was completed."""
    names = sorted({s.event for e in some for s in _of_events(e.flow)})
    first: dict[tuple[str, str], datetime] = {}
    for span in joined(Period(day, day + DAY) for day in days):
        rows = _events(workspace, span, names)
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
        for step in _of_events(entry.flow):
            at = first.get((str(entry.who), step.event))
            taken = done.get(step.name)
            if at and (taken is None or at < taken["completed_at"]):
                yield entry
                break


def _events(workspace: Workspace, span: Period, names: Sequence[str]) -> ir.Table:
    """Events of these names on local days, with all they carry and whose they are."""
    query = ask(registry.get("dau"), now=workspace.now, settings=workspace.settings)
    t = workspace.inputs(query, on_duck(workspace).table)
    rows = t.counted_events(span.start, span.end)
    return rows.filter(rows.event.isin(list(names)))


# --- which steps they completed ----------------------------------------------


def _write(
    workspace: Workspace, told: _Told, some: Sequence[Entry], fresh: Sequence[Entry]
) -> None:
    """Steps of these entries as they are now: new ones in, those undone out."""
    if not some:
        return
    told.read(some)
    found = _Finder(workspace, told, some)
    rows: list[Row] = []
    gone: list[tuple[Any, ...]] = []
    for entry in some:
        made = found.rows(entry)
        rows += made.values()
        undone = _ours(told.of(entry)) - made.keys()
        gone += [(*entry.key, entry.book.name, step) for step in undone]
    workspace.lake.delete_keys(STEPS, gone)
    workspace.lake.write(STEPS, pa.Table.from_pylist(rows, TABLES[STEPS].schema()))


def tried(workspace: Workspace, name: str, flow: Flow) -> list[tuple[Entry, list[Row]]]:
    """Who would be in a flow, with the rows of their steps, if it were published so."""
    book = Book(name, {1: flow}, is_stopped=False)
    with connect_apart() as duck:
        told = _Told(workspace, duck)
        every = [Entry(book, 1, *k, day) for k, day in _starts(workspace, duck, book)]
        some = _fitting(workspace, flow, every)
        told.read(some)
        found = _Finder(workspace, told, some) if some else None
        return [
            (e, [*(r for r in told.of(e).values() if r["version"] is None),
                 *(found.rows(e).values() if found else ())])
            for e in some
        ]  # fmt: skip


def _ours(stored: Mapping[str, Row]) -> set[str]:
    """Steps that were derived here."""
    return {step for step, row in stored.items() if row["version"] is not None}


class _Finder:
    """Finds the steps that some entries completed."""

    def __init__(
        self, workspace: Workspace, told: _Told, some: Sequence[Entry]
    ) -> None:
        self._told = told
        self._judged = _Judged(workspace)
        self._happened = _Happened(workspace, some)

    def rows(self, entry: Entry) -> dict[str, Row]:
        """Rows of the steps by name, without those that another tool told of."""
        stored = self._told.of(entry)
        theirs = stored.keys() - _ours(stored)
        return {
            step.name: _row(entry, step, *found)
            for step in entry.flow.steps
            if step.name not in theirs and (found := self._completed(entry, step))
        }

    def _completed(
        self, entry: Entry, step: Step
    ) -> tuple[datetime, Mapping[str, str]] | None:
        """When a step was completed, and what more is known; None: it is not."""
        if step.by == "event":
            at = completed(self._happened.of(entry, step), step.times)
            return (at, {}) if at else None
        if step.by in TOLD:
            tick = self._told.ticks(entry).get(step.name)
            if tick is None or tick["completed_at"] is None:
                return None
            return tick["completed_at"], {"who": tick["by"]} if tick["by"] else {}
        return self._met(entry, step) if step.by == "condition" else None

    def _met(self, entry: Entry, step: Step) -> tuple[datetime, dict[str, str]] | None:
        """When a condition was first seen to be met; from then on it stays so."""
        rule = digest(json.dumps(step.condition, sort_keys=True))[:12]
        was = self._told.of(entry).get(step.name)
        if was and json.loads(was["properties"] or "{}").get("rule") == rule:
            return was["completed_at"], {"rule": rule}
        if not self._judged.fits(step, entry.account):
            return None
        return max(self._judged.at, self._happened.start(entry)), {"rule": rule}


def _row(entry: Entry, step: Step, at: datetime, said: Mapping[str, str]) -> Row:
    return {
        "flow": entry.book.name,
        "step": step.name,
        "position": entry.flow.place(step.name),
        "account_id": entry.account_id,
        "user_id": entry.user_id,
        "completed_at": at,
        "version": entry.version,
        "steps": len(entry.flow.chain),
        "properties": json.dumps({"by": step.by, **said}),
    }


class _Judged:
    """Accounts that meet the conditions of steps, each asked once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._found: dict[str, set[str]] = {}

    @cached_property
    def at(self) -> datetime:
        """The instant the measures speak of."""
        day = measures.newest(self._workspace) or self._workspace.today
        return day_start(day, self._workspace.settings.tz)

    def fits(self, step: Step, account_id: str | None) -> bool:
        assert step.condition is not None
        key = json.dumps(step.condition, sort_keys=True)
        if key not in self._found:
            self._found[key] = _matching(self._workspace, step.condition)
        return account_id in self._found[key]


class _Happened:
    """The first events of entries that count for their steps, since they began."""

    def __init__(self, workspace: Workspace, some: Sequence[Entry]) -> None:
        self._tz = workspace.settings.tz
        self._met: dict[tuple[str, str, date], list[datetime]] = defaultdict(list)
        for per in ("user", "account"):
            mine = [e for e in some if e.flow.per == per and any(_of_events(e.flow))]
            if mine:
                self._read(workspace, f"{per}_id", mine)

    def of(self, entry: Entry, step: Step) -> list[datetime]:
        return self._met[_what(step), str(entry.who), entry.started_on]

    def start(self, entry: Entry) -> datetime:
        return day_start(entry.started_on, self._tz)

    def _read(self, workspace: Workspace, column: str, mine: Sequence[Entry]) -> None:
        steps = {_what(s): s for e in mine for s in _of_events(e.flow)}
        began = {(str(e.who), e.started_on) for e in mine}
        span = Period(min(day for _, day in began), workspace.today + DAY)
        rows = _events(workspace, span, sorted({s.event for s in steps.values()}))
        who = ibis.memtable(
            {
                "who": [who for who, _ in began],
                "day": [day for _, day in began],
                "since": [day_start(day, self._tz) for _, day in began],
            }
        )
        for what, step in steps.items():
            mine_only = _meeting(rows.filter(rows.event == step.event), step)
            found = mine_only.join(who, mine_only[column] == who.who)
            found = found.filter(found.timestamp >= found.since)
            order = ibis.window(group_by=["who", "day"], order_by="timestamp")
            first = found.select(
                "who", "day", "timestamp", place=ibis.row_number().over(order)
            )
            first = first.filter(first.place < step.times)
            found_rows = on_duck(workspace).run(first.drop("place"))
            for whose, day, at in found_rows.iter_rows():
                self._met[what, whose, day].append(at)


def _what(step: Step) -> str:
    """What of events a step counts: the same for every step that counts the same."""
    return json.dumps([step.event, step.where, step.times])


def _meeting(rows: ir.Table, step: Step) -> ir.Table:
    """Events that meet a step's condition on what they carry."""
    if not step.where:
        return rows
    parsed = filters.parse(step.where)

    def column(name: str) -> ir.Column:
        if name in OF_EVENTS:
            return rows[name]
        path = '$."{}"'.format(name.replace('"', ""))
        return json_extract_string(rows.properties, path)

    return rows.filter(filters.condition(parsed, column))
