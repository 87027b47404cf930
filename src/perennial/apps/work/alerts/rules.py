"""What alerts are about: each rule in one place, as a condition over all accounts.

A rule is pure: a frame of accounts in (see `watch.accounts`), a condition and the
numbers it rests on out. What it says in words stands in `words`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from perennial.apps.customers import reasons
from perennial.apps.customers.account import DETRACTOR, FULL
from perennial.apps.work.models import Priority
from perennial.core.windows import DAY, day_start, zone

#: A change of color is news for this long.
NEWS_DAYS = 14
#: Where events of the whole workspace are missing: an alert of no account.
INCIDENT = "incident"

Condition = Callable[["Day", float], pl.Expr]


@dataclass(frozen=True)
class Day:
    """The local day that rules speak of, in the workspace's zone."""

    as_of: date
    timezone: str

    def since(self, days: float) -> pl.Expr:
        """The instant that many days before."""
        start = day_start(self.as_of - timedelta(days=int(days)), zone(self.timezone))
        return pl.lit(start)

    @property
    def to_renewal(self) -> pl.Expr:
        """Days until the renewal; null without one."""
        return (pl.col("renewal_on") - pl.lit(self.as_of)).dt.total_days()


@dataclass(frozen=True)
class Rule:
    """`threshold` is None where a rule has no number to set; `facts` are columns.

    `kind` says how a threshold reads: days, a share (0 to 1), or points.
    """

    key: str
    title: str | Promise
    description: str | Promise
    priority: Priority
    holds: Condition
    facts: tuple[str, ...]
    threshold: float | None = None
    kind: str = "days"
    is_on: bool = True


_RISKY = pl.col("health_color").is_in(["red", "orange"])
_USE = pl.col("active_users") / pl.col("seats")
_SEATS = pl.col("seats") >= reasons.SEATS_ENOUGH


def _worsened(day: Day, _most: float) -> pl.Expr:
    lately = pl.col("turned_on") > pl.lit(day.as_of - DAY * NEWS_DAYS)
    return _RISKY & pl.col("turned_to").is_in(["red", "orange"]) & lately


def _renewal_at_risk(day: Day, days: float) -> pl.Expr:
    """Not where it would hold because other rules recolored the account, its renewal
    being near already: nothing happened to the customer (P05)."""
    since = (pl.col("renewal_on") - pl.col("recolored_on")).dt.total_days()
    is_new = ~(since <= days).fill_null(value=False)
    return _RISKY & day.to_renewal.is_between(0, days) & is_new


def _renewal_ahead(day: Day, days: float) -> pl.Expr:
    return ~_RISKY.fill_null(value=False) & day.to_renewal.is_between(0, days)


def _no_usage(day: Day, days: float) -> pl.Expr:
    return pl.col("last_seen_at") < day.since(days)


def _usage_fell(_day: Day, share: float) -> pl.Expr:
    before = pl.col("logins_14d_before")
    now = pl.col("logins_14d").fill_null(0)
    return (before >= reasons.LOGINS_ENOUGH) & (now > 0) & (1 - now / before >= share)


def _seats_full(_day: Day, share: float) -> pl.Expr:
    return _SEATS & (share <= _USE) & ~_RISKY.fill_null(value=False)


def _seats_idle(day: Day, share: float) -> pl.Expr:
    soon = day.to_renewal.is_between(0, 180)
    return _SEATS & (share > _USE) & soon & (pl.col("health_status") != "onboarding")


def _seats_level(day: Day, days: float) -> pl.Expr:
    is_level = pl.col("seat_signal") == "plateau"
    return (
        is_level & day.to_renewal.is_between(0, days) & ~_RISKY.fill_null(value=False)
    )


def _detractor(day: Day, score: float) -> pl.Expr:
    lately = pl.col("nps_at") >= day.since(reasons.DETRACTOR_DAYS)
    return (pl.col("nps_score") <= score) & lately


