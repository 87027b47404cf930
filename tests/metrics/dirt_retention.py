"""What goes wrong in subscriptions, contracts, payments, costs and rates.

Pauses of every length, returns, same-day changes, ends before starts, open and
overlapping rows, other currencies with old rates and with none, trials, failed
payments, instants around midnight and clock changes, 29 February, test accounts,
accounts nobody told of, nulls and zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.metrics.world import Tables, append

#: Midnight in Berlin on the first of March, and of the days clocks change.
MARCH = datetime(2026, 2, 28, 23, tzinfo=UTC)
SPRING = datetime(2026, 3, 28, 23, tzinfo=UTC)
AUTUMN = datetime(2025, 10, 25, 22, tzinfo=UTC)
TICK = timedelta(microseconds=1)
SEGMENTS = ("Enterprise", "Small business", None)


def add(tables: Tables) -> None:
    """Add the rows that break naive code."""
    rows = list(_items())
    named = sorted({row["account_id"] for row in rows} - {"r_unknown"})
    append(
        tables,
        "accounts",
        [
            {
                "account_id": account,
                "segment": SEGMENTS[n % 3],
                "is_test": account == "r_test" or None,
            }
            for n, account in enumerate(named)
        ],
    )
    append(tables, "subscription_items", rows)
    append(tables, "contracts", list(_contracts()))
    append(tables, "costs", list(_costs()))
    append(tables, "payments", list(_payments()))
    append(tables, "fx_rates", list(_rates()))
    append(tables, "memberships", list(_members()))
    append(
        tables,
        "users",
        [{"user_id": "r_tester", "is_test": True}, {"user_id": "r_two"}],
    )
    append(
        tables,
        "leads",
        [
            {"lead_id": "r1", "account_id": "r_new", "source": "Ads"},
            {"lead_id": "r2", "account_id": "r_new", "source": "Ads"},
            {"lead_id": "r3", "account_id": None, "source": "Ads"},
        ],
    )


def at(text: str) -> datetime:
    """A naive instant is one of Greenwich."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _items() -> Iterator[dict[str, Any]]:
    count = 0

    def item(account: str, since: str | datetime, until: str | datetime | None = None,
             mrr: float | None = 100, **more: Any) -> dict[str, Any]:  # fmt: skip
        nonlocal count
        count += 1
        return {
            "subscription_id": f"r{account}",
            "item_id": f"{count}",
            "account_id": account,
            "mrr": None if mrr is None else Decimal(str(mrr)),
            "currency": "EUR",
            "valid_from": at(since) if isinstance(since, str) else since,
            "valid_to": at(until) if isinstance(until, str) else until,
            **more,
        }

    yield item("r_test", "2025-01-01")
    yield item("r_unknown", "2025-11-10")
    yield item("r_new", "2026-04-03", mrr=77.7777)
    # At the very end of a month, and of days that are not 24 hours long.
    yield item("r_midnight", MARCH - TICK)
    yield item("r_midnight2", MARCH)
    yield item("r_leaves", "2025-01-01", MARCH - TICK)
    yield item("r_leaves2", "2025-01-01", MARCH)
    yield item("r_spring", SPRING - TICK, SPRING + timedelta(hours=3))
    yield item("r_autumn", AUTUMN + timedelta(hours=2), AUTUMN + timedelta(hours=25))
    yield item("r_leap", "2024-02-29", "2026-02-28")
    # Changes on one day, gaps, overlaps, nothing at all, the wrong way round.
    yield item("r_day", "2025-05-01", "2026-01-15T08:00")
    yield item("r_day", "2026-01-15T08:00", "2026-01-15T17:00", 300)
    yield item("r_day", "2026-01-15T17:00", None, 200)
    yield item("r_gap", "2025-05-01", "2026-01-10")
    yield item("r_gap", "2026-01-20", None, 120)
    yield item("r_back", "2025-05-01", "2025-10-05")
    yield item("r_back", "2026-02-10", "2026-04-10", 80)
    yield item("r_back", "2026-04-20", None, 90)
    yield item("r_overlap", "2025-05-01", "2026-03-01")
    yield item("r_overlap", "2026-02-01", "2026-05-01", 40)
    yield item("r_zero", "2025-05-01", None, 0)
    yield item(
        "r_zero2",
        "2025-05-01",
        None,
        None,
        unit_amount=Decimal(10),
        discount=Decimal(15),
    )
    yield item("r_none", "2026-03-05", "2026-03-05")
    yield item("r_never", "2026-03-05", "2026-02-05")
    yield item("r_fleeting", "2026-03-03", "2026-03-20")
    # Pauses: short, long, one that ends in a cancellation, of a day, before, with
    # something else that is paid on.
    for name, since, until in (
        ("r_rest", "2025-12-10", "2026-01-25"),
        ("r_rest_long", "2025-11-20", "2026-04-15"),
        ("r_rests", "2026-05-20", None),
        ("r_rests_long", "2026-01-05", None),
        ("r_rest_90", "2026-01-30T12:00", "2026-06-30"),
        ("r_rest_day", "2026-02-10T08:00", "2026-02-10T20:00"),
        ("r_rest_before", "2025-01-10", "2025-02-10"),
        ("r_rest_back", "2026-03-10", "2026-02-10"),
    ):
        pause = {"paused_from": at(since), "paused_to": at(until) if until else None}
        yield item(name, "2025-05-01", None, **pause)
    yield item("r_rest_gone", "2025-05-01", "2026-03-10", paused_from=at("2026-02-05"))
    yield item("r_rest_part", "2025-05-01", None, paused_from=at("2026-02-05"))
    yield item("r_rest_part", "2025-05-01", "2026-04-05", 30)

    # States one after the other.
    def states(account: str, *found: tuple[str, str]) -> Iterator[dict[str, Any]]:
        for since, status in found:
            yield {**item(account, since, None), "item_id": "", "status": status}

    yield from states("r_failed", ("2025-05-01", "active"), ("2026-03-20", "past_due"))
    yield from states("r_failed2", ("2025-05-01", "active"), ("2026-03-20", "past_due"),
                      ("2026-04-02", "past_due"), ("2026-05-01", "unpaid"))  # fmt: skip
    yield from states("r_recovered", ("2025-05-01", "active"), ("2026-03-20", "past_due"),
                      ("2026-03-25", "active"))  # fmt: skip
    yield from states("r_canceled", ("2025-05-01", "active"), ("2026-04-11", "canceled"),
                      ("2026-05-20", "active"))  # fmt: skip
    yield from states("r_paused", ("2025-05-01", "active"), ("2026-04-11", "paused"))
    # Trials that are paid for, and one that is not; what is metered.
    yield item("r_trial", "2026-02-15", trial_end=at("2026-03-15"))
    yield item("r_trial2", "2026-02-15", is_trial=True, status="trialing")
    yield item("r_metered", "2025-05-01", usage_type="metered")
    # Prices of every interval.
    for n, interval in enumerate(("day", "week", "quarter", "half_year", "year")):
        price = {"unit_amount": Decimal("333.33"), "quantity": 1.5, "interval": interval,
                 "interval_count": n % 3 + 1, "discount": Decimal("7.77")}  # fmt: skip
        yield item("r_price", "2025-05-01", None, None, **price)
    # Money of elsewhere: with rates, written small, without a code; two at once; one
    # that is exchanged for another; without any rate, and with one that is too old.
    yield item("r_dollar", "2025-05-01", None, 111.11, currency="USD")
    yield item("r_small", "2025-05-01", "2026-05-05", 99.99, currency="usd")
    yield item("r_codeless", "2025-05-01", None, currency="")
    yield item("r_codeless", "2025-05-01", None, 5, currency=None)
    yield item("r_both", "2025-05-01", None, 50)
    yield item("r_both", "2025-12-20", "2026-04-20", 60, currency="GBP")
    yield item("r_switch", "2025-05-01", "2026-02-10", currency="SEK")
    yield item("r_switch", "2026-02-10", None, 12)
    yield item("r_rateless", "2025-11-03", "2025-11-28", currency="CHF")
    yield item("r_rateless2", "2025-12-20", "2026-01-20", currency="CHF")
    yield item("r_old_rate", "2026-01-10", "2026-03-20", currency="NOK")


