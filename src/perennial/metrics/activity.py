"""Who is active, how often: U01, U09 and U10 of the reference."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from perennial.core.errors import BadValue
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import USER_DIMENSIONS, metric

_ACTIVE = ("user_days",)


def active_user_days(t: Inputs) -> ir.Table:
    """One row per (date, account, user) of known users with an activity event."""
    days = t.user_days
    return days.filter(days.user_id.notnull() & (days.events > 0))


def presence(t: Inputs, q: Query, within: Callable[[ir.Table], ir.Table]) -> ir.Table:
    """One row per group, user and day of activity that is `within`: `date`, and
    `previous_on`, the day before that one.

    Of everybody the roll-up knows it. In a group it is another day, found here.
    """
    if t.is_of_all:
        return within(t.presence)
    there = within(active_user_days(t))
    keys = [key for key in q.keys if key in there.columns]
    there = there.select(*keys, "user_id", "date").distinct()
    window = ibis.window(group_by=[*q.by, "user_id"], order_by="date")
    return there.mutate(previous_on=there.date.lag().over(window))


def daily_users(t: Inputs, q: Query) -> ir.Table:
    """One row per period: `users`, its daily active users added up over its days."""
    days = presence(t, q, t.in_periods)
    return days.group_by(q.keys).agg(users=days.count())


@metric(
    title="Daily active users",
    theme="usage",
    unit="count",
    formula="distinct users with an activity event on a day; over more days, the mean of the days",
    example="2 users on Monday, 4 on Tuesday, 3 on Wednesday: (2 + 4 + 3) / 3 = 3",
    source="U09",
    reads=_ACTIVE,
    dimensions=USER_DIMENSIONS,
    empty=0,
    window_days=1,
    entity="user",
)
def dau(t: Inputs, q: Query) -> ir.Table:
    """Users active on a local day. A period longer than a day has the mean of its
    days; a user in two accounts counts once, and once in each of them."""
    users = daily_users(t, q)
    joined = users.join(t.ends, "period_start")
    return joined.select(
        *q.keys, numerator=joined.users, denominator=joined.days, n=joined.users
    )


def period_users(t: Inputs, q: Query) -> ir.Table:
    """One row per period and group: `users`, everybody active in it.

    Of everybody: who was there for the first time in it.
    """
    if not t.is_of_all:
        days = t.in_periods(active_user_days(t))
        return days.group_by(q.keys).agg(users=days.user_id.nunique())
    days = t.in_periods(t.presence)
    before = days.previous_on
    is_first = before.isnull() | (before < days.period_start)
    return days.group_by(q.keys).agg(users=is_first.sum())


def rolling_users(
    t: Inputs, q: Query, width: int, marks: ir.Table | None = None
) -> ir.Table:
    """One row per period: users active in the `width` days up to its last day.

    With `marks` (period_start, last), one row per mark: days of the periods whose
    trailing counts are wanted instead. A user counts from a day of presence for
    `width` days, but for those that the presence before covers; adding up these steps
    gives every day's distinct count in one pass, where joining days with windows costs
    `width` times as much.
    """
    day = ibis.literal("1970-01-01").cast("date")
    longest = 0 if marks is None else max(period.days for period in q.periods)
    marks = t.ends if marks is None else marks
    there = presence(t, q, lambda rows: t.within_trailing(rows, width + longest))
    at = there.date.delta(day, unit="day")
    covered = (there.previous_on.delta(day, unit="day") + width).fill_null(at)
    steps = there.select(
        *q.by, at=ibis.greatest(at, covered), step=ibis.literal(1, "int64")
    ).union(there.select(*q.by, at=at + width, step=ibis.literal(-1, "int64")))
    steps = steps.group_by([*q.by, "at"]).agg(step=steps.step.sum())
    marks = marks.select("period_start", at=marks["last"].delta(day, unit="day"))
    if q.by:
        marks = marks.cross_join(steps.select(*q.by).distinct())
    columns = [*q.by, "at", "step", "mark", "period_start"]
    steps = steps.mutate(mark=ibis.literal(0, "int64"), period_start=ibis.null("date"))
    marks = marks.mutate(step=ibis.literal(0, "int64"), mark=ibis.literal(1, "int64"))
    line = steps.select(columns).union(marks.select(columns))
    # A mark comes after the steps of its own day.
    until = ibis.cumulative_window(group_by=list(q.by), order_by=["at", "mark"])
    line = line.mutate(users=line.step.sum().over(until))
    return line.filter(line["mark"] == 1).select(*q.keys, "users")


def _rolling(t: Inputs, q: Query, width: int) -> ir.Table:
    return _counted(q, rolling_users(t, q, width))


def _counted(q: Query, users: ir.Table) -> ir.Table:
    return users.select(
        *q.keys,
        numerator=users.users,
        denominator=ibis.null("int64"),
        n=users.users,
    )


@metric(
    title="Weekly active users",
    theme="usage",
    unit="count",
    formula="distinct users with an activity event in the 7 days up to the period's last day",
    example="Ann on all 7 days, Bo on one of them, Cy the day before them: 1 + 1 + 0 = 2",
    source="U09",
    reads=_ACTIVE,
    dimensions=USER_DIMENSIONS,
    empty=0,
    window_days="wau_days",
    entity="user",
    caveats="How many days it looks back is the setting `wau_days`.",
)
def wau(t: Inputs, q: Query) -> ir.Table:
    """Users active in the trailing 7 local days; a period has its last day's value."""
    return _rolling(t, q, q.settings.wau_days)


