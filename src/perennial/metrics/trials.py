"""Who starts for free and pays later: A03 of the reference."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from perennial.core.money import SCALE
from perennial.core.windows import DAY
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import ACCOUNT_DIMENSIONS, metric

#: A full refund so soon after the conversion undoes it.
_REFUND_DAYS = 30
#: Statuses of a subscription item that is not live.
_ENDED = (
    "canceled", "cancelled", "incomplete", "incomplete_expired", "unpaid", "ended",
)  # fmt: skip


@metric(
    title="Free to paid",
    theme="onboarding",
    unit="ratio",
    formula="accounts that paid within 30 days of starting a trial (90 of a free plan) / accounts that started so long ago",
    example="of 4 trials that are over two paid within 30 days: 2 / 4 = 0.5",
    source="A03",
    reads=("subscription_items",),
    also_reads=("payments",),
    dimensions=(*ACCOUNT_DIMENSIONS, "kind", "last_step"),
    window_days=180,
    variants={
        "gross": "all that paid",
        "net": "without those that got all of it back within 30 days",
    },
    params={
        "days": "days an account has to pay; else the settings `trial_days` and `freemium_days`",
        "flow": "onboarding flow that `last_step` is of; else the furthest step in any flow",
    },
    caveats="An account counts once, from its first trial or free plan, when its days to pay are over. Whoever paid before, or bought at once, is left out. `kind` is trial or freemium, `last_step` how far its onboarding had got.",
)
def free_to_paid(t: Inputs, q: Query) -> ir.Table:
    """Share of the accounts that start for free and become paying customers."""
    accounts = _decided(t, q)
    if "last_step" in q.by:
        steps = _last_steps(t, q)
        accounts = accounts.left_join(steps, "account_id").drop("account_id_right")
    accounts = t.in_periods(t.split(accounts))
    converted = accounts.in_time
    if q.variant == "net":
        converted = converted & ~accounts.refunded
    return accounts.group_by(q.keys).agg(
        numerator=converted.cast("int64").sum(),
        denominator=accounts.count(),
        n=accounts.count(),
    )


def _decided(t: Inputs, q: Query) -> ir.Table:
    """One row per account whose days to pay are over: `date` it started, `kind`.

    `in_time` is whether it paid soon enough, `refunded` whether it got that back.
    """
    rows = _starts(t).left_join(t.first_paid(), "account_id", rname="{name}_p")
    rows = rows.filter(rows.paid.isnull() | (rows.paid >= rows.date))
    both = [
        _within(rows.filter(rows.kind == kind), q, q.count("days", days))
        for kind, days in (
            ("trial", q.settings.trial_days),
            ("freemium", q.settings.freemium_days),
        )
    ]
    decided = ibis.union(*both)
    decided = decided.left_join(_refunded(t, decided), "account_id", rname="{name}_r")
    return decided.select(
        "account_id",
        "date",
        "kind",
        "in_time",
        refunded=decided.all_back.fill_null(False),
    )


def _within(rows: ir.Table, q: Query, days: int) -> ir.Table:
    mature = rows.filter(rows.date < q.horizon - DAY * days)
    last = (mature.date + ibis.interval(days=days)).cast("date")
    return mature.mutate(in_time=(mature.paid <= last).fill_null(False))


def _starts(t: Inputs) -> ir.Table:
    """One row per account that started for free: account_id, `date`, `kind`, `paid_at`.

    The first trial or live item without a price says when; an account known only
    by its stage, when it was created. What was bought at once is no start.
    """
    items = t.rows("subscription_items")
    unknown = items.is_trial.isnull()
    is_trial = items.is_trial.fill_null(items.status == "trialing").fill_null(False) | (
        unknown & (items.trial_end > items.valid_from).fill_null(False)
    )
    live = ~items.status.lower().fill_null("active").isin(_ENDED)
    licensed = items.usage_type.fill_null("licensed") != "metered"
    amount = items.mrr.cast("float64").fill_null(
        items.quantity.fill_null(1.0) * items.unit_amount.cast("float64")
        - items.discount.cast("float64").fill_null(0.0)
    )
    has_price = licensed & live & (amount > 0) & ~is_trial
    is_free = licensed & live & ~(amount > 0) & ~is_trial
    at = items.valid_from
    first = items.group_by("account_id").agg(
        trial=at.min(where=is_trial),
        free=at.min(where=is_free),
        priced=at.min(where=has_price),
    )
    far = ibis.literal("9999-12-31").cast(at.type())
    trial, free = first.trial.fill_null(far), first.free.fill_null(far)
    known = first.select(
        "account_id",
        "priced",
        at=ibis.least(trial, free),
        kind=ibis.ifelse(trial <= free, "trial", "freemium"),
    )
    known = known.filter(known["at"] < far)
    rows = known.union(_by_stage(t, known))
    rows = rows.filter(rows.priced.isnull() | (rows.priced > rows["at"]))
    return rows.select("account_id", "kind", date=t.local_date(rows["at"]))


def _by_stage(t: Inputs, known: ir.Table) -> ir.Table:
    """Accounts that are on trial or free by their stage, without an item that says so."""
    accounts = t.rows("accounts").anti_join(known, "account_id")
    stage = accounts.lifecycle_stage.lower()
    accounts = accounts.filter(
        stage.isin(["trial", "free", "freemium"]) & accounts.created_at.notnull()
    )
    return accounts.select(
        "account_id",
        priced=ibis.null(known.priced.type()),
        at="created_at",
        kind=ibis.ifelse(
            accounts.lifecycle_stage.lower() == "trial", "trial", "freemium"
        ),
    )


def _refunded(t: Inputs, decided: ir.Table) -> ir.Table:
    """Accounts that got back all they had paid by 30 days after they first paid."""
    converted = decided.filter(decided.in_time).select(
        "account_id", "paid", start="date"
    )
    payments = t.rows("payments")
    payments = payments.select(
        "account_id",
        currency=payments.currency.upper().fill_null(""),
        is_refund=(payments.kind == "refund").fill_null(False),
        day=t.local_date(payments.paid_at),
        amount=(payments.amount * SCALE).cast("int64").fill_null(0).abs(),
    )
    found = converted.join(payments, "account_id")
    wait = ibis.interval(days=_REFUND_DAYS)
    found = found.filter(
        (found.day >= found.start) & (found.day <= (found.paid + wait).cast("date"))
    )
    sums = found.group_by(["account_id", "currency"]).agg(
        back=found.amount.sum(where=found.is_refund).fill_null(0),
        paid_in=found.amount.sum(where=~found.is_refund).fill_null(0),
    )
    each = sums.group_by("account_id").agg(
        back=sums.back.sum(),
        kept=(sums.back < sums.paid_in).cast("int64").sum(),
    )
    return each.select("account_id", all_back=(each.back > 0) & (each.kept == 0))


def _last_steps(t: Inputs, q: Query) -> ir.Table:
    """One row per account: the furthest onboarding step anybody took, `last_step`."""
    rows = t.rows("onboarding_steps")
    if flow := q.params.get("flow"):
        rows = rows.filter(rows.flow == flow)
    rows = rows.filter(
        rows.account_id.notnull() & (t.local_date(rows.completed_at) < q.horizon)
    )
    order = ibis.window(
        group_by="account_id",
        order_by=[
            rows.position.fill_null(0).desc(),
            rows.completed_at.desc(),
            rows.step.desc(),
        ],
    )
    ranked = rows.mutate(place=ibis.row_number().over(order))
    last = ranked.filter(ranked.place == 0)
    return last.select("account_id", last_step="step")
