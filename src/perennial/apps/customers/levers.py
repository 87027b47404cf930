"""The quickest way to the next color, by arithmetic alone.

The formula of the score, as plain numbers for one account, and what it gives when
a single measure is raised. Not a forecast: it says what the score counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from perennial.apps.customers.breakdown import Measured, effective_weights
from perennial.core.settings import HealthTargets


@dataclass(frozen=True)
class Step:
    """Raise one measure by `amount`; the score rises by `points`."""

    lever: str
    amount: float
    points: float


@dataclass(frozen=True)
class _Lever:
    """A measure that can be raised: in which steps, and up to where it counts."""

    name: str
    step: float
    room: Callable[[Measured, HealthTargets], float]
    raised: Callable[[Measured, float], Measured]


def quickest(m: Measured, targets: HealthTargets, missing: float) -> list[Step]:
    """The fewest measures to raise for so many points; empty when they do not do.

    The measure with the most to give comes first, and is raised no further than
    needed.
    """
    steps: list[Step] = []
    score, goal = _score(m, targets), _score(m, targets) + missing
    open_levers = list(_LEVERS)
    while score < goal - 1e-9 and open_levers:
        gains = {lever.name: _gain(lever, m, targets, score) for lever in open_levers}
        best = max(open_levers, key=lambda lever: gains[lever.name])
        if gains[best.name] <= 0.05:
            return []
        m, amount = _raise(best, m, targets, goal)
        after = _score(m, targets)
        steps.append(Step(best.name, amount, after - score))
        open_levers.remove(best)
        score = after
    return steps if score >= goal - 1e-9 else []


def _gain(lever: _Lever, m: Measured, targets: HealthTargets, score: float) -> float:
    room = lever.room(m, targets)
    return _score(lever.raised(m, room), targets) - score if room > 0 else 0.0


def _raise(
    lever: _Lever, m: Measured, targets: HealthTargets, goal: float
) -> tuple[Measured, float]:
    """The measure raised step by step until the goal, or as far as it counts."""
    room = lever.room(m, targets)
    count = math.ceil(room / lever.step - 1e-9)
    low, high = 1, count
    while low < high:
        middle = (low + high) // 2
        if _score(lever.raised(m, middle * lever.step), targets) >= goal - 1e-9:
            high = middle
        else:
            low = middle + 1
    amount = low * lever.step
    return lever.raised(m, amount), amount


def _score(m: Measured, targets: HealthTargets) -> float:
    found = components(m, targets)
    weights = effective_weights(found, targets)
    return sum(weight * (found[name] or 0.0) for name, weight in weights.items())


def components(m: Measured, t: HealthTargets) -> Mapping[str, float | None]:
    """The four components of H01; a test holds it to `perennial.scoring.health`."""
    return {
        "frequency": _frequency(m, t),
        "breadth": _breadth(m, t),
        "depth": _depth(m, t),
        "growth": _growth(m, t),
    }


def _frequency(m: Measured, t: HealthTargets) -> float | None:
    if m.active_days is None or m.minutes is None:
        return None
    return 50 * (min(m.active_days / t.active_days, 1) + min(m.minutes / t.minutes, 1))


def _breadth(m: Measured, t: HealthTargets) -> float | None:
    if m.active_users is None or not m.seats:
        return None
    return 100 * min(m.active_users / m.seats / t.breadth, 1)


def _depth(m: Measured, t: HealthTargets) -> float | None:
    if m.key_features_used is None or not m.key_features:
        return None
    if m.key_events_per_session is None:
        return None
    features = min(m.key_features_used / m.key_features / t.coverage, 1)
    events = min(m.key_events_per_session / t.events_per_session, 1)
    return 100 * (0.75 * features + 0.25 * events)


def _growth(m: Measured, t: HealthTargets) -> float | None:
    pairs = (
        (m.active_users, m.active_users_before),
        (m.mrr_e4, m.mrr_90d_e4),
    )
    known = [g for now, before in pairs if (g := _grown(now, before, t)) is not None]
    return sum(known) / len(known) if known else None


def _grown(now: int | None, before: int | None, t: HealthTargets) -> float | None:
    if now is None or before is None:
        return None
    if before == 0:
        return 100.0 if now > 0 else None
    change = (now - before) / before / t.growth
    return 50 + 50 * max(-1.0, min(1.0, change))


# --- the measures a team can raise -------------------------------------------


def _users_room(m: Measured, t: HealthTargets) -> float:
    if not m.seats or m.active_users is None:
        return 0
    return max(min(math.ceil(m.seats * t.breadth), m.seats) - m.active_users, 0)


def _more_users(m: Measured, by: float) -> Measured:
    return replace(m, active_users=(m.active_users or 0) + int(by))


def _features_room(m: Measured, t: HealthTargets) -> float:
    if not m.key_features or m.key_features_used is None:
        return 0
    wanted = math.ceil(m.key_features * t.coverage - 1e-9)
    return max(min(wanted, m.key_features) - m.key_features_used, 0)


def _more_features(m: Measured, by: float) -> Measured:
    return replace(m, key_features_used=(m.key_features_used or 0) + int(by))


def _days_room(m: Measured, t: HealthTargets) -> float:
    return max(t.active_days - m.active_days, 0) if m.active_days is not None else 0


def _more_days(m: Measured, by: float) -> Measured:
    return replace(m, active_days=(m.active_days or 0) + by)


def _minutes_room(m: Measured, t: HealthTargets) -> float:
    return max(t.minutes - m.minutes, 0) if m.minutes is not None else 0


def _more_minutes(m: Measured, by: float) -> Measured:
    return replace(m, minutes=(m.minutes or 0) + by)


def _events_room(m: Measured, t: HealthTargets) -> float:
    if m.key_events_per_session is None:
        return 0
    return max(t.events_per_session - m.key_events_per_session, 0)


def _more_events(m: Measured, by: float) -> Measured:
    return replace(m, key_events_per_session=(m.key_events_per_session or 0) + by)


_LEVERS = (
    _Lever("users", 1, _users_room, _more_users),
    _Lever("features", 1, _features_room, _more_features),
    _Lever("days", 1, _days_room, _more_days),
    _Lever("minutes", 5, _minutes_room, _more_minutes),
    _Lever("events", 0.5, _events_room, _more_events),
)