def _contracts() -> Iterator[dict[str, Any]]:
    def term(account: str, start: date, end: date, **more: Any) -> dict[str, Any]:
        acv = more.pop("acv", 1200)
        return {
            "account_id": account,
            "term_start": start,
            "term_end": end,
            "acv": None if acv is None else Decimal(str(acv)),
            "currency": "EUR",
            "outcome": "pending",
            **more,
        }

    start, end = date(2025, 3, 15), date(2026, 3, 15)
    yield term("r_test", start, end, outcome="renewed")
    yield term("r_unknown", start, end, outcome="renewed", currency="usd")
    yield term("r_leaves2", start, date(2026, 3, 1), outcome="cancelled", currency=None)
    yield term("r_leap", date(2024, 2, 29), date(2026, 2, 28))
    yield term("r_back", start, date(2025, 10, 5))
    yield term("r_back", date(2026, 2, 10), date(2026, 4, 10))
    yield term("r_back", date(2026, 4, 20), date(2027, 4, 20), acv=900, currency="USD")
    yield term("r_rests_long", date(2025, 2, 1), date(2026, 2, 1))
    yield term("r_day", date(2025, 4, 1), date(2026, 4, 1), outcome="cancelled")
    yield term("r_day", date(2026, 5, 1), date(2027, 5, 1), acv=2400)
    yield term("r_gap", date(2025, 4, 1), date(2026, 4, 1), outcome="cancelled")
    yield term("r_gap", date(2026, 5, 2), date(2027, 5, 2), acv=2400)
    yield term("r_dollar", start, end, acv=None, outcome="renewed")
    yield term("r_dollar", end, date(2027, 3, 15), acv=1500)
    yield term("r_small", start, end, acv=0, outcome="renewed")
    yield term("r_rateless", date(2024, 11, 20), date(2025, 11, 20), currency="CHF",
               outcome="renewed")  # fmt: skip
    yield term("r_price", end, start, outcome="renewed")
    yield term("r_price", start, start, outcome="cancelled")
    yield term("r_zero", start, end)
    yield term("r_midnight", date(2026, 3, 1), date(2026, 4, 1), outcome="renewed")
    yield term("r_midnight", date(2026, 4, 1), date(2026, 5, 1), acv=600)
    yield term("r_midnight", date(2026, 5, 1), date(2026, 6, 1), outcome="cancelled")


