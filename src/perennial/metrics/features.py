"""What of the product is used, and by how many: U04 and U05 of the reference."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from perennial.metrics.activity import active_user_days
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import USER_DIMENSIONS, metric

FEATURE_DIMENSIONS = (*USER_DIMENSIONS, "feature")


@metric(
    title="Feature uses",
    theme="usage",
    unit="count",
    formula="events whose definition maps to a feature",
    source="U04",
    reads=("feature_days",),
    dimensions=FEATURE_DIMENSIONS,
    empty=0,
    entity="account",
)
def feature_uses(t: Inputs, q: Query) -> ir.Table:
    """Uses of features in the period; log-ins, page views and billing are none."""
    days = t.in_periods(t.feature_days)
    counted = days.group_by(q.keys).agg(numerator=days.uses.sum())
    return counted.mutate(denominator=ibis.null("int64"), n=counted.numerator)


@metric(
    title="Feature adoption",
    theme="usage",
    unit="ratio",
    formula="eligible active users who used the feature / eligible active users",
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
    entity = "account_id" if q.variant.startswith("account") else "user_id"
    needed = q.settings.adoption_habit_days if q.variant.endswith("habit") else 1
    keys = [*_without_feature(q), "feature_id"]
    uses = t.in_periods(t.feature_days)
    uses = uses.filter((uses.uses > 0) & uses.user_id.notnull())
    users = uses.group_by([*keys, "account_id", "user_id"]).agg(
        use_days=uses.date.nunique()
    )
    eligible = _eligible(t, q, users)
    pairs = eligible.left_join(
        users, [*keys, "account_id", "user_id"], rname="{name}_u"
    )
    adopted = pairs.group_by([*keys, entity]).agg(
        adopted=(pairs.use_days.fill_null(0) >= needed).cast("int64").max()
    )
    if "feature" in q.by:
        adopted = adopted.mutate(feature=adopted.feature_id)
    return adopted.group_by(q.keys).agg(
        numerator=adopted.adopted.sum(),
        denominator=adopted.count(),
        n=adopted.count(),
    )


def _without_feature(q: Query) -> list[str]:
    return [key for key in q.keys if key != "feature"]


def _eligible(t: Inputs, q: Query, used: ir.Table) -> ir.Table:
    """One row per period, active user, account and feature they are entitled to.

    A feature without any entitlement is everybody's (settled point 7); one that
    is not released yet is nobody's.
    """
    active = t.in_periods(active_user_days(t))
    if "feature" in active.columns:
        active = active.drop("feature")
    keys = [*_without_feature(q), "account_id", "user_id"]
    active = active.filter(active.account_id.notnull()).select(keys).distinct()
    spans = t.ends.select("period_start", "low", "high")
    active = active.join(spans, "period_start")
    grants = t.entitlements
    granted = active.join(grants.drop("properties"), "account_id")
    live = (granted.starts_at.isnull() | (granted.starts_at < granted.high)) & (
        granted.ends_at.isnull() | (granted.ends_at > granted.low)
    )
    columns = [*keys, "feature_id", "high"]
    granted = granted.filter(live).select(columns).distinct()
    known = t.features.select("feature_id").union(
        used.select("feature_id"), distinct=True
    )
    open_to_all = known.anti_join(grants, "feature_id")
    everyone = active.cross_join(open_to_all).select(columns)
    both = granted.union(everyone)
    released = t.features.select("feature_id", "released_at")
    both = both.left_join(released, "feature_id", rname="{name}_r")
    out = both.filter(both.released_at.isnull() | (both.released_at < both.high))
    return t.filtered_features(out.select([*keys, "feature_id"]))
