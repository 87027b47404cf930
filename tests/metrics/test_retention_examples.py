"""Movements, churn, retention, renewals and cohorts: the worked examples.

Each example is a segment of one company, which keeps its books in dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Case
from tests.metrics.subscriptions import items, moved, segment

MARCH: dict[str, Any] = {"start": "2026-03-01", "end": "2026-04-01"}
CHANGE = "2026-03-15"

#: Accounts whose MRR changes in March: before, after.
CHANGES: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "MOV-1": {"A": (100, 150), "B": (200, 150), "C": (300, 0), "D": (400, 400), "E": (0, 250)},
    "FX-1": {"A": (100, 150), "B": (0, 100), "C": (200, 0)},
    "MOV-2": {"new": (0, 10), "churn": (10, 0), "contraction": (10, 4), "expansion": (10, 12), "same": (10, 10)},
    "REV-2": {"new": (0, 250)},
    "NDR-1": {"up": (5000, 6500), "down": (4000, 3500), "gone": (1000, 0)},
    "CH-4": {f"{n}": (10, 10 if n else 0) for n in range(50)},
    "gross_mrr_churn": {"gone": (10, 0), "down": (50, 40), "up": (40, 50)},
    "shopify_day": {"up": (100, 110), "new": (0, 10)},
    "shopify_day_95": {"down": (100, 95)},
    "vitally": {"gone": (25_000, 0), "down": (100_000, 75_000), "up": (875_000, 1_025_000)},
    "gitlab": {"a": (100, 150), "b": (100, 50), "c": (100, 0)},
    "quick_a": {"new": (0, 50_000), "gone": (25_000, 0)},
    "quick_b": {"new": (0, 30_000), "gone": (5_000, 0)},
    "quick_c": {"new": (0, 20), "up": (10, 18), "gone": (5, 0), "down": (6, 3)},
    "quick_d": {"new": (0, 80_000), "up": (1, 30_001), "gone": (15_000, 0), "down": (10_001, 1)},
}  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    case = Case(tmp_path_factory.mktemp("retention"), now="2026-06-01T06:00")
    rows: list[dict[str, Any]] = []

    def add(example: str, account: str, found: list[dict[str, Any]]) -> None:
        accounts.append((example, account))
        rows.extend(found)

    accounts: list[tuple[str, str]] = []
    for example, changes in CHANGES.items():
        currency = {"currency": "EUR"} if example == "FX-1" else {}
        for name, (before, after) in changes.items():
            account = f"{example} {name}"
            found = moved(account, before, after, CHANGE)
            add(example, account, [{**row, **currency} for row in found])

    def one(example: str, name: str, *levels: Any, **more: Any) -> None:
        account = f"{example} {name}"
        add(example, account, items(account, *levels, **more))

    one("MOV-1", "F", (80, "2025-06-01", "2025-09-01"), (80, CHANGE, ""))
    one("MOV-2", "back", (10, "2025-06-01", "2026-01-01"), (10, CHANGE, ""))
    one("MOV-2", "fleeting", (10, "2026-03-05", "2026-03-20"))
    paused = {"paused_from": "2026-02-10T00:00", "paused_to": "2026-03-10T00:00"}
    one("MOV-2", "resumed", (10, "2025-06-01", ""), **paused)
    pause = {"paused_from": "2026-03-10T00:00"}
    one("MOV-2", "paused", (10, "2025-06-01", ""), **pause)
    for n in range(100):
        one("CH-1", f"{n}", (10, "2025-06-01", CHANGE if n < 10 else ""))
    one("CH-1", "fleeting", (10, "2026-03-05", "2026-03-20"))
    for days, since in ((40, "2026-04-22"), (120, "2026-02-01")):
        paused = {"paused_from": f"{since}T00:00"}
        one("CH-2", f"paused {days}", (10, "2025-06-01", ""), **paused)
    one("CH-2", "stays", (10, "2025-06-01", ""))
    one("CH-2", "gone", (10, "2025-06-01", CHANGE))
    one("CH-2", "trial", (10, "2025-06-01", ""), status="trialing", is_trial=True)
    for n in range(100):  # 12 leave, one of whom is back; one more joins and leaves
        ends = CHANGE if n < 11 else ""
        again = [(10, "2026-03-25", "")] if n == 0 else []
        one("standard", f"{n}", (10, "2025-06-01", ends), *again)
    one("standard", "fleeting", (10, "2026-03-05", "2026-03-20"))
    months = ("2026-01-01", "2026-02-01", "2026-03-01", "")
    cohort = {"A": (100, 100, 120), "B": (200, 0, 150), "C": (100, 80, 80)}
    for name, amounts in cohort.items():
        levels = zip(amounts, months, months[1:], strict=False)
        one("COH-1", name, *(level for level in levels if level[0]))

    case.facts("accounts", *(row for e, a in accounts for row in segment(e, [a])))
    case.facts("subscription_items", *rows)
    rates = (("2026-02-28", 1.1), ("2026-03-31", 1.2))
    case.facts(
        "fx_rates",
        *({"date": d, "base": "EUR", "quote": "USD", "rate": r} for d, r in rates),
    )
    case.roll_up()
    return case


@cache
def by_segment(case: Case, key: str, **asked: Any) -> list[dict[str, Any]]:
    """The rows of all examples: one question for each kind of number."""
    asked = {**MARCH, **asked, "by": ["segment"]}
    return case.workspace.metric(key, **asked).to_dicts()


def of(case: Case, key: str, example: str, **asked: Any) -> float | None:
    rows = [r for r in by_segment(case, key, **asked) if r["segment"] == example]
    return rows[0]["value"] if rows else None


def bridge(case: Case, example: str) -> dict[str, float]:
    rows = by_segment(case, "mrr_movements", variant="bridge")
    return {row["movement"]: row["value"] for row in rows if row["segment"] == example}


def test_a_bridge_in_one_currency(case: Case) -> None:
    """MOV-1."""
    assert bridge(case, "MOV-1") == {
        "opening": 1000, "new": 250, "expansion": 50, "reactivation": 80, "resume": 0,
        "contraction": -50, "churn": -300, "pause": 0, "late_adjustment": 0, "fx": 0,
        "closing": 1030,
    }  # fmt: skip
    assert of(case, "mrr_movements", "MOV-1", variant="net_new") == 30
    quick = of(case, "quick_ratio", "MOV-1")
    assert quick == pytest.approx(1.085714286, abs=1e-9)


def test_a_bridge_over_a_change_of_rates(case: Case) -> None:
    """FX-1: 1.10 dollars for a euro at the start, 1.20 at the end."""
    assert bridge(case, "FX-1") == pytest.approx({
        "opening": 330, "new": 120, "expansion": 55, "reactivation": 0, "resume": 0,
        "contraction": 0, "churn": -220, "pause": 0, "late_adjustment": 0, "fx": 15,
        "closing": 300,
    })  # fmt: skip
    net_new = of(case, "mrr_movements", "FX-1", variant="net_new")
    assert net_new == pytest.approx(-45)
    quick = of(case, "quick_ratio", "FX-1")
    assert quick == pytest.approx(0.795454545, abs=1e-9)


def test_every_kind_of_movement(case: Case) -> None:
    """MOV-2: named after what should come out."""
    rows = case.workspace.metric(
        "mrr_movements", by=["account"], where="segment = 'MOV-2'", **MARCH
    ).to_dicts()
    found = {row["account"]: row["movement"] for row in rows if row["value"]}
    assert found == {
        "MOV-2 new": "new",
        "MOV-2 back": "reactivation",
        "MOV-2 resumed": "resume",
        "MOV-2 paused": "pause",
        "MOV-2 churn": "churn",
        "MOV-2 contraction": "contraction",
        "MOV-2 expansion": "expansion",
    }
    assert {row["movement"] for row in rows} == {
        "new", "expansion", "reactivation", "resume", "contraction", "churn", "pause",
        "late_adjustment", "fx",
    }  # fmt: skip


def test_retention_of_revenue(case: Case) -> None:
    """REV-1: the accounts of MOV-1."""
    expected = {
        "net_revenue_retention": 0.7,
        "gross_revenue_retention": 0.65,
        "gross_mrr_churn": 0.35,
        "net_mrr_churn": 0.3,
        "customer_churn_rate": 0.25,
        "customer_retention_rate": 0.75,
    }
    assert {key: of(case, key, "MOV-1") for key in expected} == pytest.approx(expected)


@pytest.mark.parametrize(
    "key",
    [
        "net_revenue_retention",
        "gross_revenue_retention",
        "gross_mrr_churn",
        "net_mrr_churn",
        "customer_churn_rate",
        "customer_retention_rate",
    ],
)
def test_nobody_to_retain_is_null(case: Case, key: str) -> None:
    """REV-2 and CH-3."""
    assert of(case, key, "REV-2") is None


def test_the_seed_formula(case: Case) -> None:
    """NDR-1: (10,000 + 1,500 − 500 − 1,000) / 10,000."""
    assert of(case, "net_revenue_retention", "NDR-1") == 1.0


def test_churn_of_customers(case: Case) -> None:
    """CH-1: 100 at the start; 11 cancel, one of whom joined in the month."""
    assert of(case, "customer_churn_rate", "CH-1") == 0.1
    assert of(case, "customer_retention_rate", "CH-1") == 0.9


def test_a_pause_of_40_days_is_no_churn_one_of_120_is(case: Case) -> None:
    """CH-2; a trial is no customer."""
    span = {"start": "2026-01-01", "end": "2026-06-01"}
    assert of(case, "customer_churn_rate", "CH-2", **span) == 0.5


def test_a_month_as_a_year(case: Case) -> None:
    """CH-4: 2 % a month (given to six places)."""
    year = of(case, "customer_churn_rate", "CH-4", variant="annualized")
    assert year == pytest.approx(0.215283593, abs=1e-6)
    assert year == pytest.approx(1 - 0.98**12, abs=1e-12)
    kept = of(case, "customer_retention_rate", "CH-4", variant="annualized")
    assert kept == pytest.approx(0.98**12, abs=1e-12)
    quarter = {"start": "2026-01-01", "end": "2026-04-01"}
    found = of(case, "customer_churn_rate", "CH-4", variant="annualized", **quarter)
    assert found == pytest.approx(1 - 0.98**4, abs=1e-9)


def test_numbers_that_vendors_publish(case: Case) -> None:
    """Where their definition is ours (vendor_vectors.json)."""
    assert of(case, "gross_mrr_churn", "gross_mrr_churn") == 0.2
    assert of(case, "net_mrr_churn", "gross_mrr_churn") == 0.1
    assert of(case, "net_mrr_churn", "shopify_day") == -0.1
    assert of(case, "gross_mrr_churn", "shopify_day_95") == 0.05
    assert of(case, "customer_churn_rate", "standard") == 0.1
    assert of(case, "net_revenue_retention", "vitally") == 1.1
    assert of(case, "gross_revenue_retention", "vitally") == 0.95
    assert of(case, "net_revenue_retention", "gitlab") == pytest.approx(2 / 3)
    assert of(case, "gross_revenue_retention", "gitlab") == 0.5
    quick = {"quick_a": 2, "quick_b": 6, "quick_c": 3.5, "quick_d": 4.4}
    assert {e: of(case, "quick_ratio", e) for e in quick} == pytest.approx(quick)


def test_cohorts(case: Case) -> None:
    """COH-1: B leaves and comes back."""

    def cohort(key: str, variant: str | None = None) -> list[float]:
        rows = case.workspace.metric(
            key, start="2026-01-01", end="2026-02-01", grain="month",
            where="segment = 'COH-1'", variant=variant,
        ).to_dicts()  # fmt: skip
        assert {str(row["cohort"]) for row in rows} == {"2026-01-01"}
        assert [row["k"] for row in rows] == list(range(5)), "followed until today"
        return [row["value"] for row in rows][:3]

    assert cohort("logo_cohort_retention") == pytest.approx([1.0, 2 / 3, 1.0])
    assert cohort("revenue_cohort_retention") == pytest.approx([1.0, 0.45, 0.875])
    gross = cohort("revenue_cohort_retention", "gross")
    assert gross == pytest.approx([1.0, 0.45, 0.45])


def test_churn_by_cause(tmp_path: Path) -> None:
    """Of six customers one failed to pay, one let a contract run out, one closed its
    account and one ended its subscription; one stays, one pauses."""
    case = Case(tmp_path, now="2026-06-01T06:00")
    paying = {
        "lost": [(10, "2026-01-01", CHANGE)],
        "closed": [(10, "2026-01-01", CHANGE)],
        "canceled": [(10, "2026-01-01", CHANGE)],
        "stays": [(10, "2026-01-01", "")],
    }
    case.facts(
        "subscription_items",
        *(row for name, levels in paying.items() for row in items(name, *levels)),
        *items("paused", (10, "2026-01-01", ""), paused_from="2026-03-10T00:00"),
        *items("failed", (10, "2026-02-10", ""), status="past_due"),
    )
    case.facts(
        "accounts",
        *segment("all", [*paying, "paused", "failed"]),
        {"account_id": "closed", "segment": "all", "lifecycle_stage": "Closed"},
    )
    case.facts(
        "contracts",
        {"account_id": "lost", "term_start": "2025-03-15", "term_end": CHANGE, "outcome": "cancelled"},
        {"account_id": "stays", "term_start": "2025-03-15", "term_end": CHANGE, "outcome": "renewed"},
        {"account_id": "canceled", "term_start": "2024-03-15", "term_end": "2025-03-15", "outcome": "cancelled"},
    )  # fmt: skip
    case.roll_up()
    causes = case.by("customer_churn_rate", "cause", **MARCH)
    assert causes == pytest.approx(
        {
            "failed_payment": 1 / 6,
            "lost_contract": 1 / 6,
            "closed_account": 1 / 6,
            "canceled_subscription": 1 / 6,
        }
    )
    assert case.value("customer_churn_rate", **MARCH) == pytest.approx(4 / 6)
    rows = case.workspace.metric(
        "customer_churn_rate", by=["segment", "cause"], where="cause = 'lost_contract'", **MARCH
    ).to_dicts()  # fmt: skip
    assert [(r["segment"], r["numerator"], r["denominator"]) for r in rows] == [
        ("all", 1, 6)
    ]
    april = {"start": "2026-04-01", "end": "2026-05-01"}
    assert set(case.by("customer_churn_rate", "cause", **april).values()) == {0}
