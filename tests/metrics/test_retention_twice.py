"""Movements, retention, renewals and cohorts: by the product, and by hand."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from statistics import fmean

import pytest

from perennial.metrics.movements import BRIDGE
from tests.metrics.books import (
    INSUFFICIENT,
    SPANS,
    Answer,
    Books,
    Computed,
    agree,
    check,
    months_later,
    quotient,
)
from tests.metrics.plainly import DAY, MONTHS, TODAY, Row
from tests.metrics.world import World


@pytest.fixture(scope="module")
def books(world: World) -> Books:
    return Books(world)


def movement(books: Books, account: str, before: date, last: date) -> Row:
    """How an account moved: name, amount, fx, opening, closing; in 1/10,000."""
    old, new = books.level(account, before), books.level(account, last)
    opening, closing = books.worth(old, before), books.worth(new, last)
    kept = books.worth(new, before)
    row = {"name": "", "amount": 0, "fx": 0, "opening": opening, "closing": closing}
    if closing is None or (old and (opening is None or kept is None)):
        return {**row, "name": "lacks"}
    assert opening is not None
    if old and new:
        assert kept is not None
        grown = kept - opening
        name = "expansion" if grown > 0 else "contraction" if grown < 0 else ""
        return {**row, "name": name, "amount": grown, "fx": closing - kept}
    if old:
        name = "pause" if books.rest(account, last) else "churn"
        return {**row, "name": name, "amount": -opening}
    if new:
        first = books.first_paid(account)
        assert first is not None
        name = "reactivation" if first <= before else "new"
        name = "resume" if books.rest(account, before) else name
        return {**row, "name": name, "amount": closing}
    return row


def moves(books: Books, accounts: list[str], start: date, end: date) -> list[Row]:
    return [movement(books, a, start - DAY, end - DAY) for a in accounts]


def step(name: str, found: list[Row]) -> Answer:
    """A step of the bridge."""
    if any(move["name"] == "lacks" for move in found):
        return INSUFFICIENT
    if name in ("fx", "opening", "closing"):
        return float(sum(move[name] for move in found)) / 10_000
    return sum(move["amount"] for move in found if move["name"] == name) / 10_000


def test_movements(books: Books) -> None:
    for span, by in SPANS:
        asked = {"by": [by] if by else [], "variant": "bridge", **span}
        rows = books.world.workspace.metric("mrr_movements", **asked).to_dicts()
        assert {row["movement"] for row in rows} == set(BRIDGE)
        for row in rows:
            accounts = books.in_segment(row[by]) if by else books.accounts
            start, end = row["period_start"], min(row["period_end"], TODAY)
            if start < TODAY:
                check(step(row["movement"], moves(books, accounts, start, end)), row)


def test_every_bridge_closes(books: Books) -> None:
    """Opening + movements + fx = closing, and that is the next opening."""
    metric = partial(books.world.workspace.metric, "mrr_movements", variant="bridge")
    for by in ("account", "currency"):
        bridges: dict[tuple[str, date], dict[str, float]] = {}
        for row in metric(by=[by], **MONTHS).to_dicts():
            if row["period_start"] < TODAY:
                steps = bridges.setdefault((row[by], row["period_start"]), {})
                steps[row["movement"]] = row["numerator"]
        assert bridges
        for (group, month), steps in bridges.items():
            closing = steps["closing"]
            total = sum(value for name, value in steps.items() if name != "closing")
            assert total == pytest.approx(closing, abs=1e-7), (group, month)
            following = bridges.get((group, months_later(month, 1)))
            assert following is None or following["opening"] == closing


def test_net_new_and_quick_ratio(books: Books) -> None:
    def computed(key: str, accounts: list[str], start: date, end: date) -> Answer:
        found = moves(books, accounts, start, end)
        if any(row["name"] == "lacks" for row in found):
            return INSUFFICIENT
        gained = sum(row["amount"] for row in found if row["amount"] > 0)
        lost = -sum(row["amount"] for row in found if row["amount"] < 0)
        net = (gained - lost) / 10_000
        return net if key == "mrr_movements" else quotient(gained, lost)

    agree(books, "mrr_movements", partial(computed, "mrr_movements"), variant="net_new")
    agree(books, "quick_ratio", partial(computed, "quick_ratio"))


@pytest.mark.parametrize("variant", ["period", "trailing_12m"])
def test_revenue_retention(books: Books, variant: str) -> None:
    def computed(key: str, accounts: list[str], start: date, end: date) -> Answer:
        first = months_later(end, -12) if variant == "trailing_12m" else start
        before, last, old, left, least = first - DAY, end - DAY, 0, 0, 0
        for account in accounts:
            if not books.pays(account, before):
                continue
            opening = books.worth(books.level(account, before), before)
            kept = books.worth(books.level(account, last), before)
            if opening is None or kept is None:
                return INSUFFICIENT
            old, left, least = old + opening, left + kept, least + min(kept, opening)
        tops = {
            "net_revenue_retention": left,
            "gross_revenue_retention": least,
            "gross_mrr_churn": old - least,
            "net_mrr_churn": old - left,
        }
        return quotient(tops[key], old)

    if variant == "trailing_12m":
        agree(
            books,
            "net_revenue_retention",
            partial(computed, "net_revenue_retention"),
            variant=variant,
        )
        return
    agree(
        books,
        "net_revenue_retention",
        partial(computed, "net_revenue_retention"),
        spans=SPANS,
    )
    for key in ("gross_revenue_retention", "gross_mrr_churn", "net_mrr_churn"):
        agree(books, key, partial(computed, key))


def test_customer_churn(books: Books) -> None:
    def rate(variant: str, accounts: list[str], start: date, end: date) -> Answer:
        start = months_later(end, -12) if variant == "trailing_12m" else start
        before, last = start - DAY, end - DAY
        there = [a for a in accounts if books.pays(a, before)]
        if variant == "churn_eligible":
            terms = books.rows("contracts")
            ended = {r["account_id"] for r in terms if start <= r["term_end"] < end}
            there = [a for a in there if a in ended]
        gone = [a for a in there if not books.pays(a, last) and not books.rest(a, last)]
        failed = [a for a in gone if books.was_involuntary(a, before, last)]
        count = {"involuntary": len(failed), "voluntary": len(gone) - len(failed)}
        part = quotient(count.get(variant, len(gone)), len(there))
        if variant == "annualized" and part is not None:
            return 1 - (1 - part) ** 12
        return part

    def kept(computed: Computed, accounts: list[str], start: date, end: date) -> Answer:
        gone = computed(accounts, start, end)
        return None if gone is None else 1 - float(gone)

    for variant in ("churn_eligible", "trailing_12m", "voluntary", "involuntary"):
        agree(books, "customer_churn_rate", partial(rate, variant), variant=variant)
    churn, year = partial(rate, "period"), partial(rate, "annualized")
    agree(books, "customer_churn_rate", churn, spans=SPANS)
    agree(books, "customer_churn_rate", year, variant="annualized")
    agree(books, "customer_retention_rate", partial(kept, churn))
    agree(books, "customer_retention_rate", partial(kept, year), variant="annualized")


class Terms:
    """Contracts, and what became of them."""

    def __init__(self, books: Books) -> None:
        self.books = books
        rows = books.visible(books.rows("contracts"))
        self.rows = [row for row in rows if row["term_end"] > row["term_start"]]

    def successor(self, term: Row) -> Row | None:
        latest = term["term_end"] + timedelta(days=30)
        later = [
            row
            for row in self.rows
            if row["account_id"] == term["account_id"]
            and term["term_start"] < row["term_start"] <= latest
            and row["term_end"] > term["term_end"]
        ]
        return min(later, key=lambda row: row["term_start"], default=None)

    def is_renewed(self, term: Row) -> bool | None:
        """None where it is not decided."""
        books, account, end = self.books, term["account_id"], term["term_end"]
        follows = self.successor(term)
        if follows and follows["term_start"] >= end:
            return True
        if term["outcome"] != "pending":
            return bool(term["outcome"] == "renewed")
        if follows:
            return True
        after = [end + DAY * n for n in range(31)]
        first = books.first_paid(account)
        if after[-1] >= TODAY or first is None or first > after[-1]:
            return None
        if any(books.pays(account, day) for day in after):
            return True
        return None if any(books.rests(account, day) for day in after) else False

    def worth(self, row: Row, currency: str, start: date) -> int | None:
        """Its value at the rate of the period's start."""
        code = (row["currency"] or currency).upper()
        return self.books.worth({code: int(row["acv"] * 10_000)}, start - DAY)