@metric(
    title="Monthly active users",
    theme="usage",
    unit="count",
    formula="distinct users with an activity event in the 30 days up to the period's last day",
    example="of 5 users, 3 were last seen within the 30 days: 1 + 1 + 1 + 0 + 0 = 3",
    source="U09",
    reads=_ACTIVE,
    dimensions=USER_DIMENSIONS,
    empty=0,
    window_days="mau_days",
    entity="user",
    variants={
        "rolling": "the 30 days up to the period's last day",
        "calendar": "the period itself",
    },
    caveats="How many days it looks back is the setting `mau_days`.",
)
def mau(t: Inputs, q: Query) -> ir.Table:
    """Users active in the trailing 30 local days; a period has its last day's value."""
    if q.variant == "calendar":
        return _counted(q, period_users(t, q))
    return _rolling(t, q, q.settings.mau_days)


@metric(
    title="Active accounts",
    theme="usage",
    unit="count",
    formula="distinct accounts with activity in the period",
    example="people of A and B were there, nobody of C: 1 + 1 + 0 = 2",
    source="U09",
    reads=_ACTIVE,
    empty=0,
    window_days="mau_days",
)
def active_accounts(t: Inputs, q: Query) -> ir.Table:
    """Accounts in which anybody was active during the period."""
    days = t.in_periods(t.user_days)
    days = days.filter(days.account_id.notnull() & (days.events > 0))
    counted = days.group_by(q.keys).agg(users=days.account_id.nunique())
    return _counted(q, counted)


@metric(
    title="Stickiness",
    theme="usage",
    unit="ratio",
    formula="mean daily active users of the period / distinct active users of the period",
    example="3 users, there on 30, 15 and 1 of 30 days: (30 + 15 + 1) / 30 / 3 = 0.511",
    source="U10",
    reads=_ACTIVE,
    dimensions=USER_DIMENSIONS,
    window_days="mau_days",
    entity="user",
    variants={
        "dau_mau": "mean of all days over the users of the period",
        "weekdays_only": "mean of Monday to Friday over the users of the period",
        "dau_wau": "mean daily over mean weekly active users of the period's days",
    },
)
def stickiness(t: Inputs, q: Query) -> ir.Table:
    """How much of a period's users come on an average day, 0 to 1 (DAU/MAU)."""
    if q.variant == "dau_wau":
        return _daily_over_weekly(t, q)
    users = period_users(t, q)
    counted, calendar = presence(t, q, t.in_periods), t.days
    if q.variant == "weekdays_only":
        counted = counted.filter(counted.date.day_of_week.index() < 5)
        calendar = calendar.filter(calendar.date.day_of_week.index() < 5)
    total = counted.group_by(q.keys).agg(day_users=counted.count())
    length = calendar.group_by("period_start").agg(days=calendar.count())
    joined = users.left_join(total, q.keys, rname="{name}_t").left_join(
        length, "period_start", rname="{name}_l"
    )
    mean = joined.day_users.fill_null(0).cast("float64") / joined.days.nullif(0)
    return joined.select(
        *q.keys, numerator=mean, denominator=joined.users, n=joined.users
    )


