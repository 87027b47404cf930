"""What event names mean: read, and changed by people.

A definition with nothing but a kind was guessed; what a person says also tells
whether the event counts as activity, so that the two can be told apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
from django.utils.functional import Promise

from perennial.apps.customers.kept import kept
from perennial.apps.intake.stream.guess import kind_of
from perennial.apps.intake.words import KINDS
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.models import JobRun
from perennial.apps.team.actions import record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User, Workspace
from perennial.core.errors import BadValue
from perennial.lake.tables import TABLES
from perennial.lake.workspace import Workspace as Lake

JOB: Final = "apply_definitions"
FEATURE: Final = "feature"
_TABLE: Final = TABLES["event_definitions"]
_FEATURES: Final = TABLES["features"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Definition:
    """What a name means now. `feature_id` empty: no feature."""

    kind: str
    feature_id: str = ""
    feature_name: str = ""
    is_key: bool = False
    counts: bool = True
    is_guess: bool = True
    is_fixed: bool = False

    @property
    def title(self) -> str | Promise:
        return KINDS.get(self.kind, self.kind)


@dataclass(frozen=True)
class Said:
    """What a person says of a name. `feature` is a feature's name or id; empty: one
    of its own."""

    kind: str
    counts: bool
    feature: str = ""
    is_key: bool = False


class Meanings(dict[str, Definition]):
    """Definitions by name; names without one have the default."""

    def __missing__(self, name: str) -> Definition:
        return undefined(name)


def undefined(name: str) -> Definition:
    """What a name means that nobody defined: see `guess`."""
    if name.startswith("$"):
        return Definition("system", counts=False, is_guess=False, is_fixed=True)
    kind = kind_of(name)
    if kind == "login":  # the roll-ups know log-ins by their name
        return Definition(kind)
    return Definition(FEATURE, name, name)


@kept("event_definitions", "features", size=8)
def definitions(lake: Lake) -> Meanings:
    """What every name with a definition means now."""
    features = _features(lake)
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in lake.lake.read(_TABLE.name).to_pylist():
        rows[row["name"]].append(row)
    now = datetime.now(UTC)
    found = Meanings()
    for name, some in rows.items():
        row = _holding(some, now)
        if row is not None and not name.startswith("$"):
            found[name] = _definition(row, features)
    return found


def _features(lake: Lake) -> dict[str, Row]:
    return {row["feature_id"]: row for row in lake.lake.read("features").to_pylist()}


def feature_names(lake: Lake) -> list[str]:
    """For a person to choose from, sorted."""
    return sorted({row["name"] or id_ for id_, row in _features(lake).items()})


def _definition(row: Row, features: Mapping[str, Row]) -> Definition:
    kind = row["kind"] or FEATURE
    feature_id = (row["feature_id"] or row["name"]) if kind == FEATURE else ""
    feature = features.get(feature_id, {})
    counts = row["counts_as_activity"]
    told = row["feature_id"] or counts is not None or row["valid_from"]
    return Definition(
        kind,
        feature_id,
        feature.get("name") or feature_id,
        bool(feature.get("is_key")),
        kind != "system" if counts is None else counts,
        is_guess=not told and kind == kind_of(row["name"]),
    )


def _holding(rows: list[Row], now: datetime) -> Row | None:
    """The row that holds now; of several the one that began last."""
    begun = [
        row
        for row in rows
        if (row["valid_from"] is None or row["valid_from"] <= now)
        and (row["valid_to"] is None or row["valid_to"] > now)
    ]
    ever = datetime.min.replace(tzinfo=UTC)
    return max(begun, key=lambda row: row["valid_from"] or ever, default=None)


def define(workspace: Workspace, name: str, said: Said, *, by: User) -> JobRun:
    """Write down what a name means, from when its present meaning began on; then
    everything that depends on it is derived again, in the background."""
    if name.startswith("$"):
        raise BadValue("the meaning of this event is fixed")
    lake = lake_of(workspace)
    with lake.lake.lock(_TABLE.name), lake.lake.lock(_FEATURES.name):
        before = definitions(lake)[name]
        feature = _save_feature(lake, name, said) if said.kind == FEATURE else None
        _save(lake, name, said, feature)
        after = definitions(lake)[name]
        version = lake.lake.snapshot(_TABLE.name).version
    record(
        workspace, by, "event.defined", name, before=_told(before), after=_told(after)
    )
    # By version: a run that has begun may have read what was said before.
    return jobs.run_now(JOB, workspace, by=by, version=version)


def _save(lake: Lake, name: str, said: Said, feature: str | None) -> None:
    stored = lake.lake.read(_TABLE.name).to_pylist()
    rows = [row for row in stored if row["name"] == name]
    held = _holding(rows, datetime.now(UTC))
    ends = [row["valid_to"] for row in rows if row["valid_to"]]
    row = {
        **dict.fromkeys(_TABLE.names),
        **(held or {"valid_from": max(ends, default=None)}),
        "name": name,
        "kind": said.kind,
        "feature_id": feature,
        "counts_as_activity": said.counts,
    }
    lake.lake.write(_TABLE.name, pa.Table.from_pylist([row], schema=_TABLE.schema()))


def _save_feature(lake: Lake, name: str, said: Said) -> str | None:
    """The feature's id, made where it is new; None: the event's own."""
    known = _features(lake)
    wanted = said.feature or name
    by_name = (id_ for id_, row in known.items() if row["name"] == wanted)
    id_ = wanted if wanted in known else next(by_name, wanted)
    row = known.get(id_)
    if row is None and (said.is_key or said.feature):
        row = {**dict.fromkeys(_FEATURES.names), "feature_id": id_, "name": wanted}
    if row is not None:  # writing what is stored already changes nothing
        saved = [{**row, "is_key": said.is_key}]
        lake.lake.write(
            _FEATURES.name, pa.Table.from_pylist(saved, schema=_FEATURES.schema())
        )
    return None if id_ == name else id_


def _told(definition: Definition) -> str:
    """For the audit: "feature Reports, key, counts"."""
    feature = f" {definition.feature_name}" if definition.feature_id else ""
    marks = ["key"] * definition.is_key + ["counts"] * definition.counts
    return ", ".join([f"{definition.kind}{feature}", *marks])
