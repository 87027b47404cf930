"""Whether features are taken up, how soon, and kept: U06 to U08 of the reference."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from perennial.core.windows import DAY
from perennial.metrics import waits
from perennial.metrics.activity import active_user_days
from perennial.metrics.dimensions import NOTHING
from perennial.metrics.features import FEATURE_DIMENSIONS, entitled
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import metric

_FEATURES = ("feature_days",)


@metric(
    title="Key feature coverage",
    theme="usage",
    unit="ratio",
    formula="key features used / key features open to the account",
    example="A uses 2 of 3 key features, B, which may use 1, none: (2 + 0) / (3 + 1) = 0.5",
    source="U06",
    reads=_FEATURES,
    dimensions=FEATURE_DIMENSIONS,
    variants={
        "accounts": "of accounts, each with every key feature it may use",
        "users": "of active users, each with every key feature they may use",
    },
    caveats="Accounts that pay or may still come to pay count with nothing used; accounts that have left count only while they are active.",
)
def key_feature_coverage(t: Inputs, q: Query) -> ir.Table:
    """How many of the features that matter are used: of all pairs of an account and
    a key feature it may use, the share that was used in the period."""
    uses = t.in_periods(t.whole.feature_days)
    uses = uses.filter(uses.uses > 0)
    if q.variant == "users" or "user" in q.by:
        rows, holder = t.in_periods(active_user_days(t)), ["account_id", "user_id"]
    else:
        rows, holder = _live_accounts(t), ["account_id"]
    keys = [key for key in q.keys if key != "feature"]
    rows = rows.filter(rows.account_id.notnull())
    holders = rows.select(*dict.fromkeys([*keys, *holder])).distinct()
    key_features = t.features.filter(t.features.is_key.fill_null(False))
    pairs = entitled(t, holders, key_features.select("feature_id"))
    used = uses.select("period_start", *holder, "feature_id", used=1).distinct()
    pairs = pairs.left_join(
        used, ["period_start", *holder, "feature_id"], rname="{name}_u"
    )
    pairs = pairs.mutate(used=pairs.used.fill_null(0))
    if "feature" in q.by:
        pairs = pairs.mutate(feature=pairs.feature_id)
    return pairs.group_by(q.keys).agg(
        numerator=pairs.used.sum(),
        denominator=pairs.count(),
        n=pairs[holder[-1]].nunique(),
    )


def _live_accounts(t: Inputs) -> ir.Table:
    """One row per period and account that could have used the product in it.

    It pays at the end, or may still come to pay, or it was active.
    """
    last = t.ends.select("period_start", "last")
    stages = t.accounts.select("account_id", "lifecycle_stage")
    known = t.onboarded().left_join(stages, "account_id", rname="{name}_s")
    known = known.cross_join(last)
    ledger = t.whole.mrr_ledger.cross_join(last)
    pays = ledger.filter(
        (ledger.mrr_e4 > 0)
        & (ledger.date_from <= ledger["last"])
        & (ledger.date_to.isnull() | (ledger.date_to > ledger["last"]))
    )
    stage = known.lifecycle_stage.lower().fill_null("")
    may_come = (
        (known.began.isnull() | (known.began <= known["last"]))
        & (known.paid.isnull() | (known.paid > known["last"]))
        & ~stage.isin(["lead", "churned"])
    )
    days = t.in_periods(t.whole.account_days)
    active = days.filter((days.active_users > 0) | (days.events > 0))
    columns = ["period_start", "account_id"]
    every = known.filter(may_come).select(columns)
    for others in (pays, active):
        every = every.union(others.select(columns), distinct=True)
    dated = every.join(last, "period_start").rename(date="last")
    return t.split(dated)


@metric(
    title="Time to adopt",
    theme="product",
    unit="days",
    formula="days from a feature being open to a user to the first use; median over users, those still without use included (Kaplan-Meier)",
    example="first uses after 2, 4, 4 and 7 days, two others watched for 3 and 10: 4 days, as the share still without it falls to half then: (1 - 1 / 6) * (1 - 2 / 4) = 0.417",
    source="U07",
    reads=_FEATURES,
    dimensions=FEATURE_DIMENSIONS,
    good="down",
    window_days=90,
    entity="feature",
    conclude=waits.conclude,
    variants={
        "median": "median of all, whoever has not used it yet is still waiting",
        "adopters": "median of those who used it; too low, as it forgets the others",
    },
    caveats="A period has the users to whom the feature became open in it, followed up to now. Null where fewer than half have used it. Without a feature named, features are pooled.",
)
def time_to_adopt(t: Inputs, q: Query) -> ir.Table:
    """Days until a user uses a feature for the first time, from the day it is open:
    the user is there, the feature is released and the account entitled to it."""
    opened = _opened(t)
    low, high = _bounds(q)
    in_time = opened.filter((opened.date >= low) & (opened.date < high))
    # Of those only, whether it was open to them in another account before.
    opened = t.split(opened.semi_join(in_time, ["user_id", "feature_id"]))
    if "feature" in q.by:
        opened = opened.mutate(feature=opened.feature_id)
    who = [*q.by, *(c for c in ("user_id", "feature_id") if c not in q.by)]
    opened = opened.group_by(who).agg(date=opened.date.min(), until=opened.until.max())
    started = t.in_periods(opened)
    keys = [*_account(q), "user_id", "feature_id"]
    if "account" in q.by:
        started = started.mutate(account_id=started.account)
    uses = _feature_uses(t, q).semi_join(started, keys)
    first = uses.group_by(keys).agg(reached=uses.date.min())
    found = started.left_join(first, keys, rname="{name}_f")
    return waits.counted(q, found.select(*q.keys, "until", "reached", start="date"))


def _feature_uses(t: Inputs, q: Query) -> ir.Table:
    """Days of use of known users, up to the horizon; accounts are never null."""
    days = t.whole.feature_days
    days = days.filter(
        (days.uses > 0) & days.user_id.notnull() & (days.date < q.horizon)
    )
    return days.mutate(account_id=days.account_id.fill_null(NOTHING))


def _opened(t: Inputs) -> ir.Table:
    """One row per user, account and feature: `date` it was open from, `until` when.

    `until` is the last day the user is watched: the day before the horizon, or
    before the seat was lost.
    """
    people = _seated(t)
    known = t.features.select(
        "feature_id", released=t.local_date(t.features.released_at)
    )
    used = t.whole.feature_days.select("feature_id").distinct()
    grants = t.entitlements
    new = used.union(grants.select("feature_id"), distinct=True)
    new = new.anti_join(known, "feature_id")
    features = known.union(new.mutate(released=ibis.null("date")))
    ever = ibis.literal("1900-01-01").cast("date")
    granted = grants.mutate(since=t.local_date(grants.starts_at).fill_null(ever))
    granted = granted.group_by(["account_id", "feature_id"]).agg(
        since=granted.since.min()
    )
    own = people.join(granted, "account_id").join(features, "feature_id")
    everyone = people.cross_join(features.anti_join(grants, "feature_id"))
    columns = ["account_id", "user_id", "feature_id", "seen", "until", "released"]
    pairs = own.select(*columns, "since").union(everyone.select(*columns, since=ever))
    date = ibis.greatest(pairs.seen, pairs.since, pairs.released.fill_null(pairs.seen))
    pairs = pairs.select(
        "account_id", "user_id", "feature_id", "until", date=date.cast("date")
    )
    pairs = pairs.filter(pairs.date <= pairs.until)
    return t.filtered_features(pairs)


def _seated(t: Inputs) -> ir.Table:
    """One row per user and account: first `seen`, and `until`, the last day watched.

    Users without an account are there with none.
    """
    far = ibis.literal("9999-12-31").cast("date")
    seats = t.whole.assignments
    seats = seats.group_by(["account_id", "user_id"]).agg(
        since=seats.date_from.min(), until=seats.date_to.fill_null(far).max()
    )
    users = t.visible_users.select(
        "user_id", created=t.local_date(t.visible_users.created_at)
    )
    days = active_user_days(t.whole)
    active = days.group_by("user_id").agg(active=days.date.min())
    alone = users.anti_join(seats, "user_id").select(
        "user_id",
        account_id=ibis.null("string"),
        since=ibis.null("date"),
        until=far,
    )
    columns = ["account_id", "user_id", "since", "until"]
    people = seats.select(columns).union(alone.select(columns))
    people = people.left_join(users, "user_id", rname="{name}_u").left_join(
        active, "user_id", rname="{name}_a"
    )
    horizon = ibis.literal(t.query.horizon)
    until = ibis.least(people.until, horizon) - ibis.interval(days=1)
    seen = people.created.coalesce(people.active).coalesce(people.since)
    people = people.select("account_id", "user_id", seen=seen, until=until.cast("date"))
    return people.filter(people.seen.notnull())


@metric(
    title="Feature repeat rate",
    theme="product",
    unit="ratio",
    formula="users who used the feature again on another day within 30 days of the first / users who used it for the first time",
    example="used again after 3 and 10 days by two, after 31 days or never by three: 2 / 5 = 0.4",
    source="U08",
    reads=_FEATURES,
    dimensions=FEATURE_DIMENSIONS,
    window_days=90,
    entity="feature",
    variants={
        "repeat_30": "those who came back to it",
        "try_and_leave": "those who did not",
    },
    goods={"try_and_leave": "down"},
    params={"days": "how soon the second use must follow, 30 by default"},
    caveats="A period has the users whose first use fell in it at least 30 days ago; a use on the same day is no second one. Without a feature named, features are pooled.",
)
def feature_repeat_rate(t: Inputs, q: Query) -> ir.Table:
    """Whether those who try a feature come back to it: product health, which is not
    the health of customers."""
    days = q.count("days", 30)
    uses = _feature_uses(t, q)
    tried = t.in_periods(_first_uses(t, q, uses))
    tried = tried.filter(tried.date < q.horizon - DAY * days)
    until = (tried.date + ibis.interval(days=days)).cast("date")
    tried = tried.mutate(until=until)
    keys = [*_account(q), "user_id", "feature_id"]
    low, high = _bounds(q)
    again = uses.filter((uses.date > low) & (uses.date < high + DAY * days))
    again = again.select(*keys, used="date")
    came = tried.semi_join(
        again,
        [
            *(tried[key] == again[key] for key in keys),
            again.used > tried.date,
            again.used <= tried.until,
        ],
    )
    total = tried.group_by(q.keys).agg(tried=tried.count())
    back = came.group_by(q.keys).agg(back=came.count())
    rows = total.left_join(back, q.keys, rname="{name}_b")
    back_again = rows.back.fill_null(0)
    is_repeat = q.variant == "repeat_30"
    return rows.select(
        *q.keys,
        numerator=back_again if is_repeat else rows.tried - back_again,
        denominator=rows.tried,
        n=rows.tried,
    )


def _bounds(q: Query) -> tuple[date, date]:
    """The days `[low, high)` the periods are of; none where none is over."""
    return (q.span.start, q.span.end) if q.span else (q.today, q.today)


def _account(q: Query) -> list[str]:
    """People of several accounts are told apart by account only if that is asked."""
    return ["account_id"] if "account" in q.by else []


def _first_uses(t: Inputs, q: Query, uses: ir.Table) -> ir.Table:
    """One row per group, user and feature: `date`, the first day of use ever."""
    people = ["user_id", "feature_id"]
    low, high = _bounds(q)
    if {*q.by} <= {"feature"} and not q.where:
        # Cheaper than the first day of all that ever was.
        inside = uses.filter((uses.date >= low) & (uses.date < high))
        first = inside.group_by(people).agg(date=inside.date.min())
        first = first.anti_join(uses.filter(uses.date < low), people)
        return first.mutate(feature=first.feature_id)
    first = uses.group_by(["account_id", *people]).agg(date=uses.date.min())
    first = t.split(first)
    keys = [*q.by, *_account(q), *people]
    return first.group_by(keys).agg(date=first.date.min())
