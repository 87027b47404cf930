"""Recurring revenue: the worked examples, through the public interface."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from perennial.core.errors import BadValue, UnknownName
from tests.builders import Case
from tests.metrics.subscriptions import items


def item(
    amount: float | str | None, interval: str = "month", **more: Any
) -> dict[str, Any]:
    price = None if amount is None else Decimal(str(amount))
    return {
        "subscription_id": "s",
        "account_id": "A",
        "item_id": "",
        "unit_amount": price,
        "interval": interval,
        "valid_from": "2026-01-01T00:00",
        **more,
    }


def mrr_of(
    path: Path, *items: dict[str, Any], as_of: str = "2026-03-01"
) -> float | None:
    case = Case(path)
    case.facts(
        "subscription_items",
        *({**row, "item_id": str(n)} for n, row in enumerate(items)),
    )
    case.roll_up()
    return case.value("mrr", as_of=as_of)


def test_mixed_intervals_statuses_and_discounts(tmp_path: Path) -> None:
    """MRR-1: 100+100+100+200+52+0+0+30+0+40+60+50+0, in the import's shape.

    A discount once counts only where the bill is for a year; one-time prices are
    no subscription items.
    """
    found = mrr_of(
        tmp_path,
        item(100),
        item(1200, "year"),
        item(300, interval_count=3),
        item(4800, "year", interval_count=2),
        item(12, "week"),
        item(500, status="trialing"),
        item(100, status="paused"),
        item(30, status="past_due", valid_from="2026-02-09T00:00"),
        item(80, status="past_due", valid_from="2026-01-15T00:00"),
        item(50, discount=Decimal(10)),
        item(60),
        item(1200, "year", discount=Decimal(600)),
        item(999, usage_type="metered"),
    )
    assert found == 732


def test_numbers_that_vendors_publish(tmp_path: Path) -> None:
    """mrr_norm_stripe, mrr_norm_quarter, mrr_discount and mrr_new_syncalytics of
    vendor_vectors.json; and ARR-1."""
    case = Case(tmp_path)
    prices = {
        "stripe": [item(100, quantity=100.0), item(600, "year", quantity=50.0)],
        "quarter": [item(90, interval_count=3)],
        "discount": [item(120, "year", discount=Decimal(12))],
        "syncalytics": [item(2000, "year")],
        "ARR-1": [item(732)],
    }
    case.facts(
        "subscription_items",
        *(
            {**row, "account_id": name, "subscription_id": name, "item_id": str(n)}
            for name, rows in prices.items()
            for n, row in enumerate(rows)
        ),
    )
    case.roll_up()
    mrr = case.by("mrr", "account", as_of="2026-03-01")
    assert mrr == {
        "stripe": 12_500,
        "quarter": 30,
        "discount": 9,
        "syncalytics": 166.6667,
        "ARR-1": 732,
    }
    assert case.by("arr", "account", as_of="2026-03-01")["ARR-1"] == 8784


def test_a_price_a_day(tmp_path: Path) -> None:
    """MRR-3."""
    assert mrr_of(tmp_path, item("1.2", "day")) == 36.5


def test_paid_service_counts_to_its_end(tmp_path: Path) -> None:
    """MRR-2: an annual plan until 1 July is a July movement."""
    case = Case(tmp_path, now="2026-09-01T00:00")
    case.facts("subscription_items", item(1200, "year", valid_to="2026-07-01T00:00"))
    case.roll_up()
    rows = case.workspace.metric(
        "mrr", start="2026-05-01", end="2026-08-01", grain="month"
    ).to_dicts()
    assert [row["value"] for row in rows] == [100, 100, 0]


def test_arr_and_arpa(tmp_path: Path) -> None:
    """ARR-1, ARPA-1, PARPU-1: 150 customers who pay 12,500."""
    case = Case(tmp_path)
    rows = [
        item(
            None,
            mrr=Decimal(12_500 - 149 * 83 if n == 0 else 83),
            account_id=str(n),
            subscription_id=str(n),
        )
        for n in range(150)
    ]
    case.facts("subscription_items", *rows)
    case.roll_up()
    asked = {"as_of": "2026-03-01"}
    assert case.value("arpa", **asked) == pytest.approx(83.333333333, abs=1e-9)
    assert case.value("arr", **asked) == 150_000
    mrr, customers, arpa = (
        case.value(k, **asked) for k in ("mrr", "customers", "arpa")
    )
    assert mrr == 12_500
    assert arpa is not None
    assert arpa * (customers or 0) == pytest.approx(mrr)


def test_arpa_without_customers_is_null(tmp_path: Path) -> None:
    """ARPA-2."""
    case = Case(tmp_path)
    case.facts("subscription_items", item(10, valid_to="2026-02-01T00:00"))
    case.roll_up()
    assert case.value("arpa", as_of="2026-04-01") is None
    assert case.value("customers", as_of="2026-04-01") == 0


def test_a_given_mrr_is_final(tmp_path: Path) -> None:
    """Settled point 2: quantity, discount and interval do not change it."""
    row = item(None, "year", mrr=Decimal("99.5"), quantity=7.0, discount=Decimal(3))
    assert mrr_of(tmp_path, row) == 99.5


def test_a_trial_pays_from_its_end_on(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.facts("subscription_items", item(50, trial_end="2026-02-01T00:00"))
    case.roll_up()
    assert case.value("mrr", as_of="2026-02-01") is None  # nobody ever paid before
    assert case.value("mrr", as_of="2026-02-02") == 50


def test_a_pause_is_zero_and_over_when_it_ends(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.facts(
        "subscription_items",
        item(50, paused_from="2026-02-01T00:00", paused_to="2026-03-01T00:00"),
    )
    case.roll_up()
    values = [case.value("mrr", as_of=f"2026-0{m}-02") for m in (1, 2, 3)]
    assert values == [50, 0, 50]
    assert [r["is_paused"] for r in case.table("mrr_ledger")] == [False, True, False]


def test_a_failed_payment_counts_30_days(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.facts(
        "subscription_items", item(50, status="past_due", valid_from="2026-02-01T00:00")
    )
    case.roll_up()
    assert case.value("mrr", as_of="2026-03-03") == 50
    assert case.value("mrr", as_of="2026-03-04") == 0


def test_an_open_row_ends_where_the_next_begins(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.facts("subscription_items", item(50), item(70, valid_from="2026-02-01T00:00"))
    case.roll_up()
    assert case.value("mrr", as_of="2026-02-01") == 50
    assert case.value("mrr", as_of="2026-02-02") == 70


def test_other_currencies_at_the_months_closing_rate(tmp_path: Path) -> None:
    case = Case(tmp_path, currency="EUR")
    case.facts("subscription_items", item(100, currency="USD"))
    case.facts(
        "fx_rates",
        {"date": "2026-01-30", "base": "USD", "quote": "EUR", "rate": 0.9},
        {"date": "2026-02-15", "base": "USD", "quote": "EUR", "rate": 0.5},
    )
    case.roll_up()
    rows = case.workspace.metric(
        "mrr", start="2026-01-01", end="2026-03-01", grain="month"
    ).to_dicts()
    assert rows[0]["value"] == 90
    # The last rate is 13 days older than the month's end: no number is honest.
    assert (rows[1]["value"], rows[1]["status"]) == (None, "insufficient")


def test_segments_and_conditions(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.facts(
        "accounts",
        {"account_id": "A", "segment": "small", "properties": '{"region": "north"}'},
        {"account_id": "B", "segment": "large", "properties": '{"region": "south"}'},
        {"account_id": "T", "segment": "large", "is_test": True},
    )
    for account, amount in (("A", 10), ("B", 20), ("T", 40), ("bare", 5)):
        case.facts(
            "subscription_items",
            item(amount, account_id=account, subscription_id=account),
        )
    case.roll_up()
    asked = {"as_of": "2026-03-01"}
    assert case.value("mrr", **asked) == 35
    assert case.by("mrr", "segment", **asked) == {"small": 10, "large": 20, None: 5}
    assert case.by("mrr", "region", **asked) == {"north": 10, "south": 20, None: 5}
    assert case.value("mrr", where="segment = 'large'", **asked) == 20
    assert case.value("mrr", where="region in ('north', 'south')", **asked) == 30
    assert (
        case.value("mrr", where="not segment = 'large' and region like 'n%'", **asked)
        == 10
    )
    with pytest.raises(UnknownName, match="nonsense"):
        case.value("mrr", by=["nonsense"])
    with pytest.raises(BadValue, match="cannot be split by user"):
        case.value("mrr", by=["user"])
    with pytest.raises(BadValue, match="cannot"):
        case.value("mrr", where="segment = 'x' union select 1")
    with pytest.raises(BadValue, match="expected the name of an attribute"):
        case.value("mrr", where="lower(segment) = 'large'")


def test_the_current_month_is_provisional(tmp_path: Path) -> None:
    case = Case(tmp_path, now="2026-06-15T12:00")
    case.facts("subscription_items", item(10))
    case.roll_up()
    rows = case.workspace.metric("mrr", start="2026-05-01", grain="month").to_dicts()
    assert [row["status"] for row in rows] == ["ok", "provisional"]


def test_the_rows_behind_add_up(tmp_path: Path) -> None:
    case = Case(tmp_path)
    for n in range(5):
        case.facts(
            "subscription_items", item(n + 1, account_id=str(n), subscription_id=str(n))
        )
    case.roll_up()
    facts = case.workspace.metric("mrr", as_of="2026-03-01").explain()
    assert facts["rows"][0]["value"] == 15
    assert sum(row["value"] for row in facts["behind"]) == 15
    assert facts["entity"] == "account"
    assert "normalized to a month" in facts["formula"]


def test_contracted_is_what_was_agreed_to(tmp_path: Path) -> None:
    """What starts later counts once, at its most; what only was agreed to in the past
    cannot be told."""
    case = Case(tmp_path, now="2026-03-01T06:00")
    levels = {
        "now": [(100, "2026-01-01", "")],
        "grows": [(100, "2026-01-01", "2026-05-01"), (150, "2026-05-01", "")],
        "starts": [(200, "2026-06-01", "")],
        "ends": [(40, "2026-01-01", "2026-04-01")],
        "gone": [(70, "2026-01-01", "2026-02-01")],
    }
    case.facts(
        "subscription_items",
        *(row for name, every in levels.items() for row in items(name, *every)),
    )
    case.roll_up()
    now = {"as_of": "2026-03-01"}
    assert case.value("arr", **now) == 12 * (100 + 100 + 40)
    assert case.value("arr", variant="contracted", **now) == 12 * (100 + 150 + 200 + 40)
    assert case.by("arr", "account", variant="contracted", **now)["starts"] == 2400
    (row,) = case.workspace.metric(
        "arr", variant="contracted", as_of="2026-02-15"
    ).to_dicts()
    assert (row["value"], row["status"]) == (None, "insufficient")
