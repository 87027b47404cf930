"""How much of the product is used, and how well people take to it: U12 and Q01."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.metrics.activity import active_user_days
from perennial.metrics.dimensions import NOTHING
from perennial.metrics.durations import milliseconds_between
from perennial.metrics.features import entitled
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import ACCOUNT_DIMENSIONS, USER_DIMENSIONS, metric
from perennial.metrics.sessions import session_events


@metric(
    title="Product usage rate",
    theme="usage",
    unit="ratio",
    formula="users with a seat who used it / users with a seat who may use it",
    example="of 10 users with a seat 6 were there: 6 / 10 = 0.6",
    source="U12",
    reads=("user_days",),
    also_reads=("feature_days",),
    dimensions=(*USER_DIMENSIONS, "area"),
    window_days=30,
    variants={
        "rate": "share of the people with a seat",
        "uses": "uses of features",
        "active_days": "active days of an active user",
        "seconds": "time spent there: until the next event of the session",
    },
    units={"uses": "count", "active_days": "days", "seconds": "seconds"},
    caveats="Split by `area`, the areas of the features; they overlap, so their rates do not add up. Without it, any activity counts. Time in an area is read from the events themselves, which takes longer.",
)
def product_usage_rate(t: Inputs, q: Query) -> ir.Table:
    """Share of the people with a seat that use the product, or an area of it."""
    if q.variant != "rate":
        return _use(t, q)
    seats = _seats(t, q)
    place = ["period_start", "account_id", "user_id"]
    if t.asks("area"):
        areas = _areas(t)
        seats = _with_access(t, seats, areas)
        place = [*place, "area"]
        uses = t.in_periods(t.whole.feature_days)
        used = uses.filter(uses.uses > 0).join(areas, "feature_id")
    else:
        used = t.in_periods(active_user_days(t.whole))
    used = used.select(place).distinct().mutate(used=1)
    rows = seats.left_join(used, place, rname="{name}_u")
    people = rows.group_by(list(dict.fromkeys([*q.keys, "user_id"]))).agg(
        used=rows.used.fill_null(0).max()
    )
    return people.group_by(q.keys).agg(
        numerator=people.used.sum(), denominator=people.count(), n=people.count()
    )


def _use(t: Inputs, q: Query) -> ir.Table:
    """Uses, active days or seconds, of an area where one is asked for."""
    rows = t.in_periods(t.feature_days)
    rows = rows.filter((rows.uses > 0) & rows.user_id.notnull())
    if t.asks("area"):
        rows = rows.join(_areas(t), "feature_id")
        if q.variant == "seconds":
            rows = _time_in_areas(t, q)
    elif q.variant != "uses":
        rows = t.in_periods(active_user_days(t))
        rows = rows.mutate(ms=rows.duration_ms)
    if q.variant == "active_days":
        days = rows.select(*dict.fromkeys([*q.keys, "user_id", "date"])).distinct()
        return days.group_by(q.keys).agg(
            numerator=days.count(),
            denominator=days.user_id.nunique(),
            n=days.user_id.nunique(),
        )
    total = rows.uses.sum() if q.variant == "uses" else rows.ms.sum() / 1000
    return rows.group_by(q.keys).agg(
        numerator=total, denominator=ibis.null("int64"), n=rows.user_id.nunique()
    )


def _time_in_areas(t: Inputs, q: Query) -> ir.Table:
    """One row per use of an area in a session: `ms` until the session's next event.

    Whatever the next one is; the last has none, and takes no time (U12).
    """
    events = session_events(t, q)
    order = ibis.window(
        group_by=["account_id", "user_id", "started_at"], order_by=["at", "event_id"]
    )
    timed = events.mutate(following=events["at"].lead().over(order))
    wait = milliseconds_between(timed["at"], timed.following)
    timed = timed.mutate(ms=wait.fill_null(0)).join(_areas(t), "feature_id")
    return t.split(timed)


def _seats(t: Inputs, q: Query) -> ir.Table:
    """One row per period, group, account and user with a seat on any of its days."""
    seats = t.whole.assignments.cross_join(t.ends.select("period_start", "last"))
    held = seats.filter(
        (seats.date_from.isnull() | (seats.date_from <= seats["last"]))
        & (seats.date_to.isnull() | (seats.date_to > seats.period_start))
    )
    held = held.select("period_start", "account_id", "user_id", date="last").distinct()
    keys = [key for key in q.keys if key != "area"]
    columns = dict.fromkeys([*keys, "account_id", "user_id"])
    return t.split(held).select(*columns)


def _areas(t: Inputs) -> ir.Table:
    """One row per feature that has an area: feature_id, area."""
    features = t.features.filter(t.features.area.notnull())
    return t.meeting(features.select("feature_id", "area"), "area")


def _with_access(t: Inputs, seats: ir.Table, areas: ir.Table) -> ir.Table:
    """Seats by each area a feature of which is open to the account."""
    accounts = seats.select("period_start", "account_id").distinct()
    open_ = entitled(t, accounts, areas.select("feature_id")).join(areas, "feature_id")
    open_ = open_.select("period_start", "account_id", "area").distinct()
    return seats.join(open_, ["period_start", "account_id"])


def _scores(query: Query, raw: pl.DataFrame) -> pl.DataFrame:
    """One row per period and group: the variant's points, and the parts they are of."""
    rows = [
        {**{key: row[key] for key in query.keys}, **_score(query.variant, row)}
        for row in raw.iter_rows(named=True)
    ]
    whole, real = pl.Int64(), pl.Float64()
    own = {"value": real, "numerator": real, "denominator": whole, "n": whole}
    keys = {key: raw.schema[key] for key in query.keys}
    return pl.DataFrame(rows, schema={**keys, **own, "insufficient": whole})


