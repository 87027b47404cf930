"""How contracts ended, by what is recorded and by what happened."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.builders import Case
from tests.metrics.subscriptions import items, segment

MARCH: dict[str, Any] = {"start": "2026-03-01", "end": "2026-04-01"}


def contract(account: str, start: str, end: str, **more: Any) -> dict[str, Any]:
    money = {"acv": Decimal(str(more.pop("acv")))} if "acv" in more else {}
    return {
        "account_id": account,
        "term_start": start,
        "term_end": end,
        "outcome": "pending",
        **money,
        **more,
    }


def year(account: str, **more: Any) -> dict[str, Any]:
    """A year's contract that ended in the middle of March."""
    return contract(account, "2025-03-15", "2026-03-15", **more)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Each question is about a segment."""
    case = Case(tmp_path_factory.mktemp("renewals"), now="2026-06-01T06:00")
    outcomes = ["renewed"] * 7 + ["cancelled"] * 2 + ["pending"]
    counted = [f"REN-1 {n}" for n in range(10)]
    pending = [f"REN-2 {n}" for n in range(3)]
    found = [
        "followed",
        "too late",
        "pays on",
        "stopped",
        "paused",
        "unknown",
        "won back",
    ]
    valued = ["more", "less", "same", "lost", "worthless", "euros"]
    monthly = ["month a", "month b"]
    groups = {"REN-1": counted, "REN-2": pending, "found": found, "valued": valued}
    rows = [row for name, of in groups.items() for row in segment(name, of)]
    case.facts("accounts", *rows, *segment("monthly", monthly))
    case.facts(
        "contracts",
        *(year(a, outcome=o) for a, o in zip(counted, outcomes, strict=True)),
        *(year(account) for account in pending),
        *(year(account) for account in found[:-1]),
        year("won back", outcome="cancelled"),
        contract("followed", "2026-04-14", "2027-04-14"),
        contract("too late", "2026-04-15", "2027-04-15"),
        contract("won back", "2026-03-20", "2027-03-20"),
        # Bought more in the middle of the term, up to its end: no renewal.
        contract("stopped", "2025-10-01", "2026-03-15", acv=5),
        year("more", acv=100, outcome="renewed"),
        contract("more", "2026-03-15", "2027-03-15", acv=150),
        year("less", acv=100, outcome="renewed"),
        contract("less", "2026-02-15", "2027-02-15", acv=60),  # ahead of time
        year("same", acv=100, outcome="renewed"),
        year("lost", acv=100, outcome="cancelled"),
        year("worthless", outcome="renewed"),
        year("euros", acv=100, currency="EUR", outcome="renewed"),
        contract("euros", "2026-03-15", "2027-03-15", acv=80, currency="usd"),
        *(contract("month a", f"2026-0{m}-10", f"2026-0{m + 1}-10", acv=12, outcome="renewed") for m in (1, 2, 3)),
        contract("month b", "2026-02-28", "2026-03-28", acv=24, outcome="cancelled"),
    )  # fmt: skip
    case.facts(
        "subscription_items",
        *items("pays on", (10, "2025-03-15", "")),
        *items("too late", (10, "2025-03-15", "2026-03-15")),
        *items("stopped", (10, "2025-03-15", "2026-03-15")),
        *items("paused", (10, "2025-03-15", ""), paused_from="2026-03-15T00:00"),
    )
    rate = {"date": "2026-02-27", "base": "EUR", "quote": "USD", "rate": 1.2}
    case.facts("fx_rates", rate)
    case.roll_up()
    return case


def rate(case: Case, group: str, **asked: Any) -> dict[str, Any]:
    asked = {**MARCH, "where": f"segment = '{group}'", **asked}
    (row,) = case.workspace.metric("renewal_rate", **asked).to_dicts()
    return row


def test_recorded_outcomes(case: Case) -> None:
    """REN-1 and REN-2: what is pending is on neither side."""
    row = rate(case, "REN-1")
    assert row["value"] == pytest.approx(0.777777778, abs=1e-9)
    assert (row["numerator"], row["denominator"], row["n"]) == (7, 9, 9)
    row = rate(case, "REN-2")
    assert (row["value"], row["status"]) == (None, "no_data")


def test_what_happened_decides_what_was_not_recorded(case: Case) -> None:
    rows = case.workspace.metric(
        "renewal_rate", by=["account"], where="segment = 'found'", **MARCH
    ).to_dicts()
    assert {row["account"]: row["value"] for row in rows} == {
        "followed": 1,  # 30 days after
        "won back": 1,
        "pays on": 1,
        "too late": 0,  # 31 days after
        "stopped": 0,
    }
    case.at("2026-04-14T06:00")  # 30 days are not over
    try:
        rows = case.workspace.metric(
            "renewal_rate", by=["account"], where="segment = 'found'", **MARCH
        ).to_dicts()
    finally:
        case.at("2026-06-01T06:00")
    assert {row["account"]: row["value"] for row in rows} == {
        "followed": 1,
        "won back": 1,
    }


def test_by_value_growth_does_not_count(case: Case) -> None:
    row = rate(case, "valued", variant="value")
    # 100 + 60 + 100 + 0, and 80 dollars of a contract worth 120.
    assert (row["numerator"], row["denominator"]) == (340, 520)
    assert row["n"] == 5, "a contract without a value has no share of it"
    count = rate(case, "valued")
    assert (count["numerator"], count["denominator"]) == (5, 6)


def test_monthly_contracts_are_a_variant(case: Case) -> None:
    assert rate(case, "monthly")["value"] is None
    monthly = rate(case, "monthly", variant="monthly")
    assert (monthly["numerator"], monthly["denominator"]) == (1, 2)
    value = rate(case, "monthly", variant="monthly_value")
    assert (value["numerator"], value["denominator"]) == (12, 36)


def test_churn_of_those_who_could_leave(case: Case) -> None:
    asked = {**MARCH, "where": "segment = 'found'", "variant": "churn_eligible"}
    (row,) = case.workspace.metric("customer_churn_rate", **asked).to_dicts()
    # Of "pays on", "too late", "stopped" and "paused", who paid at the start.
    assert (row["numerator"], row["denominator"]) == (2, 4)
    assert case.value("customer_retention_rate", **asked) == 0.5