def _stalled(_day: Day, days: float) -> pl.Expr:
    return pl.col("step_days") >= days


def _urgent_tickets(_day: Day, count: float) -> pl.Expr:
    return pl.col("urgent_tickets") >= count


def _goal_overdue(_day: Day, days: float) -> pl.Expr:
    return pl.col("goal_days") >= days


def _champion_gone(_day: Day, _most: float) -> pl.Expr:
    return pl.col("champion").is_not_null()


RULES: tuple[Rule, ...] = (
    Rule(
        "renewal_at_risk",
        _("Renewal at risk"),
        _("Red or orange, and the renewal is near."),
        Priority.HIGH,
        _renewal_at_risk,
        ("health_color", "to_renewal"),
        threshold=90,
    ),
    Rule(
        "worsened",
        _("Health turned"),
        _("The score moved into red or orange, and stayed or went far."),
        Priority.NORMAL,
        _worsened,
        ("turned_from", "turned_to", "turned_on"),
    ),
    Rule(
        "no_usage",
        _("No usage"),
        _("Nobody has logged in for some days."),
        Priority.HIGH,
        _no_usage,
        ("last_seen_at",),
        threshold=14,
    ),
    Rule(
        "usage_fell",
        _("Usage fell"),
        _("Log-ins of two weeks, compared with the account's own two weeks before."),
        Priority.NORMAL,
        _usage_fell,
        ("logins_14d", "logins_14d_before"),
        threshold=0.4,
        kind="share",
    ),
    Rule(
        "urgent_tickets",
        _("Urgent tickets"),
        _("So many urgent or high tickets are open at once."),
        Priority.NORMAL,
        _urgent_tickets,
        ("urgent_tickets",),
        threshold=2,
        kind="count",
    ),
    Rule(
        "detractor",
        _("NPS detractor"),
        _("The last NPS answer of 30 days is this or lower."),
        Priority.NORMAL,
        _detractor,
        ("nps_score", "nps_at"),
        threshold=float(DETRACTOR),
        kind="points",
    ),
    Rule(
        "champion_gone",
        _("Champion left"),
        _("A champion no longer uses the product, or has no seat any more."),
        Priority.HIGH,
        _champion_gone,
        ("champion",),
    ),
    Rule(
        "onboarding_stalled",
        _("Onboarding stands still"),
        _("No step of onboarding was completed for some days."),
        Priority.NORMAL,
        _stalled,
        ("step_done", "step_of", "step_days"),
        threshold=float(reasons.STALLED_DAYS),
    ),
    Rule(
        "goal_overdue",
        _("Goal overdue"),
        _("A goal of the customer was not reached when it was due."),
        Priority.NORMAL,
        _goal_overdue,
        ("goal", "goal_days"),
        threshold=1,
    ),
    Rule(
        "seats_full",
        _("Ready to expand"),
        _("This share of the seats is in use, and the account is well."),
        Priority.LOW,
        _seats_full,
        ("active_users", "seats"),
        threshold=FULL,
        kind="share",
    ),
    Rule(
        "seats_idle",
        _("Seats unused before renewal"),
        _("Less than this share of the seats in use, 180 days or less before renewal."),
        Priority.LOW,
        _seats_idle,
        ("active_users", "seats", "to_renewal"),
        threshold=0.4,
        kind="share",
    ),
    Rule(
        "seats_level",
        _("Seats stagnate"),
        _("As many seats in use for months, nothing wrong, and the renewal is near."),
        Priority.LOW,
        _seats_level,
        ("active_users", "seats", "to_renewal"),
        threshold=90,
    ),
    Rule(
        "renewal_ahead",
        _("Renewal ahead"),
        _("The renewal is near, and nothing is wrong."),
        Priority.LOW,
        _renewal_ahead,
        ("to_renewal",),
        threshold=30,
    ),
)
BY_KEY: Mapping[str, Rule] = {rule.key: rule for rule in RULES}