def test_renewal_rate(books: Books) -> None:
    terms = Terms(books)

    def computed(variant: str, accounts: list[str], start: date, end: date) -> Answer:
        top = bottom = 0.0
        for term in terms.rows:
            is_monthly = term["term_end"] - term["term_start"] <= timedelta(days=31)
            renewed = terms.is_renewed(term)
            if (
                term["account_id"] not in accounts
                or not start <= term["term_end"] < end
                or is_monthly != variant.startswith("monthly")
                or renewed is None
            ):
                continue
            if not variant.endswith("value"):
                top, bottom = top + renewed, bottom + 1
            elif term["acv"]:
                old = terms.worth(term, "EUR", start)
                follows = terms.successor(term)
                has_value = follows is not None and follows["acv"] is not None
                successor = follows if follows and has_value else term
                new = terms.worth(successor, term["currency"] or "EUR", start)
                if old is None or new is None:
                    return INSUFFICIENT
                top, bottom = top + (min(old, new) if renewed else 0), bottom + old
        return quotient(top, bottom)

    for variant in ("count", "value", "monthly", "monthly_value"):
        agree(books, "renewal_rate", partial(computed, variant), variant=variant)


@pytest.mark.parametrize("grain", ["month", "quarter"])
def test_cohorts(books: Books, grain: str) -> None:
    length = {"month": 1, "quarter": 3}[grain]
    span = {"start": "2025-01-01", "end": "2026-07-01", "grain": grain}

    def of(cohort: date, segment: str | None) -> list[str]:
        after = months_later(cohort, length)
        found = [(a, books.first_paid(a)) for a in books.in_segment(segment)]
        return [a for a, first in found if first and cohort <= first < after]

    def computed(members: list[str], cohort: date, k: int, variant: str) -> Answer:
        ends = [months_later(cohort, length * (n + 1)) - DAY for n in range(k + 1)]
        assert ends[-1] < TODAY
        if not variant:
            return fmean(books.pays(account, ends[-1]) for account in members)
        worth = [
            [books.worth(books.level(a, end), ends[0]) for end in ends] for a in members
        ]
        if any(None in (amounts[0], amounts[-1]) for amounts in worth):
            return INSUFFICIENT
        least = [min(amount or 0 for amount in amounts) for amounts in worth]
        now = least if variant == "gross" else [amounts[-1] or 0 for amounts in worth]
        return quotient(sum(now), sum(amounts[0] or 0 for amounts in worth))

    firsts = {a: books.first_paid(a) for a in books.accounts}
    whole = date(2026, 4 if grain == "quarter" else 6, 1)
    everybody = {a for a, f in firsts.items() if f and date(2025, 1, 1) <= f < whole}
    logo, revenue = "logo_cohort_retention", "revenue_cohort_retention"
    for key, variant in ((logo, ""), (revenue, "net"), (revenue, "gross")):
        asked = {"by": ["segment"], "variant": variant or None, **span}
        began: set[str] = set()
        for row in books.world.workspace.metric(key, **asked).to_dicts():
            assert row["period_start"] == row["cohort"]
            members = of(row["cohort"], row["segment"])
            assert row["n"] == len(members)
            began |= set(members)
            check(computed(members, row["cohort"], row["k"], variant), row)
        assert began == everybody
