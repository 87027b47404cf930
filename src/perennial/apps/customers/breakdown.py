"""Why a score is what it is: parts, weights and points that add up in sight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from perennial.apps.customers.account import Cuts, color_of, shown
from perennial.core.settings import HealthTargets
from perennial.scoring.health import COMPONENTS

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
    """The stored health of one day."""

    score: float | None
    color: str
    status: str
    coverage: float
    components: Mapping[str, float | None]
    measured: Measured
    computed_at: datetime | None = None
    recomputed: bool = False


@dataclass(frozen=True)
class Part:
    """One row of the table. `weight` is of the parts measured, so they add to 1.

    `points` of `possible`, both in tenths; `change` against 28 days before.
    """

    name: str
    value: float | None
    nominal_weight: float
    weight: float | None
    points: Decimal | None
    possible: Decimal | None
    change: Decimal | None


@dataclass(frozen=True)
class Breakdown:
    """The parts and their sum: the points add up to `total` as they are shown."""

    parts: tuple[Part, ...]
    total: Decimal
    shown_score: int
    color: str
    change: Decimal | None
    coverage: float

    @property
    def measured(self) -> list[Part]:
        return [part for part in self.parts if part.points is not None]

    @property
    def is_renormalized(self) -> bool:
        return len(self.measured) < len(self.parts)


def snapshot(row: Mapping[str, Any]) -> Snapshot:
    """A row of `health_snapshots`."""
    names = Measured.__dataclass_fields__
    return Snapshot(
        score=row["score"],
        color=row["color"] or "",
        status=row["status"] or "",
        coverage=row["coverage"] or 0.0,
        components={name: row[name] for name in COMPONENTS},
        measured=Measured(**{name: row[name] for name in names}),
        computed_at=row["computed_at"],
        recomputed=bool(row["recomputed"]),
    )


def breakdown(
    now: Snapshot, before: Snapshot | None, targets: HealthTargets
) -> Breakdown | None:
    """The table of a score; None where there is no score."""
    if now.score is None:
        return None
    weights = effective_weights(now.components, targets)
    total = shown(now.score, targets.cuts, places=1)
    points = adding_up(_points(now.components, weights), total)
    possible = adding_up({n: 100 * w for n, w in weights.items()}, Decimal(100))
    changes: Mapping[str, Decimal] = {}
    change = None
    if before is not None and before.score is not None:
        old_weights = effective_weights(before.components, targets)
        old = _points(before.components, old_weights)
        new = _points(now.components, weights)
        change = total - shown(before.score, targets.cuts, places=1)
        moved = {n: new.get(n, 0.0) - old.get(n, 0.0) for n in COMPONENTS}
        changes = adding_up(
            {n: v for n, v in moved.items() if n in new or n in old}, change
        )
    parts = tuple(
        Part(
            name,
            now.components[name],
            weight,
            weights.get(name),
            points.get(name),
            possible.get(name),
            changes.get(name),
        )
        for name, weight in zip(COMPONENTS, targets.weights, strict=True)
    )
    score = int(shown(now.score, targets.cuts))
    color = color_of(now.score, targets.cuts)
    return Breakdown(parts, total, score, color, change, now.coverage)


def effective_weights(
    components: Mapping[str, float | None], targets: HealthTargets
) -> dict[str, float]:
    """The weights of the parts that were measured, made to add up to 1."""
    given = dict(zip(COMPONENTS, targets.weights, strict=True))
    known = {n: given[n] for n in COMPONENTS if components[n] is not None}
    whole = sum(known.values())
    return {name: weight / whole for name, weight in known.items()} if whole else {}


def biggest_move(
    now: Snapshot, before: Snapshot, targets: HealthTargets
) -> tuple[str, float] | None:
    """The part that moved the score most between two snapshots, and by how much."""
    new = _points(now.components, effective_weights(now.components, targets))
    old = _points(before.components, effective_weights(before.components, targets))
    moved = {n: new[n] - old[n] for n in COMPONENTS if n in new and n in old}
    if not moved:
        return None
    name = max(moved, key=lambda n: abs(moved[n]))
    return name, moved[name]


def _points(
    components: Mapping[str, float | None], weights: Mapping[str, float]
) -> dict[str, float]:
    return {n: w * (components[n] or 0.0) for n, w in weights.items()}


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
