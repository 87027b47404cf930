"""The books of a world, kept a second time: day by day, in plain Python.

What each account pays is read from its subscription items at the end of a day;
there are no ledgers, no runs and no engine here.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from typing import Any, NamedTuple

import pytest

from tests.metrics.plainly import AS_OF, BERLIN, DAY, DAYS, MONTHS, TODAY, Plain, Row
from tests.metrics.world import World

QUARTERS = {"start": "2025-10-01", "end": "2026-07-01", "grain": "quarter"}
TOTAL = {"start": "2025-11-11", "end": "2026-05-21"}
#: A span, and what it is split by.
Asked = tuple[dict[str, str], str]
BY_MONTH: Asked = (MONTHS, "segment")
BY_QUARTER: Asked = (QUARTERS, "")
#: The spans one number of a kind is asked for; the others only by month.
SPANS = (BY_MONTH, BY_QUARTER, (DAYS, ""), (TOTAL, "segment"), (AS_OF, ""))

#: A number, none, or that a rate or a month is missing.
Answer = float | None | str
INSUFFICIENT = "insufficient"
#: From accounts, the first day of a period, and the first one after it.
Computed = Callable[[list[str], date, date], Answer]

FAR = datetime(9999, 1, 1, tzinfo=UTC)
NEVER_PAID = {
    "canceled",
    "cancelled",
    "incomplete",
    "incomplete_expired",
    "unpaid",
    "ended",
}
MONTHS = {
    "day": 12 / 365,
    "week": 12 / 52,
    "month": 1,
    "quarter": 3,
    "half_year": 6,
    "year": 12,
}


class Item(NamedTuple):
    """One stretch of an item: instants, and 1/10,000 a month."""

    currency: str
    since: datetime
    until: datetime
    amount: int
    pause: tuple[datetime, datetime] | None
    is_past_due: bool


def midnight(day: date) -> datetime:
    """The first instant of a day in Berlin."""
    return datetime.combine(day, time.min, BERLIN).astimezone(UTC)


def month_of(day: date) -> date:
    return day.replace(day=1)


def month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def months_later(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def tenure(since: date, until: date) -> int:
    """Calendar months in parts of 1/31, a day being one."""
    return (
        31 * (12 * (until.year - since.year) + until.month - since.month)
        + until.day
        - since.day
    )


def half_up(value: float) -> int:
    return int(value + 0.5) if value >= 0 else -int(-value + 0.5)


class Books(Plain):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.level = cache(self._level)
        self.rest = cache(self._rest)
        self.rate = cache(self._rate)
        self.first_paid = cache(self._first_paid)
        self.lives = cache(self._lives)

    @cached_property
    def accounts(self) -> list[str]:
        """Everybody who has an item or a contract, but for tests."""
        rows = (*self.rows("subscription_items"), *self.rows("contracts"))
        return sorted({row["account_id"] for row in self.visible(rows)})

    @cached_property
    def items(self) -> Mapping[str, list[Item]]:
        histories: dict[tuple[str, str], dict[datetime, Row]] = defaultdict(dict)
        for row in self.rows("subscription_items"):
            key = (row["subscription_id"], row["item_id"] or "")
            histories[key][row["valid_from"]] = row
        found: dict[str, list[Item]] = defaultdict(list)
        for history in histories.values():
            rows = [history[at] for at in sorted(history)]
            due = None
            for row, following in zip(rows, [*rows[1:], None], strict=True):
                due = (
                    (due or row["valid_from"]) if row["status"] == "past_due" else None
                )
                item = self._item(row, following, due)
                if item is not None:
                    found[row["account_id"]].append(item)
        return found

    def _item(
        self, row: Row, following: Row | None, due: datetime | None
    ) -> Item | None:
        status = row["status"] or "active"
        if status in NEVER_PAID or row["usage_type"] == "metered":
            return None
        until = row["valid_to"] or (following["valid_from"] if following else FAR)
        if due is not None:
            until = min(until, due + timedelta(days=30))
        since = row["valid_from"]
        is_trial = status == "trialing" if row["is_trial"] is None else row["is_trial"]
        if is_trial:
            since = row["trial_end"] or FAR
        elif row["is_trial"] is None and row["trial_end"]:
            since = max(since, row["trial_end"])
        if row["mrr"] is not None:
            amount = float(row["mrr"])
        else:
            quantity = 1 if row["quantity"] is None else row["quantity"]
            gross = quantity * float(row["unit_amount"] or 0)
            interval = MONTHS[row["interval"] or "month"] * (row["interval_count"] or 1)
            amount = (gross - float(row["discount"] or 0)) / interval
        pause = (
            (row["paused_from"], row["paused_to"] or FAR)
            if row["paused_from"]
            else None
        )
        if status == "paused":
            pause = (row["valid_from"], FAR)
        currency = (row["currency"] or "EUR").upper()
        units = max(0, half_up(amount * 10_000))
        return Item(currency, since, until, units, pause, status == "past_due")

    def _level(self, account: str, day: date) -> dict[str, int]:
        """What it pays at the end of a day, by currency; none where nothing."""
        end = midnight(day + DAY)
        held: dict[str, int] = defaultdict(int)
        for item in self.items[account]:
            if item.since < end <= item.until and not _within(end, item.pause):
                held[item.currency] += item.amount
        return {currency: amount for currency, amount in held.items() if amount}

    def rests(self, account: str, day: date) -> set[str]:
        """Currencies in which it pays nothing because of a pause."""
        end = midnight(day + DAY)
        level = self.level(account, day)
        return {
            item.currency
            for item in self.items[account]
            if item.since < end <= item.until
            and _within(end, item.pause)
            and item.currency not in level
        }

    def _rest(self, account: str, day: date) -> bool:
        """Paused, for at most 90 days?"""
        for currency in self.rests(account, day):
            days = 1
            while days <= 90 and currency in self.rests(account, day - DAY * days):
                days += 1
            if days <= 90:
                return True
        return False

    def pays(self, account: str, day: date) -> bool:
        return bool(self.level(account, day))

    def _first_paid(self, account: str) -> date | None:
        marks = {m for i in self.items[account] for m in (i.since, *(i.pause or ()))}
        days = sorted({m.astimezone(BERLIN).date() for m in marks if m < FAR})
        return next((day for day in days if self.pays(account, day)), None)

    def _rate(self, currency: str, day: date) -> float | None:
        """What holds at the end of a day: of its month's end, or of yesterday."""
        if currency == "EUR":
            return 1.0
        due = min(month_end(day), TODAY - DAY)
        found = {
            row["date"]: row["rate"]
            for row in self.rows("fx_rates")
            if row["base"] == currency
            and row["quote"] == "EUR"
            and timedelta(0) <= due - row["date"] <= timedelta(days=7)
        }
        return found[max(found)] if found else None

    def worth(self, level: Mapping[str, int], day: date) -> int | None:
        """An amount in euros at the rate of a day; None without a rate."""
        total = 0
        for currency, amount in level.items():
            rate = self.rate(currency, day)
            if rate is None:
                return None
            total += half_up(amount * rate)
        return total

    def was_involuntary(self, account: str, before: date, last: date) -> bool:
        """Did its last payment end with one that failed?"""
        day = last
        while day > before and not self.pays(account, day):
            day -= DAY
        end, after = midnight(day + DAY), midnight(day + DAY * 2)
        return any(
            item.is_past_due and item.since < end <= item.until < after
            for item in self.items[account]
            if item.amount
        )

    def _lives(self, account: str) -> list[tuple[date, date | None]]:
        """Stretches as a customer, pauses of up to 90 days among them, to today."""
        first = self.first_paid(account)
        found: list[tuple[date, date | None]] = []
        day, since = first, None
        while day is not None and day < TODAY:
            here = self.pays(account, day)
            if since is None and here:
                since = day
            elif since is not None and not here and not self.rest(account, day):
                found.append((since, day))
                since = None
            day += DAY
        return [*found, (since, None)] if since else found

    def in_segment(self, segment: str | None) -> list[str]:
        return [a for a in self.accounts if self.segments.get(a) == segment]