def _daily_over_weekly(t: Inputs, q: Query) -> ir.Table:
    each_day = t.days.select("period_start", last="date")
    weekly = rolling_users(t, q, q.settings.wau_days, each_day)
    weekly = weekly.group_by(q.keys).agg(users=weekly.users.sum())
    people = period_users(t, q).rename(people="users")
    joined = (
        weekly.left_join(daily_users(t, q), q.keys, rname="{name}_d")
        .left_join(people, q.keys, rname="{name}_p")
        .join(t.ends.select("period_start", "days"), "period_start")
    )
    return joined.select(
        *q.keys,
        numerator=joined.users_d.fill_null(0) / joined.days,
        denominator=joined.users / joined.days,
        n=joined.people.fill_null(0),
    )


@metric(
    title="Active days",
    theme="usage",
    unit="days",
    formula="active days of all users in the period / active users",
    example="users with 12, 6 and 3 active days: (12 + 6 + 3) / 3 = 7",
    source="U01",
    reads=_ACTIVE,
    dimensions=USER_DIMENSIONS,
    entity="user",
    variants={"mean": "mean over active users", "median": "median over active users"},
)
def active_days(t: Inputs, q: Query) -> ir.Table:
    """Distinct local days with activity, for an average active user."""
    days = t.in_periods(active_user_days(t))
    users = days.group_by([*q.keys, "user_id"]).agg(active=days.date.nunique())
    aggregates = {
        "numerator": users.active.sum(),
        "denominator": users.count(),
        "n": users.count(),
    }
    if q.variant == "median":
        aggregates["value"] = users.active.cast("float64").median()
    return users.group_by(q.keys).agg(**aggregates)


@metric(
    title="Usage frequency",
    theme="usage",
    unit="ratio",
    formula="users of a class / users with a seat for at least 14 days of the period",
    example="20, 16, 15, 3 and 0 active days of 28, so that two of five are daily: 2 / 5 = 0.4",
    source="U01",
    reads=_ACTIVE,
    also_reads=("mrr_ledger",),
    dimensions=USER_DIMENSIONS,
    makes=("class",),
    focus="daily",
    grains=("total", "month", "quarter", "year"),
    good="none",
    variants={
        "users": "share of users",
        "accounts": "share of customers: accounts that pay at the period's end",
    },
    params={"include_onboarding": "1: days before the end of onboarding count too"},
    caveats="Weeks are not classified: fewer than 14 days say nothing.",
)
def usage_frequency(t: Inputs, q: Query) -> ir.Table:
    """Share of daily, frequent, occasional and inactive users (column `class`).

    Classes are cut at 16, 4 and 1 active days in 28, scaled to the days each user
    had: from creation and the account's onboarding to the end of the membership.
    """
    is_of_accounts = q.variant == "accounts"
    entity = "account_id" if is_of_accounts else "user_id"
    people = _customers(t, q) if is_of_accounts else _eligible(t, q)
    days = t.in_periods(active_user_days(t))
    days = (
        days.filter(days[entity].notnull()).select(*q.keys, entity, "date").distinct()
    )
    keys = [*q.keys, entity]
    joined = people.left_join(days, keys, rname="{name}_d")
    inside = (joined.date >= joined.first) & (joined.date < joined.until)
    active = joined.group_by([*keys, "length"]).agg(
        active=inside.fill_null(False).cast("int64").sum()
    )
    length = active.length
    label = ibis.cases(
        (active.active >= _least(q.settings.freq_daily, length), "daily"),
        (active.active >= _least(q.settings.freq_frequent, length), "frequent"),
        (active.active >= 1, "occasional"),
        else_="inactive",
    )
    classed = active.filter(length >= q.settings.freq_min_days).mutate(
        **{"class": label}
    )
    counts = classed.group_by([*q.keys, "class"]).agg(numerator=classed.count())
    total = classed.group_by(q.keys).agg(denominator=classed.count())
    spread = total.cross_join(
        ibis.memtable({"class": ["daily", "frequent", "occasional", "inactive"]})
    )
    found = spread.left_join(counts, [*q.keys, "class"], rname="{name}_c")
    return found.select(
        *q.keys,
        "class",
        numerator=found.numerator.fill_null(0),
        denominator=found.denominator,
        n=found.denominator,
    )


