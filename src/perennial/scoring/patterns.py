"""Patterns of use worth talking about: U14 and U15 of the reference.

Tables of the engine give the counts, pure functions the verdicts, as dataclasses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from statistics import fmean, median
from typing import Literal

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.settings import Settings
from perennial.core.windows import DAY
from perennial.metrics.activity import active_user_days
from perennial.metrics.features import entitled
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.sessions import closed_sessions, session_events

# Outlier or norm (U14)

Verdict = Literal["outlier", "mixed", "norm", "insufficient"]

#: Fewer values than this say nothing.
_FEWEST = 5
#: Makes a median absolute deviation, and a mean one, comparable with a standard
#: deviation.
_MAD, _MEAN_DEVIATION = 0.6745, 1.253314


@dataclass(frozen=True)
class Outlier:
    """A value far from the others: of whom, how much, and its robust z-score."""

    name: str
    value: float
    z: float


@dataclass(frozen=True)
class LightUse:
    """Whether light use is a few people's or everybody's.

    `light_share` is the share below the floor, a fraction; `verdict` insufficient
    below five values. `z` has the robust z-score of each name; empty where all
    deviations are zero.
    """

    group: str
    n: int
    floor: float
    light_share: float | None
    verdict: Verdict
    median: float | None
    outliers: tuple[Outlier, ...]
    z: Mapping[str, float]


def light_use(
    values: Mapping[str, float],
    floor: float,
    *,
    group: str = "",
    norm_share: float = 0.5,
    outlier_share: float = 0.2,
    most_z: float = 3.5,
) -> LightUse:
    """The pattern of one group, of use by name. Source: U14."""
    n = len(values)
    if n < _FEWEST:
        middle = median(values.values()) if values else None
        return LightUse(group, n, floor, None, "insufficient", middle, (), {})
    light = sum(value < floor for value in values.values())
    z = robust_z(values)
    far = tuple(
        Outlier(name, values[name], score)
        for name, score in sorted(z.items(), key=lambda item: -abs(item[1]))
        if abs(score) > most_z
    )
    # Shares are compared exactly: one of five is a fifth.
    share = Fraction(light, n)
    verdict: Verdict = "mixed"
    if share >= Fraction(str(norm_share)):
        verdict = "norm"
    elif share <= Fraction(str(outlier_share)):
        verdict = "outlier"
    return LightUse(
        group, n, floor, light / n, verdict, median(values.values()), far, z
    )


def robust_z(values: Mapping[str, float]) -> dict[str, float]:
    """How far each value is from the median, in robust standard deviations.

    By the median absolute deviation, or where that is zero by the mean one; where
    that is zero too nothing is far from anything, and the result is empty.
    """
    if not values:
        return {}
    middle = median(values.values())
    distances = [abs(value - middle) for value in values.values()]
    if mad := median(distances):
        return {name: _MAD * (value - middle) / mad for name, value in values.items()}
    if mean := fmean(distances):
        scale = _MEAN_DEVIATION * mean
        return {name: (value - middle) / scale for name, value in values.items()}
    return {}


def minutes_of_users(t: Inputs, q: Query) -> ir.Table:
    """One row per period, account and user with a seat: milliseconds, zero included.

    The periods of `q` are the windows, of 28 days by rule. Users count from the
    seats of the period's last day.
    """
    seats = t.whole.assignments.cross_join(t.ends.select("period_start", "last"))
    held = seats.filter(
        (seats.date_from.isnull() | (seats.date_from <= seats["last"]))
        & (seats.date_to.isnull() | (seats.date_to > seats["last"]))
    )
    keys = ["period_start", "account_id", "user_id"]
    held = t.split(held.select(*keys, date="last").distinct())
    days = t.in_periods(t.whole.user_days)
    used = days.group_by(keys).agg(ms=days.duration_ms.sum())
    found = held.left_join(used, keys, rname="{name}_u")
    columns = dict.fromkeys([*q.keys, *keys])
    return found.select(*columns, ms=found.ms.fill_null(0))


def light_accounts(rows: pl.DataFrame, settings: Settings) -> list[LightUse]:
    """Use within each account, in minutes a user, from `minutes_of_users`."""
    floor = settings.light_floor * settings.health.minutes
    return [
        _pattern(
            str(account),
            dict(part.select("user_id", "minutes").iter_rows()),
            floor,
            settings,
        )
        for (account,), part in _minutes(rows).group_by(
            "account_id", maintain_order=True
        )
    ]


def light_segments(
    rows: pl.DataFrame, settings: Settings, *, by: str
) -> list[LightUse]:
    """Use within each group of accounts, in minutes an account's users have on average.

    `rows` are those of `minutes_of_users` with the column `by`.
    """
    floor = settings.light_floor * settings.health.minutes
    accounts = (
        _minutes(rows)
        .group_by(by, "account_id", maintain_order=True)
        .agg(pl.col("minutes").mean())
    )
    return [
        _pattern(
            str(group or ""),
            dict(part.select("account_id", "minutes").iter_rows()),
            floor,
            settings,
        )
        for (group,), part in accounts.group_by(by, maintain_order=True)
    ]


def _minutes(rows: pl.DataFrame) -> pl.DataFrame:
    ordered = rows.sort("account_id", "user_id")
    return ordered.with_columns(minutes=pl.col("ms") / 60_000)


def _pattern(
    group: str, values: Mapping[str, float], floor: float, settings: Settings
) -> LightUse:
    return light_use(
        values,
        floor,
        group=group,
        norm_share=settings.norm_share,
        outlier_share=settings.outlier_share,
        most_z=settings.mad_z,
    )


# Features nobody uses (U15)

#: Below this share of those who could, a feature is not used.
UNUSED_BELOW = 0.01


@dataclass(frozen=True)
class UnusedFeature:
    """A feature that was there long enough and that hardly anybody uses.

    `users` used it, of `eligible` active users who could; `adoption` is their
    share, null where nobody could.
    """

    feature_id: str
    released_at: date | None
    users: int
    eligible: int
    adoption: float | None


def feature_users(t: Inputs, q: Query) -> ir.Table:
    """One row per period and known feature: `eligible` active users, `users` of it.

    The periods of `q` are the windows, of 90 days by rule; with `released`, the
    local day, null where it is not known.
    """
    active = t.in_periods(active_user_days(t))
    keys = ["period_start", "account_id", "user_id"]
    people = active.filter(active.account_id.notnull()).select(keys).distinct()
    features = t.features.select(
        "feature_id", released=t.local_date(t.features.released_at)
    )
    pairs = entitled(t, people, features.select("feature_id"))
    uses = t.in_periods(t.whole.feature_days)
    used = uses.filter(uses.uses > 0).select(*keys, "feature_id", used=1).distinct()
    pairs = pairs.left_join(used, [*keys, "feature_id"], rname="{name}_u")
    each = pairs.group_by(["period_start", "feature_id", "user_id"]).agg(
        used=pairs.used.fill_null(0).max()
    )
    counted = each.group_by(["period_start", "feature_id"]).agg(
        eligible=each.count(), users=each.used.sum()
    )
    every = features.cross_join(t.ends.select("period_start", "last"))
    found = every.left_join(counted, ["period_start", "feature_id"], rname="{name}_c")
    return found.select(
        "period_start",
        "feature_id",
        "released",
        "last",
        eligible=found.eligible.fill_null(0),
        users=found.users.fill_null(0),
    )


def unused_features(rows: pl.DataFrame, settings: Settings) -> list[UnusedFeature]:
    """The features of `feature_users` that were there for long and are not used.

    Those nobody could use are left out: they are not used by nobody's choice.
    """
    old = pl.col("last") - pl.col("released") >= pl.duration(
        days=settings.unused_feature_days
    )
    known = rows.filter((old | pl.col("released").is_null()) & (pl.col("eligible") > 0))
    return [
        UnusedFeature(feature, released, users, eligible, users / eligible)
        for feature, released, users, eligible in known.sort("feature_id")
        .select("feature_id", "released", "users", "eligible")
        .iter_rows()
        if users < UNUSED_BELOW * eligible
    ]


# Unusual days (U15)

#: A day is compared with so many of the same weekday before it.
WEEKS = 8
#: Median absolute deviations that are far, each as wide as a standard deviation.
_FAR = 3 * 1.4826
#: Below this share of the median, events are missing rather than fewer.
_OUTAGE = 0.5


@dataclass(frozen=True)
class Anomaly:
    """A day unlike the same weekdays before it: beyond `low` or `high`."""

    name: str
    date: date
    value: float
    expected: float
    low: float
    high: float

    @property
    def is_high(self) -> bool:
        return self.value > self.high


def anomaly(
    name: str, day: date, value: float, before: Sequence[float], *, both: bool
) -> Anomaly | None:
    """The day's value against those of the same weekdays before; null when usual.

    Beyond three robust standard deviations of their median; `both` ways or only
    upwards. Fewer weekdays than asked for say nothing. Source: U15.
    """
    if len(before) < WEEKS:
        return None
    expected = median(before)
    width = _FAR * median([abs(other - expected) for other in before])
    found = Anomaly(name, day, value, expected, expected - width, expected + width)
    is_low = both and value < found.low
    return found if found.is_high or is_low else None


def daily(t: Inputs, q: Query) -> ir.Table:
    """One row a day of the periods: events, dau, errors, sessions, short.

    `events` is all that was heard, whether it counts or not, `short` the sessions
    under ten seconds or of one event. Nothing is zero.
    """
    heard = t.in_periods(t.rows("event_days"))
    events = heard.group_by("date").agg(events=heard.events.sum())
    active = t.in_periods(active_user_days(t))
    users = active.group_by("date").agg(dau=active.user_id.nunique())
    uses = t.in_periods(t.feature_days)
    errors = uses.group_by("date").agg(errors=uses.errors.sum())
    rows = closed_sessions(t, q)
    is_short = (rows.events == 1) | (
        (rows.duration_ms > 0) & (rows.duration_ms < 10_000)
    )
    sessions = rows.group_by("date").agg(
        sessions=rows.count(), short=is_short.cast("int64").sum()
    )
    found = t.days.select("date")
    for part in (events, users, errors, sessions):
        found = found.left_join(part, "date", rname="{name}_r")
        found = found.drop(*(c for c in found.columns if c.endswith("_r")))
    return found.mutate(
        {
            name: found[name].fill_null(0)
            for name in ("events", "dau", "errors", "sessions", "short")
        }
    )


def anomalies(rows: pl.DataFrame, day: date) -> list[Anomaly]:
    """What was unusual on a day, from `daily` of it and the eight weeks before."""
    by_day = _by_day(rows)
    found = [
        anomaly(name, day, *series, both=name != "short_session_share")
        for name in ("events", "dau", "errors", "short_session_share")
        if (series := _series(by_day, day, name)) is not None
    ]
    return [one for one in found if one is not None]


def _by_day(rows: pl.DataFrame) -> dict[date, dict[str, int]]:
    """Rows of `daily` by date; days before the first event say nothing."""
    ordered = rows.sort("date")
    began = ordered.filter(pl.col("events") > 0)["date"].min()
    known = ordered.filter(pl.col("date") >= began) if began else ordered.clear()
    return {row["date"]: row for row in known.iter_rows(named=True)}


def _series(
    by_day: Mapping[date, Mapping[str, int]], day: date, name: str
) -> tuple[float, list[float]] | None:
    """The day's value and those of the same weekdays before; null without one."""
    earlier = [day - DAY * 7 * week for week in range(1, WEEKS + 1)]
    now, *before = (_measure(by_day.get(each), name) for each in (day, *earlier))
    if now is None:
        return None
    return now, [value for value in before if value is not None]


