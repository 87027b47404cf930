"""What of the product is used, and by how many: U04 and U05 of the reference."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from perennial.metrics.activity import active_user_days
from perennial.metrics.dimensions import IDS
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import USER_DIMENSIONS, metric

FEATURE_DIMENSIONS = (*USER_DIMENSIONS, "feature")
#: Features on a page: bits of a whole number, without its sign.
_BITS = 62


@metric(
    title="Feature uses",
    theme="usage",
    unit="count",
    formula="events whose definition maps to a feature",
    example="reports opened 3 times by Ann and once by Bo, who also signed in twice: 3 + 1 = 4",
    source="U04",
    reads=("feature_days",),
    dimensions=FEATURE_DIMENSIONS,
    empty=0,
    ratios=("per_active_user", "per_active_day"),
    entity="account",
    variants={
        "total": "all uses",
        "per_active_user": "uses of an average active user",
        "per_active_day": "uses on an average active day of a user",
    },
    caveats="Rates are over everybody who was active, whether they used the feature or not.",
)
def feature_uses(t: Inputs, q: Query) -> ir.Table:
    """Uses of features in the period; log-ins, page views and billing are none."""
    days = t.in_periods(t.feature_days)
    counted = days.group_by(q.keys).agg(numerator=days.uses.sum())
    if q.variant == "total":
        return counted.mutate(denominator=ibis.null("int64"), n=counted.numerator)
    keys = _without_feature(q)
    active = t.in_periods(active_user_days(t))
    columns = [*keys, "user_id", *(["date"] if q.variant == "per_active_day" else [])]
    present = active.select(columns).distinct()
    users = present.group_by(keys).agg(denominator=present.count())
    if "feature" in q.by:
        joined = counted.inner_join(users, keys)
    else:  # people who were active without using any feature count too
        joined = users.left_join(counted, keys, rname="{name}_u")
    return joined.select(
        *q.keys,
        numerator=joined.numerator.fill_null(0),
        denominator=joined.denominator,
        n=joined.denominator,
    )


@metric(
    title="Feature adoption",
    theme="usage",
    unit="ratio",
    formula="eligible active users who used the feature / eligible active users",
    example="Ann uses it 3 times, Bo once, Cy never, Di may not use it: 2 / 3 = 0.667",
    source="U05",
    reads=("feature_days",),
    dimensions=FEATURE_DIMENSIONS,
    window_days=30,
    variants={
        "trial": "users with at least one use",
        "habit": "users with uses on two days or more",
        "account_trial": "accounts with at least one such user",
        "account_habit": "accounts with a user on two days or more",
    },
    caveats="Without a feature named, features are pooled: every eligible pair of user and feature counts.",
)
def feature_adoption(t: Inputs, q: Query) -> ir.Table:
    """Share of the active users entitled to a feature who use it, 0 to 1."""
    # An account that is asked for is not carried a second time: pairs are many.
    place = [*(k for k in _without_feature(q) if k != "account"), "account_id"]
    active = t.in_periods(active_user_days(t))
    active = active.filter(active.account_id.notnull())
    active = active.select([*place, "user_id"]).distinct()
    heard = t.in_periods(t.whole.feature_days).select("period_start", "feature_id")
    heard = heard.distinct()
    numbers = _numbered(heard)
    adopted = _adopted(t, q, place, numbers)
    open_ = _open(t, active.select(place).distinct(), heard)
    asked = {name: open_[IDS[name]] for name in ("feature", "account") if name in q.by}
    open_ = open_.mutate(**asked)
    if q.variant.startswith("account"):
        adopted = adopted.semi_join(active, [*place, "user_id"])
        rows = _of_accounts(_each(adopted, numbers), open_, place)
    else:
        rows = _of_users(q, active, adopted, numbers, open_, place)
    return rows.group_by(q.keys).agg(
        numerator=rows.took.sum(), denominator=rows.could.sum(), n=rows.could.sum()
    )


def _open(t: Inputs, holders: ir.Table, heard: ir.Table) -> ir.Table:
    """One row per holder and feature open to them.

    A feature nobody told of is there in the periods it is `heard` of in.
    """
    told = t.features.select("feature_id").union(
        t.entitlements.select("feature_id"), distinct=True
    )
    others = holders.join(heard.anti_join(told, "feature_id"), "period_start")
    columns = [*holders.columns, "feature_id"]
    return entitled(t, holders, told).union(t.filtered_features(others.select(columns)))


def _adopted(t: Inputs, q: Query, place: list[str], numbers: ir.Table) -> ir.Table:
    """Features with as many days of use as it takes, by account and user: `page` and
    `mask`, as `_numbered`.

    Pairs of user and feature are many times as many as users, and by the month hardly
    fewer than rows: bits of one number are put together three times as quickly.
    """
    needed = q.settings.adoption_habit_days if q.variant.endswith("habit") else 1
    uses = t.in_periods(t.feature_days)
    uses = uses.filter((uses.uses > 0) & uses.user_id.notnull())
    person = [*place, "user_id"]
    if needed > 1:  # There is one row a day of use.
        days = uses.group_by([*person, "feature_id"]).agg(days=uses.count())
        uses = days.filter(days.days >= needed)
    bits = uses.join(numbers, "feature_id")
    return bits.group_by([*person, "page"]).agg(mask=bits.bit.bit_or())


def _numbered(heard: ir.Table) -> ir.Table:
    """Each feature that is used with a `bit` of its own, on a `page` of them."""
    one = heard.select("feature_id").distinct()
    nth = ibis.row_number().over(order_by=one.feature_id)
    one = one.mutate(page=nth // _BITS, place=nth % _BITS)
    bits = {"place": list(range(_BITS)), "bit": [1 << n for n in range(_BITS)]}
    return one.join(ibis.memtable(bits), "place").drop("place")


def _each(adopted: ir.Table, numbers: ir.Table) -> ir.Table:
    """Rows of `_adopted` by feature."""
    pairs = adopted.join(numbers, "page")
    return pairs.filter((pairs.mask & pairs.bit) != 0).drop("page", "mask", "bit")


def _of_accounts(adopted: ir.Table, open_: ir.Table, place: list[str]) -> ir.Table:
    """Accounts by feature open to them: `could` (1), `took` (1 or 0)."""
    took = adopted.select(*place, "feature_id", took=1).distinct()
    rows = open_.left_join(took, [*place, "feature_id"], rname="{name}_t")
    return rows.mutate(could=1, took=rows.took.fill_null(0))


def _of_users(
    q: Query,
    active: ir.Table,
    adopted: ir.Table,
    numbers: ir.Table,
    open_: ir.Table,
    place: list[str],
) -> ir.Table:
    """Users by feature open to them: how many `could` use it, how many `took` to it.

    Nearly all users are in one account, where they are counted by account; only the
    others are paired with features, so that each counts once.
    """
    group = place if "account" in q.by else _without_feature(q)
    person, feature = [*group, "user_id"], [*place, "feature_id"]
    counted = active.group_by(person).agg(accounts=active.count())
    active = active.join(counted, person)
    adopted = adopted.join(active, [*place, "user_id"])
    lone = active.filter(active.accounts == 1)
    lone_took = _each(adopted.filter(adopted.accounts == 1), numbers)
    could = lone.group_by(place).agg(could=lone.count())
    took = lone_took.group_by(feature).agg(took=lone_took.count())
    rows = open_.left_join(could, place, rname="{name}_c").left_join(
        took, feature, rname="{name}_t"
    )
    several = active.filter(active.accounts > 1)
    also_took = _each(adopted.filter(adopted.accounts > 1), numbers)
    pairs = several.join(open_, place, rname="{name}_o").left_join(
        also_took.mutate(took=1), [*feature, "user_id"], rname="{name}_t"
    )
    each = pairs.group_by(list(dict.fromkeys([*q.keys, "user_id", "feature_id"]))).agg(
        took=pairs.took.fill_null(0).max()
    )
    return rows.select(
        *q.keys, could=rows.could.fill_null(0), took=rows.took.fill_null(0)
    ).union(
        each.select(
            *q.keys, could=ibis.literal(1, "int64"), took=each.took.cast("int64")
        )
    )


def _without_feature(q: Query) -> list[str]:
    return [key for key in q.keys if key != "feature"]


def entitled(t: Inputs, holders: ir.Table, features: ir.Table) -> ir.Table:
    """One row per holder (period_start, account_id, …) and feature open to them.

    Open is what was granted and released on a day of the period; a feature without
    any entitlement is everybody's (settled point 7). Conditions on features hold.
    """
    keys = holders.columns
    holders = holders.join(t.ends.select("period_start", "low", "high"), "period_start")
    grants = t.entitlements
    granted = holders.join(grants.drop("properties"), "account_id")
    granted = granted.semi_join(features, "feature_id")
    live = (granted.starts_at.isnull() | (granted.starts_at < granted.high)) & (
        granted.ends_at.isnull() | (granted.ends_at > granted.low)
    )
    columns = [*keys, "feature_id", "high"]
    granted = granted.filter(live).select(columns).distinct()
    open_to_all = features.anti_join(grants, "feature_id")
    everyone = holders.cross_join(open_to_all).select(columns)
    both = granted.union(everyone)
    released = t.features.select("feature_id", "released_at")
    both = both.left_join(released, "feature_id", rname="{name}_r")
    out = both.filter(both.released_at.isnull() | (both.released_at < both.high))
    return t.filtered_features(out.select([*keys, "feature_id"]))