def _least(per_28_days: int, length: ir.IntegerValue) -> ir.IntegerValue:
    """ceil(per_28_days · length / 28), in whole numbers."""
    return (per_28_days * length + 27) // 28


def _customers(t: Inputs, q: Query) -> ir.Table:
    """One row per period and account that pays at its end: first, until, length."""
    if "user" in q.by:
        raise BadValue("shares of accounts cannot be split by user")
    ledger = t.mrr_ledger.cross_join(t.ends)
    live = (ledger.date_from <= ledger["last"]) & (
        ledger.date_to.isnull() | (ledger.date_to > ledger["last"])
    )
    columns = dict.fromkeys([*q.keys, "account_id", "period_start", "last"])
    paying = ledger.filter(live & (ledger.mrr_e4 > 0)).select(*columns).distinct()
    rows = paying.join(t.onboarded(), "account_id")
    first = ibis.greatest(rows.period_start, rows.began.fill_null(rows.period_start))
    if not q.flag("include_onboarding"):
        first = ibis.greatest(first, rows.onboarded.fill_null(rows.period_start))
    rows = rows.mutate(
        first=first.cast("date"),
        until=(rows["last"] + ibis.interval(days=1)).cast("date"),
    )
    rows = rows.filter(rows["first"] < rows.until)
    length = rows.until.delta(rows["first"], unit="day")
    own = dict.fromkeys([*q.keys, "account_id", "first", "until"])
    return rows.select(*own, length=length)


def _eligible(t: Inputs, q: Query) -> ir.Table:
    """One row per period and user with a live seat: first, until, length."""
    seats = t.assignments
    onboarded = t.onboarded()
    people = t.users.select("user_id", user_created=t.local_date(t.users.created_at))
    rows = seats.join(onboarded, "account_id").left_join(
        people, "user_id", rname="{name}_u"
    )
    spans = t.ends.mutate(start=t.ends.period_start, stop=t.ends["last"])
    rows = rows.cross_join(spans)
    first = ibis.greatest(rows.start, rows.user_created.fill_null(rows.start))
    if not q.flag("include_onboarding"):
        first = ibis.greatest(first, rows.onboarded.fill_null(rows.start))
    first = ibis.greatest(first, rows.date_from.fill_null(rows.start))
    far = ibis.literal("9999-12-31").cast("date")
    until = ibis.least(
        rows.stop + ibis.interval(days=1), rows.date_to.fill_null(far)
    ).cast("date")
    rows = rows.mutate(first=first.cast("date"), until=until)
    rows = rows.filter(rows.first < rows.until)
    grouped = rows.group_by([*q.keys, "user_id"]).agg(
        first=rows["first"].min(), until=rows.until.max()
    )
    return grouped.mutate(length=grouped.until.delta(grouped["first"], unit="day"))
