"""Why a score is what it is: parts, weights and points that add up in sight."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from perennial.apps.customers.account import Cuts, color_of, shown
from perennial.core.settings import COMPOSITE
from perennial.lake import healthbook, snapshots
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring import explanation
from perennial.scoring.scorecard import OVERRIDE

TENTH = Decimal("0.1")


@dataclass(frozen=True)
class Measured:
    """What a score is made from; None where it could not be measured."""

    active_days: float | None = None
    minutes: float | None = None
    active_users: int | None = None
    active_users_before: int | None = None
    seats: int | None = None
    key_features_used: int | None = None
    key_features: int | None = None
    key_events_per_session: float | None = None
    mrr_e4: int | None = None
    mrr_90d_e4: int | None = None


@dataclass(frozen=True)
class Snapshot:
    """The stored health of one day; `parts` say themselves what they gave, `rules` what
    it is by. By another mode, the scorecard's score and color stand beside it."""

    score: float | None
    color: str
    status: str
    coverage: float
    parts: tuple[explanation.Part, ...]
    measured: Measured
    cuts: Cuts
    version: int = 0
    mode: str = COMPOSITE
    rules: tuple[object, ...] = ()
    composite_score: float | None = None
    composite_color: str = ""
    profile: str = ""
    computed_score: float | None = None
    frozen_since: date | None = None
    computed_at: datetime | None = None
    recomputed: bool = False

    @property
    def is_overridden(self) -> bool:
        return any(part.name == OVERRIDE for part in self.parts)


@dataclass(frozen=True)
class Part:
    """One row of the table. `weight` is of the parts measured, so they add to 1.

    `points` of `possible`, both in tenths; `change` against 28 days before. A part
    of the score before that is none now has a change alone, an override no weight.
    """

    name: str
    value: float | None = None
    measured: float | None = None
    weight: float | None = None
    points: Decimal | None = None
    possible: Decimal | None = None
    change: Decimal | None = None


@dataclass(frozen=True)
class Breakdown:
    """The parts and their sum: the points add up to `total` as they are shown."""

    parts: tuple[Part, ...]
    total: Decimal
    shown_score: int
    color: str
    change: Decimal | None
    coverage: float
    is_renormalized: bool

    @property
    def measured(self) -> list[Part]:
        return [part for part in self.parts if part.points is not None]


def snapshot(lake: Lake, row: Mapping[str, Any]) -> Snapshot:
    """A row of `health_snapshots`."""
    names = Measured.__dataclass_fields__
    cuts = json.loads(row["cuts"]) if row["cuts"] else lake.settings.health.cuts
    return Snapshot(
        score=row["score"],
        color=row["color"] or "",
        status=row["status"] or "",
        coverage=row["coverage"] or 0.0,
        parts=healthbook.parts_of(lake, row),
        measured=Measured(**{name: row[name] for name in names}),
        cuts=(cuts[0], cuts[1], cuts[2]),
        version=row["version"] or 0,
        mode=row.get("mode") or COMPOSITE,
        rules=snapshots.rules_of(row),
        composite_score=row.get("composite_score"),
        composite_color=row.get("composite_color") or "",
        profile=row["profile"] or "",
        computed_score=row["computed_score"],
        frozen_since=row["frozen_since"],
        computed_at=row["computed_at"],
        recomputed=bool(row["recomputed"]),
    )


def breakdown(now: Snapshot, before: Snapshot | None) -> Breakdown | None:
    """The table of a score; None where there is no score."""
    if now.score is None:
        return None
    total = shown(now.score, now.cuts, places=1)
    weights = effective_weights(now.parts)
    points = adding_up(_points(now.parts), total)
    possible = adding_up({n: 100 * w for n, w in weights.items()}, Decimal(100))
    change, changes = _changes(now, before, total)
    known = {part.name for part in now.parts}
    gone = [Part(name, change=by) for name, by in changes.items() if name not in known]
    parts = tuple(
        Part(
            part.name,
            part.value,
            part.measured,
            weights.get(part.name),
            points.get(part.name),
            possible.get(part.name),
            changes.get(part.name),
        )
        for part in now.parts
    )
    return Breakdown(
        (*parts, *gone),
        total,
        int(shown(now.score, now.cuts)),
        color_of(now.score, now.cuts),
        change,
        now.coverage,
        is_renormalized=now.mode == COMPOSITE
        and len(weights) < len([p for p in parts if p.name != OVERRIDE]),
    )


def _changes(
    now: Snapshot, before: Snapshot | None, total: Decimal
) -> tuple[Decimal | None, dict[str, Decimal]]:
    """The change of the score as it is shown, and what of it each part made."""
    if before is None or before.score is None or before.mode != now.mode:
        return None, {}
    change = total - shown(before.score, before.cuts, places=1)
    moved = explanation.changes(now.parts, before.parts)
    return change, adding_up({n: float(by) for n, by in moved.items()}, change)


def effective_weights(parts: Sequence[explanation.Part]) -> dict[str, float]:
    """The weights of the parts that were measured, made to add up to 1."""
    known = {p.name: p.weight for p in parts if p.value is not None and p.weight}
    whole = sum(known.values())
    return {name: weight / whole for name, weight in known.items()}


def biggest_move(now: Snapshot, before: Snapshot) -> tuple[str, float] | None:
    """The part that moved the score most between two snapshots, and by how much."""
    moved = explanation.changes(now.parts, before.parts)
    if now.score is None or before.score is None or not moved:
        return None
    name = max(moved, key=lambda n: abs(moved[n]))
    return name, float(moved[name])


def _points(parts: Sequence[explanation.Part]) -> dict[str, float]:
    return {p.name: float(p.contribution) for p in parts if p.contribution is not None}


def adding_up(values: Mapping[str, float], total: Decimal) -> dict[str, Decimal]:
    """The values in tenths, so that they add up to a total in tenths.

    Each is rounded down; the tenths that are missing go to the values that lost
    most, which moves none of them by a whole tenth more than rounding does.
    """
    tenths = {n: Decimal(str(v)) / TENTH for n, v in values.items()}
    floors = {n: t.to_integral_value("ROUND_FLOOR") for n, t in tenths.items()}
    missing = int(total / TENTH - sum(floors.values()))
    by_loss = sorted(floors, key=lambda n: tenths[n] - floors[n], reverse=True)
    for n in _given(by_loss, missing):
        floors[n] += 1 if missing > 0 else -1
    return {n: floor * TENTH for n, floor in floors.items()}


def _given(names: Sequence[str], count: int) -> Sequence[str]:
    if not names or count == 0:
        return ()
    order = names if count > 0 else names[::-1]
    return [order[i % len(order)] for i in range(abs(count))]


def next_colors(total: Decimal, cuts: Cuts) -> list[tuple[str, Decimal]]:
    """The better colors and the points missing to each, the nearest first."""
    edges = zip(("orange", "yellow", "green"), cuts, strict=True)
    return [
        (c, Decimal(str(cut)) - total) for c, cut in edges if total < Decimal(str(cut))
    ]
