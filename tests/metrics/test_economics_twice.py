"""Revenue per user, costs and lifetimes: by the product, and by hand."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import cache, partial
from itertools import pairwise
from math import prod
from statistics import fmean

import pytest

from tests.metrics.books import (
    BY_MONTH,
    BY_QUARTER,
    INSUFFICIENT,
    TOTAL,
    Answer,
    Books,
    agree,
    days,
    month_end,
    month_of,
    months_later,
    quotient,
    tenure,
)
from tests.metrics.plainly import AS_OF, DAY, TODAY, local
from tests.metrics.world import World

RETENTION = (
    "cs_payroll",
    "support_payroll",
    "adoption_programs",
    "professional_services",
    "training",
    "customer_marketing",
)
ACQUISITION = ("sales", "marketing")


@pytest.fixture(scope="module")
def books(world: World) -> Books:
    return Books(world)


def months_of(start: date, end: date) -> list[tuple[date, int, int]]:
    """The months of a span: first day, days within it, days of the month."""
    found: dict[date, int] = {}
    for day in days(start, end):
        found[month_of(day)] = found.get(month_of(day), 0) + 1
    return [(month, count, month_end(month).day) for month, count in found.items()]


def earned(books: Books, accounts: list[str], start: date, end: date) -> float | None:
    """Recurring revenue of a span in 1/10,000 euros; None without a rate."""
    total = 0.0
    for day in days(start, end):
        for account in accounts:
            for currency, amount in books.level(account, day).items():
                rate = books.rate(currency, month_of(day))
                if rate is None:
                    return None
                total += amount * rate / month_end(day).day
    return total


def paid(
    books: Books, kinds: Sequence[str], accounts: list[str], start: date, end: date
) -> tuple[float | None, bool]:
    """Payments of a span in 1/10,000 euros, None without a rate; and were there any?"""
    total, known = 0.0, False
    for row in books.rows("payments"):
        day = local(row["paid_at"])
        if row["account_id"] not in accounts or row["kind"] not in kinds:
            continue
        if not start <= day < end:
            continue
        known = True
        rate = books.rate((row["currency"] or "EUR").upper(), month_of(day))
        if rate is None:
            return None, True
        net = (float(row["amount"] or 0) - float(row["tax"] or 0)) * 10_000 * rate
        total += -net if row["kind"] == "refund" else net
    return total, known


@cache
def spent(books: Books, kinds: tuple[str, ...], start: date, end: date) -> Answer:
    """Costs of a span in 1/10,000 euros; insufficient where a month with customers
    has none."""
    total, lacks, known = 0.0, False, False
    for month, count, length in months_of(start, end):
        low, high = max(start, month), min(end, months_later(month, 1))
        rows = [
            row
            for row in books.rows("costs")
            if row["category"] in kinds and month_of(row["month"]) == month
        ]
        known |= bool(rows)
        paying = (books.pays(a, day) for day in days(low, high) for a in books.accounts)
        lacks |= not rows and any(paying)
        for row in rows:
            rate = books.rate((row["currency"] or "EUR").upper(), month)
            lacks |= rate is None
            total += float(row["amount"]) * 10_000 * (rate or 0) * count / length
    if not known:
        return None
    return INSUFFICIENT if lacks else total


def customers(books: Books, accounts: list[str], start: date, end: date) -> float:
    """On an average day."""
    return fmean(sum(books.pays(a, day) for a in accounts) for day in days(start, end))


@cache
def everybody(books: Books, start: date, end: date) -> float:
    """Customers of the whole workspace on an average day."""
    return customers(books, books.accounts, start, end)


def test_revenue_per_user(books: Books) -> None:
    seats = books.visible(books.world.workspace.lake.read("assignments").to_pylist())
    users: dict[date, dict[str, set[str]]] = {}
    for day in days(date(2025, 9, 1), TODAY):
        users[day] = held = {}
        for seat in seats:
            account, low, high = seat["account_id"], seat["date_from"], seat["date_to"]
            live = (low is None or low <= day) and (high is None or high > day)
            if live and books.pays(account, day):
                held.setdefault(account, set()).add(seat["user_id"])

    def licensed(accounts: list[str], start: date, end: date) -> float:
        return fmean(
            len(set().union(*(users[day].get(a, ()) for a in accounts)))
            for day in days(start, end)
        )

    def recognized(accounts: list[str], start: date, end: date) -> Answer:
        recurring = earned(books, accounts, start, end)
        usage, _ = paid(books, ["usage"], accounts, start, end)
        if recurring is None or usage is None:
            return INSUFFICIENT
        people = licensed(accounts, start, end)
        return quotient((recurring + usage) / 10_000, people)

    def cash(accounts: list[str], start: date, end: date) -> Answer:
        kinds = ("recurring", "usage", "refund")
        found, known = paid(books, kinds, accounts, start, end)
        if found is None:
            return INSUFFICIENT
        people = licensed(accounts, start, end)
        return quotient(found / 10_000, people) if known else None

    agree(books, "arpu", recognized, spans=[BY_MONTH, (TOTAL, "segment")])
    agree(books, "arpu", cash, variant="cash")


def test_retention_cost(books: Books) -> None:
    def computed(variant: str, accounts: list[str], start: date, end: date) -> Answer:
        there = customers(books, accounts, start, end)
        cost = spent(books, RETENTION, start, end)
        if not there or not isinstance(cost, float):
            return cost if there else None
        own = cost * there / everybody(books, start, end) / 10_000
        before, last = start - DAY, end - DAY
        match variant:
            case "crc_per_customer_end":
                there = sum(books.pays(a, last) for a in accounts)
            case "crc_per_retained":
                stayed = [a for a in accounts if books.pays(a, before)]
                there = sum(books.pays(a, last) for a in stayed)
            case "crc_ratio":
                revenue = earned(books, accounts, start, end)
                if revenue is None:
                    return INSUFFICIENT
                there = revenue / 10_000
        return quotient(own, there)

    for variant in ("crc", "crc_per_customer_end", "crc_per_retained", "crc_ratio"):
        agree(books, "crc", partial(computed, variant), variant=variant)


def new(books: Books, accounts: list[str], start: date, end: date) -> list[str]:
    """Customers of the last day who never paid before the first."""
    firsts = {a: books.first_paid(a) for a in accounts if books.pays(a, end - DAY)}
    return [a for a, first in firsts.items() if first and start <= first < end]


@cache
def won(books: Books, start: date, end: date) -> Answer:
    """The cost of a new customer."""
    cost = spent(books, ACQUISITION, start, end)
    if not isinstance(cost, float):
        return cost
    return quotient(cost / 10_000, len(new(books, books.accounts, start, end)))


def test_acquisition_cost(books: Books) -> None:
    sources = {"Ads", "Webinar"}
    leads = books.rows("leads")
    bought = {row["account_id"] for row in leads if row["source"] in sources}

    def blended(accounts: list[str], start: date, end: date) -> Answer:
        return won(books, start, end) if new(books, accounts, start, end) else None

    def lagged(accounts: list[str], start: date, end: date) -> Answer:
        if not new(books, accounts, start, end):
            return None
        low, high = months_later(start, -1), months_later(end, -1)
        cost = spent(books, ACQUISITION, low, high)
        if not isinstance(cost, float):
            return cost
        return cost / 10_000 / len(new(books, books.accounts, start, end))

    def from_ads(accounts: list[str], start: date, end: date) -> Answer:
        if not bought & set(new(books, accounts, start, end)):
            return None
        cost = spent(books, ACQUISITION, start, end)
        if not isinstance(cost, float):
            return cost
        return cost / 10_000 / len(bought & set(new(books, books.accounts, start, end)))

    agree(books, "cac", blended, spans=[BY_MONTH, (AS_OF, "")])
    agree(books, "cac", lagged, params={"lag_months": "1"})
    params = {"paid_sources": "Ads,Webinar"}
    agree(books, "cac", from_ads, variant="paid", params=params)


@cache
def margin(books: Books, start: date, end: date) -> Answer:
    cogs, revenue, lacks = 0.0, 0.0, False
    for month, _, _ in months_of(start, end):
        low, high = max(start, month), min(end, months_later(month, 1))
        cost = spent(books, ("cogs",), low, high)
        rows = books.rows("costs")
        known = {month_of(r["month"]) for r in rows if r["category"] == "cogs"}
        if month in known:
            recurring = earned(books, books.accounts, low, high)
            lacks |= recurring is None or not isinstance(cost, float)
            cogs += cost if isinstance(cost, float) else 0
            revenue += recurring or 0
    if lacks:
        return INSUFFICIENT
    return 1 - cogs / revenue if revenue else None


def arpa(books: Books, accounts: list[str], last: date) -> Answer:
    there = [a for a in accounts if books.pays(a, last)]
    worth = [books.worth(books.level(a, last), last) for a in there]
    if None in worth:
        return INSUFFICIENT
    return quotient(sum(amount or 0 for amount in worth) / 10_000, len(there))


def leaving(books: Books, accounts: list[str], end: date, *, capped: bool) -> Answer:
    """Mean churn of the six full months before a day."""
    rates = []
    for back in range(1, 7):
        month = months_later(month_of(end), -back)
        last = month_end(month)
        there = [a for a in accounts if books.pays(a, month - DAY)]
        if not there:
            return INSUFFICIENT
        gone = [a for a in there if not books.pays(a, last) and not books.rest(a, last)]
        rates.append(len(gone) / len(there))
    return max(fmean(rates), 1 / 60) if capped else fmean(rates)


def product(*factors: Answer) -> Answer:
    """Insufficient where one is; else none where one is."""
    total = 1.0
    if INSUFFICIENT in factors:
        return INSUFFICIENT
    for factor in factors:
        if factor is None:
            return None
        total *= float(factor)
    return total


def value(
    books: Books, accounts: list[str], start: date, end: date, *, capped: bool
) -> Answer:
    own = arpa(books, accounts, end - DAY)
    if own is None:
        return None
    churn = leaving(books, accounts, end, capped=capped)
    months = quotient(1, churn) if isinstance(churn, float) else churn
    return product(own, margin(books, start, end), months)


@pytest.mark.parametrize("capped", [False, True])
def test_lifetime_value_and_what_it_costs(books: Books, capped: bool) -> None:
    def to_cost(accounts: list[str], start: date, end: date) -> Answer:
        worth = value(books, accounts, start, end, capped=capped)
        cost = won(books, start, end)
        if arpa(books, accounts, end - DAY) is None:
            return None
        return product(worth, quotient(1, cost) if isinstance(cost, float) else cost)

    def returns(accounts: list[str], start: date, end: date) -> Answer:
        worth = value(books, accounts, start, end, capped=capped)
        churn = leaving(books, accounts, end, capped=capped)
        cost, keeping = won(books, start, end), spent(books, RETENTION, start, end)
        if arpa(books, accounts, end - DAY) is None:
            return None
        if product(worth, cost, keeping, churn) in (None, INSUFFICIENT):
            return product(worth, cost, keeping, churn)
        months = sum(count / length for _, count, length in months_of(start, end))
        there = everybody(books, start, end)
        a_month = float(keeping or 0) / 10_000 / there / months
        total = float(cost or 0) + a_month / float(churn or 0)
        return (float(worth or 0) - total) / total

    variant = "capped" if capped else "uncapped"
    agree(books, "clv", partial(value, books, capped=capped), variant=variant)
    agree(books, "ltv_cac", to_cost, variant=variant)
    agree(books, "customer_roi", returns, variant=variant)


def test_payback(books: Books) -> None:
    def computed(accounts: list[str], start: date, end: date) -> Answer:
        found = new(books, accounts, start, end)
        own, cost = arpa(books, found, end - DAY), won(books, start, end)
        monthly = product(own, margin(books, start, end))
        if not found or INSUFFICIENT in (monthly, cost):
            return INSUFFICIENT if found else None
        if monthly is None or cost is None or float(monthly) <= 0:
            return None
        return float(cost) / float(monthly)

    agree(books, "cac_payback", computed, spans=[BY_MONTH, BY_QUARTER])


def lives(books: Books, accounts: list[str], end: date) -> list[tuple[str, int, bool]]:
    """Lives begun before a day: account, how long so far in 1/31 months, over?"""
    return [
        (account, tenure(since, min(until or end, end)), bool(until and until < end))
        for account in accounts
        for since, until in books.lives(account)
        if since < end
    ]


def test_simple_value_and_short_lives(books: Books) -> None:
    def simple(accounts: list[str], _start: date, end: date) -> Answer:
        found = lives(books, accounts, end)
        gone = {account for account, *_ in found}
        gone -= {account for account, _, over in found if not over}
        own = arpa(books, accounts, end - DAY)
        if not gone or own is None:
            return None
        total = sum(long for account, long, _ in found if account in gone)
        return product(own, total / 31 / len(gone))

    def short(accounts: list[str], start: date, end: date) -> Answer:
        left = [
            tenure(since, until)
            for account in accounts
            for since, until in books.lives(account)
            if until and start <= until < end
        ]
        return quotient(sum(long < 62 for long in left), len(left))

    agree(books, "clv_simple", simple, spans=[BY_MONTH, (AS_OF, "")])
    agree(books, "customer_roi", short, variant="short_lived")


def survivors(found: list[tuple[int, bool]], until: int) -> float:
    """The share that stays longer, by the definition of Kaplan and Meier."""
    times = sorted(time for time, _ in found)
    ends = Counter(time for time, over in found if over and time <= until)
    return prod(
        1 - count / (len(times) - bisect_left(times, at)) for at, count in ends.items()
    )


def ahead(found: list[tuple[int, bool]], age: int, *, observed: bool) -> float | None:
    """Discounted months of the next 36."""
    longest = max(time for time, _ in found)
    ends = [survivors(found, time) for time in range(0, longest + 1, 31)]
    recent = [1 - b / a if a else 1.0 for a, b in pairwise(ends)][-6:]
    total = 0.0
    for k in range(36):
        at = age + 31 * k
        if at > longest and (observed or not recent):
            return total if observed else None
        going_on = (1 - fmean(recent or [0])) ** (max(0, at - longest) / 31)
        share = survivors(found, min(at, longest)) * going_on
        total += share / survivors(found, age) / 1.008**k
    return total


def test_value_by_survival(books: Books) -> None:
    def computed(observed: bool, accounts: list[str], start: date, end: date) -> Answer:
        own = arpa(books, accounts, end - DAY)
        if own is None:
            return None
        found = [(long, over) for _, long, over in lives(books, accounts, end)]
        months = ahead(found, 0, observed=observed)
        unknown = INSUFFICIENT if months is None else months
        return product(own, margin(books, start, end), unknown)

    agree(books, "clv_survival", partial(computed, False))
    agree(books, "clv_survival", partial(computed, True), variant="observed")


def test_what_is_still_to_come_of_an_account(books: Books) -> None:
    start, end = date(2026, 5, 1), date(2026, 6, 1)
    asked = {"start": start, "end": end, "by": ["account"]}
    rows = books.world.workspace.metric("clv_survival", **asked).to_dicts()
    found = lives(books, books.accounts, end)
    curve = [(long, over) for _, long, over in found]
    ages = {account: long for account, long, over in found if not over}
    share = margin(books, start, end)
    there = {a for a in books.accounts if books.pays(a, end - DAY)}
    assert {row["account"] for row in rows} == there
    for row in rows:
        pays = arpa(books, [row["account"]], end - DAY)
        months = ahead(curve, ages[row["account"]], observed=False)
        assert row["value"] == pytest.approx(product(pays, share, months)), row


@pytest.mark.parametrize(
    ("key", "by", "group"),
    [
        ("crc", "segment", "Small business"),
        ("customer_roi", "segment", "Small business"),
        ("cac", "currency", "EUR"),
    ],
)
def test_a_condition_asks_for_a_group(
    books: Books, key: str, by: str, group: str
) -> None:
    """What costs the same everywhere does so however it is asked."""
    metric = partial(books.world.workspace.metric, key, **BY_QUARTER[0])
    alone = metric(where=f"{by} = '{group}'").to_dicts()
    rows = [row for row in metric(by=[by]).to_dicts() if row.pop(by) == group]
    assert any(row["value"] is not None for row in rows)
    for one, row in zip(alone, rows, strict=True):
        for name in ("value", "numerator", "denominator", "n"):
            assert (one[name] is None) == (row[name] is None), (one, row)
            assert (one[name] or 0) == pytest.approx(row[name] or 0), (one, row)
