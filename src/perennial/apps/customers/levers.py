"""The quickest way to the next color, by arithmetic alone.

The formula of the score, as plain numbers for one account, and what it gives when
a single measure is raised. Not a forecast: it says what the score counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from perennial.apps.customers.breakdown import Measured
from perennial.core.settings import HealthTargets
from perennial.scoring import explanation
from perennial.scoring.scorecard import Measure, Rules, usage_targets


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


@dataclass(frozen=True)
class Formula:
    """How the score of an account comes about: weights, targets, and what stands.

    `measures` are parts by the formula of H01, name to key; `fixed` are the values
    of all others, which no measure of usage moves.
    """

    targets: HealthTargets
    weights: Mapping[str, float]
    measures: Mapping[str, str]
    fixed: Mapping[str, float | None]


def formula(rules: Rules, parts: Sequence[explanation.Part]) -> Formula:
    """The formula of these rules, for an account with these parts."""
    sources = {c.name: c.source for c in rules.components}
    measures = {n: s for n, s in sources.items() if isinstance(s, Measure)}
    return Formula(
        usage_targets(rules.components),
        rules.shares,
        {name: source.key for name, source in measures.items()},
        {part.name: part.value for part in parts if part.name not in measures},
    )


def quickest(m: Measured, formula: Formula, missing: float) -> list[Step]:
    """The fewest measures to raise for so many points; empty when they do not do.

    The measure with the most to give comes first, and is raised no further than
    needed.
    """
    steps: list[Step] = []
    targets = formula.targets
    score, goal = _score(m, formula), _score(m, formula) + missing
    open_levers = list(_LEVERS)
    while score < goal - 1e-9 and open_levers:
        gains = {lever.name: _gain(lever, m, formula, score) for lever in open_levers}
        best = max(open_levers, key=lambda lever: gains[lever.name])
        if gains[best.name] <= 0.05:
            return []
        m, amount = _raise(best, m, formula, best.room(m, targets), goal)
        after = _score(m, formula)
        steps.append(Step(best.name, amount, after - score))
        open_levers.remove(best)
        score = after
    return steps if score >= goal - 1e-9 else []


def _gain(lever: _Lever, m: Measured, formula: Formula, score: float) -> float:
    room = lever.room(m, formula.targets)
    return _score(lever.raised(m, room), formula) - score if room > 0 else 0.0


def _raise(
    lever: _Lever, m: Measured, formula: Formula, room: float, goal: float
) -> tuple[Measured, float]:
    """The measure raised step by step until the goal, or as far as it counts."""
    count = math.ceil(room / lever.step - 1e-9)
    low, high = 1, count
    while low < high:
        middle = (low + high) // 2
        if _score(lever.raised(m, middle * lever.step), formula) >= goal - 1e-9:
            high = middle
        else:
            low = middle + 1
    amount = low * lever.step
    return lever.raised(m, amount), amount


def _score(m: Measured, formula: Formula) -> float:
    """The weighted mean of what is known; the others give their weight away."""
    of_usage = components(m, formula.targets)
    values = {name: of_usage[key] for name, key in formula.measures.items()}
    values.update(formula.fixed)
    known = {n: w for n, w in formula.weights.items() if values.get(n) is not None}
    whole = sum(known.values())
    points = sum(weight * (values[name] or 0.0) for name, weight in known.items())
    return points / whole if whole else 0.0


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