def _costs() -> Iterator[dict[str, Any]]:
    for month in range(9, 13):
        for category, amount in (("training", 1000), ("sales", 777)):
            yield {
                "month": date(2025, month, 15),
                "category": category,
                "amount": Decimal(amount),
                "currency": "usd" if month % 2 else "GBP",
            }


def _payments() -> Iterator[dict[str, Any]]:
    base = {"account_id": "r_dollar", "kind": "usage", "amount": Decimal("55.55")}
    found: tuple[dict[str, Any], ...] = (
        {"paid_at": MARCH - TICK},
        {"paid_at": MARCH, "currency": "usd", "tax": Decimal("5.05")},
        {"paid_at": MARCH, "kind": "refund"},
        {"paid_at": SPRING, "kind": "recurring", "currency": ""},
        {"paid_at": SPRING, "kind": "one_off"},
        {"paid_at": SPRING, "account_id": "r_test"},
        {"paid_at": SPRING, "account_id": "r_zero", "amount": None},
        {"paid_at": AUTUMN, "account_id": "r_unknown", "currency": "CHF"},
    )
    for n, more in enumerate(found):
        yield {**base, "payment_id": f"r{n}", **more}


def _rates() -> Iterator[dict[str, Any]]:
    for day, rate in (
        ("2026-01-24", 0.085),
        ("2026-02-20", 0.086),
        ("2026-03-31", 0.09),
    ):
        yield {
            "date": date.fromisoformat(day), "base": "NOK", "quote": "EUR", "rate": rate,
        }  # fmt: skip
    yield {"date": date(2026, 3, 31), "base": "NOK", "quote": "USD", "rate": 7.0}


def _members() -> Iterator[dict[str, Any]]:
    for account in ("r_day", "r_both", "r_test", "r_zero", "r_rest", "r_unknown"):
        yield {"user_id": "r_two", "account_id": account, "starts_at": MARCH}
        yield {"user_id": "r_tester", "account_id": account, "starts_at": None}
        yield {
            "user_id": f"u_{account}", "account_id": account, "starts_at": None,
            "ends_at": SPRING,
        }  # fmt: skip
    yield {
        "user_id": "r_two",
        "account_id": "r_gap",
        "starts_at": AUTUMN,
        "ends_at": AUTUMN,
    }
