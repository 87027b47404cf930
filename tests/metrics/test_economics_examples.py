"""Revenue per user, lifetimes and costs: the worked examples."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from perennial.core.survival import Spell
from perennial.core.windows import add_months
from perennial.metrics.lifetimes import lifetime
from tests.builders import Case
from tests.metrics.subscriptions import items

APRIL: dict[str, Any] = {"start": "2026-04-01", "end": "2026-05-01"}
MAY: dict[str, Any] = {"start": "2026-05-01", "end": "2026-06-01"}
#: Churned and, of 200 customers each month began with, so many per thousand.
CHURNED = (4, 6, 5, 3, 4, 2)


def cost(month: str, category: str, amount: float) -> dict[str, Any]:
    return {"month": month, "category": category, "amount": Decimal(str(amount))}


def steady(
    mrr: float, customers: int, churned: tuple[int, ...], until: str
) -> Iterator[dict[str, Any]]:
    """Items of a company that always has so many customers: whoever leaves with the
    end of a month is replaced at once. The churn is that of its last months."""
    end = date.fromisoformat(until)
    months = [add_months(end, -n) for n in range(len(churned), 0, -1)]
    live = [(f"c{n}", date(2025, 1, 1)) for n in range(customers)]
    made = customers
    for month, gone in zip(months, churned, strict=True):
        # Who leaves before the month is over did not pay at its end.
        last = add_months(month, 1).replace(day=1)
        for _ in range(gone):
            account, since = live.pop(0)
            yield from items(account, (mrr, str(since), str(_day_before(last))))
            live.append((f"c{made}", _day_before(last)))
            made += 1
    for account, since in live:
        yield from items(account, (mrr, str(since), ""))


def _day_before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


def test_revenue_per_user(tmp_path: Path) -> None:
    """ARPU-1: 12,000 in a month of 380 users that becomes one of 420, 400 on average."""
    case = Case(tmp_path)
    case.facts("subscription_items", *items("A", (12_000, "2026-01-01", "")))
    free = items("free", (0, "2026-01-01", ""))
    case.facts("subscription_items", *free)
    members = [
        {
            "user_id": f"u{n}",
            "account_id": "A",
            "starts_at": f"2026-{'01-01' if n < 380 else '04-16'}T00:00",
        }
        for n in range(420)
    ]
    case.facts("memberships", *members, {"user_id": "f", "account_id": "free"})
    case.roll_up()
    (row,) = case.workspace.metric("arpu", **APRIL).to_dicts()
    assert (row["numerator"], row["denominator"], row["value"]) == (12_000, 400, 30)
    assert case.value("mrr", as_of="2026-05-01") == 12_000
    assert case.value("arpu", variant="cash", **APRIL) is None, "nothing was paid"


def test_usage_and_cash(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.facts("subscription_items", *items("A", (100, "2026-01-01", "2026-04-16")))
    case.facts("memberships", {"user_id": "u", "account_id": "A"})
    paid = {"account_id": "A", "paid_at": "2026-04-10T00:00"}
    case.facts(
        "payments",
        {**paid, "payment_id": "1", "kind": "usage", "amount": Decimal(119), "tax": Decimal(19)},
        {**paid, "payment_id": "2", "kind": "recurring", "amount": Decimal(100)},
        {**paid, "payment_id": "3", "kind": "refund", "amount": Decimal(30)},
        {**paid, "payment_id": "4", "kind": "one_off", "amount": Decimal(999)},
    )  # fmt: skip
    case.roll_up()
    # Half of the month's 100, and 100 of usage; one user for half of the month.
    assert case.value("arpu", **APRIL) == (50 + 100) / 0.5
    assert case.value("arpu", variant="cash", **APRIL) == (100 + 100 - 30) / 0.5


class TestSteadyCompany:
    """200 customers who pay 100 each, churn as in CLV-2, cogs a fifth of revenue."""

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, tmp_path_factory: pytest.TempPathFactory) -> Case:
        case = Case(tmp_path_factory.mktemp("steady"))
        case.facts("subscription_items", *steady(100, 200, CHURNED, "2026-06-01"))
        may = "2026-05-01"
        case.facts("costs", cost(may, "cogs", 4_000), cost(may, "sales", 50))
        case.roll_up()
        return case

    def test_value_by_margin_and_churn(self, case: Case) -> None:
        """CLV-2: six months with a mean churn of 2 %."""
        assert case.value("arpa", **MAY) == 100
        (row,) = case.workspace.metric("clv", **MAY).to_dicts()
        assert row["value"] == pytest.approx(4000)
        assert row["numerator"] == pytest.approx(80)
        assert row["denominator"] == pytest.approx(0.02)
        assert case.value("clv", variant="capped", **MAY) == pytest.approx(4000)

    def test_without_costs_there_is_no_margin(self, case: Case) -> None:
        (row,) = case.workspace.metric("clv", **APRIL).to_dicts()
        assert (row["value"], row["status"]) == (None, "no_data")
        assert case.value("clv_survival", **APRIL) is None

    def test_few_months_are_insufficient(self, case: Case) -> None:
        early = {"start": "2025-05-01", "end": "2025-06-01"}
        (row,) = case.workspace.metric("clv", **early).to_dicts()
        assert (row["value"], row["status"]) == (None, "insufficient")


def test_a_vendors_value(tmp_path: Path) -> None:
    """`ltv` of vendor_vectors.json, 100 / 5 %: what costs nothing is all margin."""
    case = Case(tmp_path)
    case.facts("subscription_items", *steady(100, 20, (1,) * 6, "2026-06-01"))
    case.facts("costs", cost("2026-05-01", "cogs", 0))
    case.roll_up()
    assert case.value("clv", **MAY) == pytest.approx(2000)


def test_nobody_leaves(tmp_path: Path) -> None:
    """CLV-3 and CAC-2."""
    case = Case(tmp_path)
    case.facts("subscription_items", *items("A", (100, "2025-01-01", "")))
    costs = {"cogs": 20, "sales": 60_000, "cs_payroll": 10}
    case.facts("costs", *(cost("2026-05-01", *named) for named in costs.items()))
    case.roll_up()
    assert case.value("clv", **MAY) is None
    assert case.value("clv", variant="capped", **MAY) == pytest.approx(4800)
    assert case.value("cac", **MAY) is None
    for key in ("ltv_cac", "cac_payback", "customer_roi", "clv_simple"):
        (row,) = case.workspace.metric(key, **MAY).to_dicts()
        assert (row["value"], row["status"]) == (None, "no_data"), key


def test_simple_value(tmp_path: Path) -> None:
    """CLV-1: 50 a month, as long as the one who left stayed: three years."""
    case = Case(tmp_path)
    case.facts("subscription_items", *items("gone", (70, "2023-02-01", "2026-02-01")))
    case.facts("subscription_items", *items("here", (50, "2024-05-05", "")))
    case.roll_up()
    assert case.value("clv_simple", as_of="2026-05-01") == 1800


def test_survival_curve() -> None:
    """KM-1 and KM-2, and a curve that goes on."""
    watched = zip((1, 2, 2, 3, 4, 5), (1, 1, 0, 1, 0, 0), strict=True)
    found = lifetime([Spell(d, bool(ended)) for d, ended in watched], parts=1)
    assert found.at(range(5)) == pytest.approx([1, 5 / 6, 4 / 6, 4 / 9, 4 / 9])
    assert 80 * found.months(5, 0) == pytest.approx([271.111111111])
    assert 80 * found.months(5, 0.01) == pytest.approx([266.967126], abs=1e-4)
    hazard = (1 / 6 + 1 / 5 + 1 / 3) / 5
    assert found.hazard == pytest.approx(hazard)
    assert found.at([7]) == pytest.approx([4 / 9 * (1 - hazard) ** 2])
    assert found.months(8, 0, observed=True) == found.months(6, 0)
    at_ages = found.months(2, 0, ages=[0, 2])
    assert at_ages == pytest.approx([1 + 5 / 6, 1 + 4 / 9 / (4 / 6)])
    assert isnan(lifetime([]).months(3, 0)[0])


def test_survival_of_subscriptions(tmp_path: Path) -> None:
    """KM-1 and KM-2: the same lives as facts, ARPA 100, four fifths of it margin."""
    case = Case(tmp_path, clv_horizon_months=5, clv_discount_month=0.0)
    lives = zip((1, 2, 2, 3, 4, 5), (1, 1, 0, 1, 0, 0), strict=True)
    now = date(2026, 5, 1)
    rows = []
    for n, (months, ended) in enumerate(lives):
        # Who has left did so at different times; who is here began so long ago.
        until = date(2026, 2, 1) if ended else now
        since = add_months(until, -months)
        level = (100, str(since), str(until) if ended else "")
        rows += items(f"{n}", level)
    case.facts("subscription_items", *rows)
    case.facts("costs", cost("2026-04-01", "cogs", 60))
    case.roll_up()
    (row,) = case.workspace.metric("clv_survival", **APRIL).to_dicts()
    assert row["value"] == pytest.approx(271.111111111)
    assert row["n"] == 6
    discounted = case.workspace.settings.with_values({"clv_discount_month": 0.01})
    found = case.workspace.metric("clv_survival", settings=discounted, **APRIL)
    assert found.value == pytest.approx(266.967126, abs=1e-4)
    # Customer 4 is four months old: S stays as it is for one month, then goes on.
    of_account = case.by("clv_survival", "account", **APRIL)
    hazard = (1 / 6 + 1 / 5 + 1 / 3) / 5
    months = 2 + sum((1 - hazard) ** k for k in (1, 2, 3))
    assert of_account["4"] == pytest.approx(80 * months)
    observed = case.by("clv_survival", "account", variant="observed", **APRIL)
    assert observed["4"] == pytest.approx(80 * 2)
    assert "0" not in of_account, "who has left brings nothing more"


def test_left_truncated_lives(tmp_path: Path) -> None:
    """Records begin in 2026: of those who began before, only who was still there."""
    case = Case(
        tmp_path,
        clv_horizon_months=4,
        clv_discount_month=0.0,
        customers_known_from="2026-01-01",
    )
    lives = {
        "old": ("2025-11-01", ""),
        "old and gone": ("2025-11-01", "2026-02-01"),
        "young and gone": ("2026-01-01", "2026-03-01"),
        "young": ("2026-01-01", ""),
        "long gone": ("2025-01-01", "2025-12-01"),
    }
    rows = [row for name, life in lives.items() for row in items(name, (100, *life))]
    case.facts("subscription_items", *rows)
    case.facts("costs", cost("2026-04-01", "cogs", 0))
    case.roll_up()
    # Two months: two at risk, the old ones come under watch then. Three: three.
    curve = [1, 1, 1 / 2, 1 / 2 * 2 / 3]
    assert case.value("clv_survival", **APRIL) == pytest.approx(100 * sum(curve))


def test_retention_cost(tmp_path: Path) -> None:
    """CRC-1: 180 customers that become 220 in the middle of a month of 30 days."""
    case = Case(tmp_path)
    since = ["2026-01-01"] * 180 + ["2026-04-16"] * 40
    rows = [row for n, day in enumerate(since) for row in items(f"{n}", (10, day, ""))]
    case.facts("subscription_items", *rows)
    amounts = {
        "cs_payroll": 50_000, "adoption_programs": 20_000, "professional_services": 15_000,
        "training": 10_000, "customer_marketing": 5_000,
        "sales": 7, "marketing": 7, "cogs": 7,
    }  # fmt: skip
    case.facts("costs", *(cost("2026-04-01", *named) for named in amounts.items()))
    case.roll_up()
    (row,) = case.workspace.metric("crc", **APRIL).to_dicts()
    assert (row["numerator"], row["denominator"], row["value"]) == (100_000, 200, 500)
    variants = {
        "crc_per_customer_end": 454.545454545,
        "crc_per_retained": 100_000 / 180,
        "crc_ratio": 100_000 / 2_000,
    }
    for variant, expected in variants.items():
        found = case.value("crc", variant=variant, **APRIL)
        assert found == pytest.approx(expected, abs=1e-9), variant
    (row,) = case.workspace.metric(
        "crc", start="2026-04-01", end="2026-06-01"
    ).to_dicts()
    assert (row["value"], row["status"]) == (None, "insufficient"), "May has no costs"


class TestCosts:
    """LTVCAC-1 and ROI-1: ARPA 125, margin .8, churn .02, four new a month."""

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, tmp_path_factory: pytest.TempPathFactory) -> Case:
        case = Case(tmp_path_factory.mktemp("costs"))
        case.facts("subscription_items", *steady(125, 200, (4,) * 6, "2026-06-01"))
        leads = [f"c{n}" for n in range(220, 222)]
        case.facts(
            "leads", *({"lead_id": a, "account_id": a, "source": "ads"} for a in leads)
        )
        costs = {
            "cogs": 5_000,
            "sales": 4_000,
            "marketing": 2_000,
            "support_payroll": 4_000,
        }
        case.facts("costs", *(cost("2026-05-01", *named) for named in costs.items()))
        case.facts("costs", cost("2026-03-01", "sales", 3_000))
        case.roll_up()
        return case

    def test_acquisition(self, case: Case) -> None:
        (row,) = case.workspace.metric("cac", **MAY).to_dicts()
        assert (row["numerator"], row["denominator"], row["value"]) == (6_000, 4, 1_500)
        lagged = case.value("cac", params={"lag_months": "2"}, **MAY)
        assert lagged == 750
        params = {"paid_sources": "ads, fairs"}
        assert case.value("cac", variant="paid", params=params, **MAY) == 3_000
        assert case.value("cac", variant="paid", **MAY) is None

    def test_value_to_cost_and_payback(self, case: Case) -> None:
        """LTVCAC-1."""
        assert case.value("clv", **MAY) == pytest.approx(5000)
        assert case.value("ltv_cac", **MAY) == pytest.approx(3.333333333)
        assert case.value("cac_payback", **MAY) == pytest.approx(15)

    def test_return(self, case: Case) -> None:
        """ROI-1: CRC 20 a month for a lifetime of 50 months."""
        assert case.value("crc", **MAY) == pytest.approx(20)
        (row,) = case.workspace.metric("customer_roi", **MAY).to_dicts()
        assert row["value"] == pytest.approx(1.0)
        assert row["denominator"] == pytest.approx(2500)
        assert case.value("customer_roi", variant="short_lived", **MAY) == 0


def test_new_customers_pay_for_acquisition(tmp_path: Path) -> None:
    """CAC-1: 60,000 for 40; those who come back are not new."""
    case = Case(tmp_path)
    rows = items("back", (10, "2025-05-05", "2026-01-01"), (10, "2026-05-05", ""))
    for n in range(40):
        rows += items(f"{n}", (10, "2026-05-05", ""))
    case.facts("subscription_items", *rows)
    case.facts("costs", cost("2026-05-01", "sales", 60_000))
    case.roll_up()
    assert case.value("cac", **MAY) == 1500