def _measure(row: Mapping[str, int] | None, name: str) -> float | None:
    if row is None:
        return None
    if name == "short_session_share":
        return row["short"] / row["sessions"] if row["sessions"] else None
    return float(row[name])


def is_outage(rows: pl.DataFrame, day: date) -> bool:
    """Are the day's events missing: under half of what the weekday usually has?

    Then numbers of the day are no news about customers, and health is frozen.
    """
    by_day = _by_day(rows)
    series = _series(by_day, day, "events")
    if series is None:
        return False
    now, before = series
    return bool(before) and now < _OUTAGE * median(before)


# What people do after they log in (U15)

_STEPS, _PATHS = 5, 20
_QUICK_MS = 60_000


@dataclass(frozen=True)
class Path:
    """What a session began with, and how many did: features in order of use.

    `quick_share` is the share of its sessions that were over within a minute.
    """

    features: tuple[str, ...]
    users: int
    sessions: int
    quick_share: float


def paths(t: Inputs, q: Query) -> ir.Table:
    """One row per way sessions began: step_1 to step_5 (null after its end).

    The first five features used, the same one in a row once; with `users`,
    `sessions` and `quick`, the sessions over within a minute. The most frequent
    twenty.
    """
    events = session_events(t, q)
    uses = t.split(events.filter(events.feature_id.notnull()))
    session = ["account_id", "user_id", "started_at"]
    order = ibis.window(group_by=session, order_by=["at", "event_id"])
    uses = uses.mutate(before=uses.feature_id.lag().over(order))
    uses = uses.filter(uses.before.isnull() | (uses.before != uses.feature_id))
    uses = uses.mutate(place=ibis.row_number().over(order))
    steps = {
        f"step_{n + 1}": uses.feature_id.max(where=uses.place == n)
        for n in range(_STEPS)
    }
    each = uses.group_by([*session, "duration_ms"]).agg(**steps)
    counted = each.group_by(list(steps)).agg(
        users=each.user_id.nunique(),
        sessions=each.count(),
        quick=(each.duration_ms <= _QUICK_MS).cast("int64").sum(),
    )
    return counted.order_by([ibis.desc("sessions"), *steps]).limit(_PATHS)


def top_paths(rows: pl.DataFrame) -> list[Path]:
    """The paths of `paths`, most sessions first."""
    names = [f"step_{n + 1}" for n in range(_STEPS)]
    ordered = rows.sort("sessions", *names, descending=[True, *[False] * _STEPS])
    return [
        Path(
            tuple(row[name] for name in names if row[name] is not None),
            row["users"],
            row["sessions"],
            row["quick"] / row["sessions"],
        )
        for row in ordered.iter_rows(named=True)
    ]