def _score(variant: str, counts: dict[str, int]) -> dict[str, Any]:
    parts = engagement_parts(**{name: counts[name] for name in _COUNTS})
    known = [part for part in parts.values() if part is not None]
    if variant in parts:
        known = [part] if (part := parts[variant]) is not None else []
        complete = bool(known)
    else:
        complete = bool(known) and (variant == "partial" or len(known) == len(parts))
    points = 100 * sum(known)
    return {
        "value": points / len(known) if complete else None,
        "numerator": points if complete else None,
        "denominator": len(known) if complete else None,
        "n": counts["users"],
        "insufficient": int(not complete),
    }


_COUNTS = ("pairs", "users", "core", "day_users", "days", "gained", "dropped")


def engagement_parts(
    *,
    pairs: int,
    users: int,
    core: int,
    day_users: int,
    days: int,
    gained: int,
    dropped: int,
) -> dict[str, float | None]:
    """The three parts of the score, fractions of 1, null where nothing is there to tell.

    `pairs` are users with each core feature they used, `core` is how many there
    are; `day_users` are the daily active users of all `days` together; `gained` and
    `dropped` are accounts.
    """
    return {
        "adoption": pairs / (users * core) if users and core else None,
        "stickiness": day_users / days / users if users else None,
        "growth": gained / (gained + dropped) if gained or dropped else None,
    }


