"""Definitions of metrics, kept in the lake: every version with date and author."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from perennial.core.errors import BadValue, UnknownName
from perennial.lake.store import Lake
from perennial.lake.tables import DATED, FACTS, TABLES
from perennial.metrics import registry
from perennial.metrics.custom import (
    EVENTS,
    OF_NUMBERS,
    Definition,
    Source,
    entry,
)
from perennial.metrics.registry import Metric

NAME = "metric_definitions"
#: Fact tables that can be counted: their rows are of accounts, and have a time.
COUNTED = (
    EVENTS,
    *("tickets", "touchpoints", "emails", "survey_responses", "survey_invites"),
    *("payments", "contracts", "leads", "onboarding_steps", "goals"),
)
#: Addresses of metrics that are no metrics.
_TAKEN = frozenset({"boards", "definitions", "targets", "explore", "findings"})
_TIMES = ("timestamp", "date")
_NUMBERS = ("int", "float", "money")
#: What an event has beside its properties.
OF_EVENTS = (
    *("event", "event_id", "timestamp", "user_id", "account_id"),
    *("anonymous_id", "source_id"),
)


@dataclass(frozen=True)
class Kept:
    """One version as it is kept."""

    definition: Definition
    is_retired: bool
    changed_at: datetime
    changed_by: str


def history(lake: Lake) -> list[Kept]:
    """Every version of every metric, oldest first."""
    rows = lake.read(NAME).sort_by([("key", "ascending"), ("version", "ascending")])
    return [
        Kept(
            Definition.of(json.loads(row["definition"])),
            bool(row["is_retired"]),
            row["changed_at"],
            row["changed_by"],
        )
        for row in rows.to_pylist()
    ]


def catalog(kept: Sequence[Kept]) -> dict[str, dict[int, Metric]]:
    """Entries by key and version, the one in force last; what is retired is not in it."""
    versions: dict[str, list[Kept]] = {}
    for one in kept:
        versions.setdefault(one.definition.key, []).append(one)
    return {
        key: {
            one.definition.version: entry(
                one.definition,
                source(one.definition.table),
                every[-1].definition.version,
            )
            for one in every
            if not one.is_retired
        }
        for key, every in versions.items()
        if not every[-1].is_retired
    }


def entries(kept: Sequence[Kept]) -> dict[str, Metric]:
    """The last entry of each key, also of what is retired."""
    return {
        d.key: entry(d, source(d.table), d.version)
        for d in (one.definition for one in kept if not one.is_retired)
    }


def source(table: str) -> Source:
    """What a definition may know of a fact table."""
    columns = FACTS[table]
    texts = tuple(
        c.name
        for c in columns
        if c.type == "string"
        and not c.name.endswith(("_id", "_into", "_email", "_address", "_addresses"))
    )
    key = columns.key[0] if len(columns.key) == 1 else ""
    return Source(key, "user_id" in columns.names, texts)


def columns(table: str, *types: str) -> list[str]:
    """Columns of a fact table with one of these types, or all."""
    every = [c for c in FACTS[table] if c.name != "properties"]
    return [c.name for c in every if not types or c.type in types]


def times(table: str) -> list[str]:
    """Columns that can say when a row happened, the usual one first."""
    usual = DATED.get(table, "timestamp")
    return sorted(columns(table, *_TIMES), key=lambda name: name != usual)


def checked(definition: Definition) -> Definition:
    """The definition, if it fits what the lake holds; raises `BadValue`."""
    d = definition
    if d.table not in COUNTED:
        raise UnknownName("table", d.table, list(COUNTED))
    if d.key in registry.all_metrics() or d.key in _TAKEN:
        raise BadValue(f"{d.key} is taken")
    if d.at not in times(d.table):
        raise UnknownName("time", d.at, times(d.table))
    if d.is_of_events:
        return d  # what is no column of an event is a property of it
    known = columns(d.table)
    for name in sorted(d.names):
        if name not in known:
            raise UnknownName(f"column of {d.table}", name, known)
    if d.measure in OF_NUMBERS and d.column not in columns(d.table, *_NUMBERS):
        raise UnknownName("column with numbers", d.column, columns(d.table, *_NUMBERS))
    return d


def define(
    lake: Lake, values: Mapping[str, object], *, by: str, at: datetime
) -> Definition:
    """Keep a new definition, or a new version of a known one; raises `BadValue`."""
    table = str(values.get("table", ""))
    if table in COUNTED and not values.get("at"):
        values = {**values, "at": times(table)[0]}
    with lake.lock(NAME):
        kept = _of(lake, str(values.get("key", "")))
        version = kept[-1].definition.version + 1 if kept else 1
        made = checked(Definition.of({**values, "version": version}))
        last = kept[-1] if kept else None
        same = last and replace(made, version=last.definition.version)
        if last and not last.is_retired and same == last.definition:
            return last.definition
        _keep(lake, Kept(made, False, at, by))
    return made


def retire(lake: Lake, key: str, *, by: str, at: datetime) -> None:
    """Take a metric out of the catalog; its versions stay on record."""
    with lake.lock(NAME):
        kept = _of(lake, key)
        if not kept or kept[-1].is_retired:
            raise UnknownName("metric of your own", key, sorted(catalog(history(lake))))
        if key in _scored(lake):
            raise BadValue(
                f"{key} counts in the scorecard in force: publish one without it first"
            )
        last = kept[-1].definition
        _keep(lake, Kept(replace(last, version=last.version + 1), True, at, by))


def _scored(lake: Lake) -> set[str]:
    """Metrics that the scorecard in force is made of."""
    rows = lake.read("scorecards").sort_by("version").to_pylist()
    if not rows:
        return set()
    components = json.loads(rows[-1]["document"])["components"]
    return {part["metric"] for part in components if "metric" in part}


def _of(lake: Lake, key: str) -> list[Kept]:
    return [one for one in history(lake) if one.definition.key == key]


def _keep(lake: Lake, one: Kept) -> None:
    row = {
        "key": one.definition.key,
        "version": one.definition.version,
        "definition": json.dumps(one.definition.values),
        "is_retired": one.is_retired,
        "changed_at": one.changed_at,
        "changed_by": one.changed_by,
    }
    lake.write(NAME, pa.Table.from_pylist([row], schema=TABLES[NAME].schema()))
