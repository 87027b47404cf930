"""What the health of accounts is made from, and the four parts of H01.

`measures` adds up in the engine, `told` and `component` turn that into points. A
part that cannot be measured is null; a part that was measured as nothing is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.money import SCALE
from perennial.metrics import filters
from perennial.metrics.activity import active_user_days
from perennial.metrics.dimensions import IN_SEGMENT
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.revenue import priced_ledger
from perennial.metrics.sessions import closed_sessions
from perennial.scoring.scales import group_column
from perennial.scoring.scorecard import FACTS, Scorecard

COMPONENTS = ("frequency", "breadth", "depth", "growth")
#: Days of the window, and of the one before it that growth compares with.
WINDOW = 28
#: Growth of MRR compares with this many days ago.
MRR_DAYS = 90


def component(key: str, targets: Mapping[str, float]) -> pl.Expr:
    """One of the four parts, 0 to 100, by its targets; null where not measured.

    Computed after the engine, from its whole numbers, so that every engine gives
    the same.
    """
    return _FORMULAS[key](targets)


def _frequency(targets: Mapping[str, float]) -> pl.Expr:
    days = _capped(_of_window("active_days", targets["active_days"]))
    minutes = _capped(_of_window("minutes", targets["minutes"]))
    return 50.0 * (days + minutes)


def _of_window(name: str, target: float) -> pl.Expr:
    """A share of a target of 28 days; of fewer where some brought no events."""
    whole = pl.col("measured_days") == WINDOW
    scaled = pl.lit(target) * pl.col("measured_days") / WINDOW
    return pl.when(whole).then(pl.col(name) / target).otherwise(pl.col(name) / scaled)


def _breadth(targets: Mapping[str, float]) -> pl.Expr:
    share = _share("active_users", "seats")
    return 100.0 * _capped(share / targets["breadth"])


def _depth(targets: Mapping[str, float]) -> pl.Expr:
    share = _share("key_features_used", "key_features")
    features = _capped(share / targets["coverage"])
    target = targets["events_per_session"]
    events = _capped(pl.col("key_events_per_session") / target)
    return 100.0 * (0.75 * features + 0.25 * events)


def _growth(targets: Mapping[str, float]) -> pl.Expr:
    target = targets["growth"]
    users = _grown("active_users", "active_users_before", target)
    return pl.mean_horizontal(users, _grown("mrr_e4", "mrr_90d_e4", target))


def _grown(now: str, before: str, target: float) -> pl.Expr:
    """50 for no change, 0 and 100 for the target down and up; null from 0 to 0."""
    change = (pl.col(now) - pl.col(before)) / pl.col(before)
    return (
        pl.when((pl.col(before) == 0) & (pl.col(now) > 0))
        .then(100.0)
        .when(pl.col(before) > 0)
        .then(50.0 + 50.0 * (change / target).clip(-1.0, 1.0))
    )


_FORMULAS: Mapping[str, Callable[[Mapping[str, float]], pl.Expr]] = {
    "frequency": _frequency,
    "breadth": _breadth,
    "depth": _depth,
    "growth": _growth,
}


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))


def _capped(share: pl.Expr) -> pl.Expr:
    return share.clip(upper_bound=1.0)


def told(measured: pl.DataFrame) -> pl.DataFrame:
    """Sums of an engine as the measures people read: minutes, events a session.

    `measured_days` are those of the window on which events arrived as they do.
    """
    sessions, users = pl.col("sessions"), pl.col("active_users")
    return measured.with_columns(
        measured_days=pl.lit(WINDOW),
        minutes=pl.when(users > 0)
        .then(pl.col("duration_ms") / 60_000 / users)
        .otherwise(pl.when(users == 0).then(0.0)),
        key_events_per_session=pl.when(sessions > 0)
        .then(pl.col("key_events") / sessions)
        .otherwise(pl.when(sessions == 0).then(0.0)),
    )


def measures(t: Inputs, q: Query, card: Scorecard) -> ir.Table:
    """One row per period (28 days) and account: what its health is made from.

    The periods of `q` are the windows; a snapshot of day D has the 28 days before
    it. Accounts that neither pay nor are on trial are there with `is_live` false.
    `profile` is the number of the first profile of the card that fits.
    """
    rows = _accounts(t, q)
    for part in (
        _usage(t, q),
        _users_before(t),
        _key_features(t, q),
        _entitled(t),
        _sessions(t, q),
        _seats(t),
        _money(t, q),
    ):
        rows = rows.left_join(part, ["period_start", "account_id"], rname="{name}_r")
        rows = rows.drop(*(c for c in rows.columns if c.endswith("_r")))
    return _with_profile(t, _with_zeros(_with_state(rows, q)), card)


def _with_profile(t: Inputs, rows: ir.Table, card: Scorecard) -> ir.Table:
    """The profile that fits, and the attributes accounts are ranked within."""
    written = [filters.parse(p.when) for p in card.profiles if p.when]
    flagged = [filters.flagged(each, IN_SEGMENT, _membership) for each in written]
    segments = [key for _, keys in flagged for key in keys]
    parsed = [each for each, _ in flagged]
    asked = [name for each in parsed for name in filters.names(each)]
    flags = {key: _membership(key) for key in segments}
    known = [n for n in asked if n not in FACTS and n not in flags.values()]
    found = t.with_attributes(
        rows.mutate(
            date=rows["last"],
            age_days=rows["last"].delta(rows.began, unit="day"),
            mrr=rows.mrr_e4 / SCALE,
        ),
        [*dict.fromkeys((*known, *card.groups))],
    )
    found = t.with_memberships(found, flags)
    cases = [
        (filters.condition(each, lambda name: found[name]), ibis.literal(n, "int64"))
        for n, each in enumerate(parsed)
    ]
    last = ibis.literal(len(parsed), "int64")
    groups = {group_column(name): found[name].cast("string") for name in card.groups}
    profile = ibis.cases(*cases, else_=last) if cases else last
    return found.mutate(profile=profile, **groups).select(
        *rows.columns, "profile", *groups
    )


def _membership(segment: str) -> str:
    return f"in_segment__{segment}"


def _with_state(rows: ir.Table, q: Query) -> ir.Table:
    """Live or not, and onboarding or not, at the end of the window."""
    pays = rows.mrr_e4.fill_null(0) > 0
    stage = rows.lifecycle_stage.lower().fill_null("")
    began = rows.began.fill_null(rows["last"]) <= rows["last"]
    trial = ~rows.has_paid.fill_null(False) & ~stage.isin(["lead", "churned"])
    wait = ibis.interval(days=q.settings.onboarding_days)
    early = (rows.began + wait).cast("date") > rows["last"]
    late = rows.onboarded.cast("date") > rows["last"]
    return rows.mutate(
        is_live=pays | (trial & began),
        is_trial=~pays & trial & began,
        is_onboarding=(early | late).fill_null(False),
    )


def _with_zeros(rows: ir.Table) -> ir.Table:
    """Nothing measured is zero where it could have been measured (H01)."""
    tracked = rows.tracked.fill_null(False) | (rows.seats.fill_null(0) > 0)
    zero = {
        "active_days": 0.0,
        "duration_ms": 0,
        "active_users": 0,
        "active_users_before": 0,
        "key_features_used": 0,
        "key_events": 0,
        "sessions": 0,
    }
    rows = rows.mutate(
        {
            name: ibis.cases((tracked, rows[name].fill_null(value)))
            for name, value in zero.items()
        }
    )
    return rows.mutate(
        mrr_e4=rows.mrr_e4.fill_null(0), mrr_90d_e4=rows.mrr_90d_e4.fill_null(0)
    )


def _accounts(t: Inputs, q: Query) -> ir.Table:
    """One row per period and account known by then, with its beginnings."""
    stages = t.accounts.select("account_id", "lifecycle_stage")
    days = t.account_days
    seen = days.group_by("account_id").agg(first_day=days.date.min())
    rows = (
        t.onboarded()
        .left_join(seen, "account_id", rname="{name}_a")
        .left_join(stages, "account_id", rname="{name}_s")
        .select(
            "account_id", "began", "onboarded", "paid", "first_day", "lifecycle_stage"
        )
        .cross_join(t.ends.select("period_start", "last"))
    )
    rows = rows.mutate(
        tracked=rows.first_day <= rows["last"], has_paid=rows.paid <= rows["last"]
    )
    known = rows.filter(
        (rows.began.fill_null(rows["last"]) <= rows["last"])
        | rows.tracked.fill_null(False)
    )
    return t.split(known.mutate(date=known["last"])).drop("date")


def _usage(t: Inputs, q: Query) -> ir.Table:
    days = t.in_periods(active_user_days(t))
    days = days.filter(days.account_id.notnull())
    users = days.group_by(["period_start", "account_id", "user_id"]).agg(
        active=days.date.nunique(), duration_ms=days.duration_ms.sum()
    )
    return users.group_by(["period_start", "account_id"]).agg(
        active_users=users.count(),
        active_days=users.active.cast("float64").median(),
        duration_ms=users.duration_ms.sum(),
    )


def _users_before(t: Inputs) -> ir.Table:
    days = t.in_periods(active_user_days(t), t.trailing(WINDOW, skip=WINDOW))
    return days.group_by(["period_start", "account_id"]).agg(
        active_users_before=days.user_id.nunique()
    )


def _key_features(t: Inputs, q: Query) -> ir.Table:
    keys = t.features.filter(t.features.is_key.fill_null(False))
    days = t.in_periods(t.feature_days).semi_join(keys, "feature_id")
    return days.group_by(["period_start", "account_id"]).agg(
        key_features_used=days.feature_id.nunique(), key_events=days.uses.sum()
    )


def _entitled(t: Inputs) -> ir.Table:
    """Key features an account may use on a day of the window."""
    keys = t.features.filter(t.features.is_key.fill_null(False)).select(
        "feature_id", "released_at"
    )
    spans = t.ends.select("period_start", "low", "high")
    keys = keys.cross_join(spans)
    keys = keys.filter(keys.released_at.isnull() | (keys.released_at < keys.high))
    grants = t.entitlements.select("account_id", "feature_id", "starts_at", "ends_at")
    granted = keys.join(grants, "feature_id")
    live = (granted.starts_at.isnull() | (granted.starts_at < granted.high)) & (
        granted.ends_at.isnull() | (granted.ends_at > granted.low)
    )
    columns = ["period_start", "account_id", "feature_id"]
    granted = granted.filter(live).select(columns).distinct()
    everyone = t.account_ids()
    open_to_all = (
        keys.anti_join(grants, "feature_id").cross_join(everyone).select(columns)
    )
    both = granted.union(open_to_all)
    return both.group_by(["period_start", "account_id"]).agg(key_features=both.count())


def _sessions(t: Inputs, q: Query) -> ir.Table:
    rows = closed_sessions(t, q)
    return rows.group_by(["period_start", "account_id"]).agg(sessions=rows.count())


def _seats(t: Inputs) -> ir.Table:
    ledger = t.seat_ledger.cross_join(t.ends.select("period_start", "last"))
    live = (ledger.date_from <= ledger["last"]) & (
        ledger.date_to.isnull() | (ledger.date_to > ledger["last"])
    )
    return ledger.filter(live).select("period_start", "account_id", "seats")


def _money(t: Inputs, q: Query) -> ir.Table:
    """MRR now and 90 days before, at the rates of now (constant currency)."""
    now = priced_ledger(t, q)
    now = now.group_by(["period_start", "account_id"]).agg(mrr_e4=now.amount.sum())
    then = priced_ledger(t, q, days_before=MRR_DAYS)
    then = then.group_by(["period_start", "account_id"]).agg(
        mrr_90d_e4=then.amount.sum()
    )
    keys = ["period_start", "account_id"]
    every = now.select(keys).union(then.select(keys), distinct=True)
    return (
        every.left_join(now, keys, rname="{name}_n")
        .left_join(then, keys, rname="{name}_t")
        .select(*keys, "mrr_e4", "mrr_90d_e4")
    )


def user_measures(t: Inputs, q: Query) -> ir.Table:
    """One row per period, account and active user: what a user's health is made of.

    Frequency and depth only; breadth and growth are of accounts (H01).
    """
    keys = ["period_start", "account_id", "user_id"]
    days = t.in_periods(active_user_days(t))
    days = days.filter(days.account_id.notnull())
    rows = days.group_by(keys).agg(
        active_days=days.date.nunique().cast("float64"),
        duration_ms=days.duration_ms.sum(),
    )
    key = t.features.filter(t.features.is_key.fill_null(False))
    uses = t.in_periods(t.feature_days).semi_join(key, "feature_id")
    uses = uses.group_by(keys).agg(
        key_features_used=uses.feature_id.nunique(), key_events=uses.uses.sum()
    )
    sessions = closed_sessions(t, q)
    counted = sessions.group_by(keys).agg(sessions=sessions.count())
    rows = rows.left_join(uses, keys, rname="{name}_r").left_join(
        counted, keys, rname="{name}_c"
    )
    rows = rows.left_join(
        _entitled(t), ["period_start", "account_id"], rname="{name}_e"
    )
    none = ibis.null("int64")
    return rows.select(
        *keys,
        "active_days",
        "duration_ms",
        key_features_used=rows.key_features_used.fill_null(0),
        key_features="key_features",
        key_events=rows.key_events.fill_null(0),
        sessions=rows.sessions.fill_null(0),
        active_users=ibis.literal(1, "int64"),
        active_users_before=none,
        seats=none,
        mrr_e4=none,
        mrr_90d_e4=none,
        is_live=ibis.literal(value=True),
        is_onboarding=ibis.literal(value=False),
    )