def _within(end: datetime, pause: tuple[datetime, datetime] | None) -> bool:
    """Is the last instant before `end` within the pause?"""
    return pause is not None and pause[0] < end <= pause[1]


def days(start: date, end: date) -> Iterable[date]:
    return (start + DAY * n for n in range((end - start).days))


def quotient(top: float, bottom: float) -> float | None:
    return top / bottom if bottom else None


def agree(
    books: Books,
    key: str,
    computed: Computed,
    *,
    spans: Sequence[Asked] = (BY_MONTH,),
    **asked: Any,
) -> None:
    """Is the answer of every period and group what is `computed` from its accounts?"""
    for span, by in spans:
        metric = books.world.workspace.metric
        rows = metric(key, by=[by] if by else [], **span, **asked).to_dicts()
        assert rows
        for row in rows:
            accounts = books.in_segment(row[by]) if by else books.accounts
            start, end = row["period_start"], min(row["period_end"], TODAY)
            check(computed(accounts, start, end) if start < TODAY else None, row)


def check(expected: Answer, row: Row) -> None:
    """Is this the row's value, and does it say so if it is insufficient?"""
    if expected is None or isinstance(expected, str):
        assert row["value"] is None, row
        assert (row["status"] == INSUFFICIENT) == (expected is not None), row
    else:
        assert row["value"] == pytest.approx(expected, abs=1e-9, rel=1e-9), row
