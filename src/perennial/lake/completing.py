"""Which steps of onboarding flows were completed, and when: by events, by conditions
on accounts, or by a person's word."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from perennial.core.errors import PerennialError
from perennial.core.ids import digest
from perennial.core.onboarding import TOLD, Flow, Step, completed
from perennial.core.windows import DAY, Period, day_start
from perennial.lake import matching, measures
from perennial.lake.definition_days import json_extract_string, on_duck
from perennial.lake.definitions import OF_EVENTS
from perennial.lake.entries import Entry, Row, Told, ours
from perennial.metrics import conditions, filters, registry
from perennial.metrics.query import ask

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace


def accounts_meeting(workspace: Workspace, condition: Mapping[str, Any]) -> set[str]:
    try:
        return set(matching.matching(workspace, conditions.read(condition)))
    except PerennialError:  # a segment or metric it speaks of is gone
        return set()


def of_conditions(flow: Flow) -> Iterator[Step]:
    return (step for step in flow.steps if step.by == "condition")


def of_events(flow: Flow) -> Iterator[Step]:
    return (step for step in flow.steps if step.by == "event")


def events_named(workspace: Workspace, span: Period, names: Sequence[str]) -> ir.Table:
    """Events of these names on local days, with all they carry and whose they are."""
    query = ask(registry.get("dau"), now=workspace.now, settings=workspace.settings)
    t = workspace.inputs(query, on_duck(workspace).table)
    rows = t.counted_events(span.start, span.end)
    return rows.filter(rows.event.isin(list(names)))


class Finder:
    """Finds the steps that some entries completed."""

    def __init__(
        self, workspace: Workspace, told: Told, judged: Judged, some: Sequence[Entry]
    ) -> None:
        self._told = told
        self._judged = judged
        self._happened = _Happened(workspace, some)

    def rows(self, entry: Entry) -> dict[str, Row]:
        """Rows of the steps by name, without those that another tool told of."""
        stored = self._told.of(entry)
        theirs = stored.keys() - ours(stored)
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


class Judged:
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
            self._found[key] = accounts_meeting(self._workspace, step.condition)
        return account_id in self._found[key]


class _Happened:
    """The first events of entries that count for their steps, since they began."""

    def __init__(self, workspace: Workspace, some: Sequence[Entry]) -> None:
        self._tz = workspace.settings.tz
        self._met: dict[tuple[str, str, date], list[datetime]] = defaultdict(list)
        for per in ("user", "account"):
            mine = [e for e in some if e.flow.per == per and any(of_events(e.flow))]
            if mine:
                self._read(workspace, f"{per}_id", mine)

    def of(self, entry: Entry, step: Step) -> list[datetime]:
        return self._met[_what(step), str(entry.who), entry.started_on]

    def start(self, entry: Entry) -> datetime:
        return day_start(entry.started_on, self._tz)

    def _read(self, workspace: Workspace, column: str, mine: Sequence[Entry]) -> None:
        steps = {_what(s): s for e in mine for s in of_events(e.flow)}
        began = {(str(e.who), e.started_on) for e in mine}
        span = Period(min(day for _, day in began), workspace.today + DAY)
        rows = events_named(workspace, span, sorted({s.event for s in steps.values()}))
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