@metric(
    title="Product engagement score",
    theme="product",
    unit="score",
    formula="100 · mean of adoption, stickiness and growth",
    example="adoption 0.5, stickiness 0.4, and 15 of 20 accounts that changed were gained: 100 * (0.5 + 0.4 + 15 / 20) / 3 = 55",
    source="Q01",
    reads=("user_days",),
    also_reads=("feature_days",),
    dimensions=ACCOUNT_DIMENSIONS,
    window_days="mau_days",
    stock=True,
    conclude=_scores,
    variants={
        "pes": "all three parts; null where one cannot be told",
        "partial": "the parts there are",
        "adoption": "share of the core features an active user uses",
        "stickiness": "mean daily over monthly active users",
        "growth": "accounts that became active, of those that became active or stopped",
    },
    caveats="Of the 30 days up to the period's last day, growth against the 30 days before. A core feature is one marked so. How many days is the setting `mau_days`.",
)
def product_engagement_score(t: Inputs, q: Query) -> ir.Table:
    """How well the product is taken up, come back to and spread, 0 to 100 (PES)."""
    width = q.settings.mau_days
    days = active_user_days(t.whole)
    days = days.mutate(account_id=days.account_id.fill_null(NOTHING))
    now = t.in_periods(days, t.trailing(width))
    before = t.in_periods(days, t.trailing(width, skip=width))
    accounts = _accounts(t, q, now, before)
    place = ["period_start", "account_id"]
    people = now.select(*place, "user_id", "date")
    if q.by or q.where:
        # Made one before accounts are joined: engines would join these first, and have
        # every day of an account once for each period.
        people = people.distinct().join(accounts, place)
    core, of_core = _core(t)
    uses = t.whole.feature_days
    uses = uses.filter((uses.uses > 0) & uses.user_id.notnull())
    uses = uses.mutate(account_id=uses.account_id.fill_null(NOTHING))
    uses = t.in_periods(uses.semi_join(core, "feature_id"), t.trailing(width))
    uses = uses.semi_join(core, ["period_start", "feature_id"])
    used = uses.select(*place, "user_id", "feature_id").distinct().join(accounts, place)
    used = used.select(*q.keys, "user_id", "feature_id").distinct()
    daily = people.select(*q.keys, "user_id", "date").distinct()
    parts = (
        people.group_by(q.keys).agg(users=people.user_id.nunique()),
        daily.group_by(q.keys).agg(day_users=daily.count()),
        used.group_by(q.keys).agg(pairs=used.count()),
    )
    rows = accounts.group_by(q.keys).agg(
        gained=accounts.gained.sum(), dropped=accounts.dropped.sum()
    )
    for part in parts:
        rows = rows.left_join(part, q.keys, rname="{name}_r")
        rows = rows.drop(*(c for c in rows.columns if c.endswith("_r")))
    return rows.left_join(of_core, "period_start", rname="{name}_r").select(
        *q.keys,
        "gained",
        "dropped",
        users=ibis._.users.fill_null(0),
        day_users=ibis._.day_users.fill_null(0),
        pairs=ibis._.pairs.fill_null(0),
        core=ibis._.core.fill_null(0),
        days=ibis.literal(width, "int64"),
    )


def _accounts(t: Inputs, q: Query, now: ir.Table, before: ir.Table) -> ir.Table:
    """One row per period, group and account active in either window: gained, dropped.

    Its attributes are those of the period's last day: a change of segment makes
    nobody come or go. Activity without an account is there, and no account.
    """
    place = ["period_start", "account_id"]
    both = now.select(*place, is_now=1).union(before.select(*place, is_now=0))
    seen = both.group_by(place).agg(
        now=(both.is_now == 1).cast("int64").max(),
        before=(both.is_now == 0).cast("int64").max(),
    )
    is_known = (seen.account_id != NOTHING).cast("int64")
    seen = seen.mutate(
        gained=is_known * (1 - seen.before), dropped=is_known * (1 - seen.now)
    )
    dated = seen.join(t.ends.select("period_start", date="last"), "period_start")
    columns = dict.fromkeys([*q.keys, "account_id", "gained", "dropped"])
    return t.split(dated).select(*columns)


def _core(t: Inputs) -> tuple[ir.Table, ir.Table]:
    """Core features released by each period's end, and how many: `core`."""
    features = t.features.filter(t.features.is_core.fill_null(False))
    known = features.cross_join(t.ends.select("period_start", "high"))
    known = known.filter(known.released_at.isnull() | (known.released_at < known.high))
    known = known.select("period_start", "feature_id")
    return known, known.group_by("period_start").agg(core=known.count())
