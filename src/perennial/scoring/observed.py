"""What accounts did in the time before a day: what models learn from, and judge by.

A case is an account and a window of local days `[since, until)`; the tables given
here have the columns case, account_id, since, until. Only what was known before
`until` counts. Months are 30 days long and counted back from `until`, the last is 0.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from perennial.metrics.activity import active_user_days
from perennial.metrics.inputs import Inputs

MONTH_DAYS = 30


def feature_uses(t: Inputs, cases: ir.Table, *, ahead_days: int = 0) -> ir.Table:
    """One row per case, feature and month with uses: case, feature_id, month, uses.

    With `ahead_days`, months −1 and so on go beyond `until` that far: they are for
    looking back at, never for judging by.
    """
    within = _within(t.feature_days, cases, ahead_days)
    uses = within.group_by(["case", "feature_id", "month"]).agg(uses=within.uses.sum())
    return uses.filter(uses.uses > 0)


def late_uses(late: ir.Table, cases: ir.Table) -> ir.Table:
    """Of those, uses before `until` that were heard of only from then on: as
    `feature_uses`, to be taken off it (a decision may have caused them).

    `late` are events of `Inputs.late_events`.
    """
    within = _within(late.filter(late.feature_id.notnull()), cases, 0)
    known = within.filter(within.received_on >= within.until)
    return known.group_by(["case", "feature_id", "month"]).agg(uses=known.count())


def activity(t: Inputs, cases: ir.Table, late: ir.Table | None = None) -> ir.Table:
    """One row per case with activity: active_users, active_days (of the account),
    minutes, and last_day, the last day anybody came (since ever, not only within).

    A day of a user of which some event was heard only from `until` on (`late`, as
    above) is left out whole: its minutes are not known apart.
    """
    days = active_user_days(t)
    days = days.filter(days.account_id.notnull())
    joined = _before(days, cases)
    if late is not None:
        day = ["account_id", "user_id", "date"]
        heard = late.group_by(day).agg(received_on=late.received_on.max())
        joined = joined.left_join(heard, day, rname="{name}_l")
        was_known = joined.received_on.isnull() | (joined.received_on < joined.until)
        joined = joined.filter(was_known)
    inside = joined.date >= joined.since
    return joined.group_by("case").agg(
        active_users=joined.user_id.nunique(where=inside),
        active_days=joined.date.nunique(where=inside),
        duration_ms=joined.duration_ms.sum(where=inside).fill_null(0),
        last_day=joined.date.max(),
    )


def seats(t: Inputs, cases: ir.Table) -> ir.Table:
    """One row per case with seats on the last day before `until`: case, seats."""
    ledger = t.seat_ledger.join(cases, "account_id")
    held = ledger.filter(
        (ledger.date_from < ledger.until)
        & (ledger.date_to.isnull() | (ledger.date_to >= ledger.until))
    )
    return held.select("case", "seats")


def beginnings(t: Inputs, cases: ir.Table) -> ir.Table:
    """One row per case: first_day (of any activity), paid (first paid day), created."""
    days = t.everything("account_days")
    seen = days.group_by("account_id").agg(first_day=days.date.min())
    known = t.accounts.select(
        "account_id", created=t.local_date(t.accounts.created_at), plan="plan"
    )
    rows = (
        cases.left_join(seen, "account_id", rname="{name}_s")
        .left_join(t.first_paid(), "account_id", rname="{name}_p")
        .left_join(known, "account_id", rname="{name}_k")
    )
    return rows.select("case", "first_day", "paid", "created", "plan")


def tickets(t: Inputs, cases: ir.Table) -> ir.Table:
    """One row per case with tickets: opened within the window, open when it ended."""
    rows = t.facts("tickets", at="opened_at")
    rows = rows.filter(~rows.is_spam.fill_null(False) & rows.merged_into.isnull())
    over = t.local_date(rows.solved_at.coalesce(rows.closed_at))
    joined = _before(rows.select("account_id", "date", over=over), cases)
    still = joined.over.isnull() | (joined.over >= joined.until)
    return joined.group_by("case").agg(
        opened=(joined.date >= joined.since).cast("int64").sum(),
        unsolved=still.cast("int64").sum(),
    )


def voice(t: Inputs, cases: ir.Table) -> ir.Table:
    """One row per case with NPS answers before `until`: nps, the mean of the latest
    day's scores (0 to 10)."""
    rows = t.facts("survey_responses", at="answered_at")
    rows = rows.filter((rows.kind == "nps") & rows.account_id.notnull())
    joined = _before(rows.select("account_id", "date", "score"), cases)
    latest = joined.group_by("case").agg(last=joined.date.max())
    newest = joined.join(latest, "case")
    newest = newest.filter(newest.date == newest["last"])
    return newest.group_by("case").agg(
        nps_sum=newest.score.sum(), nps_n=newest.score.count()
    )


def _within(rows: ir.Table, cases: ir.Table, ahead_days: int) -> ir.Table:
    """Dated rows with each case whose window they fall in, and the month."""
    joined = rows.join(cases, "account_id")
    end = (joined.until + ibis.interval(days=ahead_days)).cast("date")
    joined = joined.filter((joined.date >= joined.since) & (joined.date < end))
    ago = joined.until.delta(joined.date, unit="day").cast("int64")
    # Whole months, rounded down on both sides of `until`: 1 to 30 days before is 0.
    month = (ago - 1 + MONTH_DAYS * 100) // MONTH_DAYS - 100
    return joined.mutate(month=month.cast("int64"))


def _before(rows: ir.Table, cases: ir.Table) -> ir.Table:
    joined = rows.join(cases, "account_id")
    return joined.filter(joined.date < joined.until)
