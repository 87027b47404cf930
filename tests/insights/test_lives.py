"""How long customers stay, read from subscriptions whose lives are known."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from perennial.core.errors import UnknownName
from tests.builders import Case


def item(account: str, since: str, until: str | None, **more: Any) -> dict[str, Any]:
    return {
        "subscription_id": f"{account}-{since}",
        "account_id": account,
        "item_id": "",
        "mrr": Decimal(100),
        "interval": "month",
        "valid_from": since,
        "valid_to": until,
        **more,
    }


#: Paid months: 2 and still, 5 ended, 3 ended and 4 ended (a return), 12 and still.
MONTHLY = (
    item("a", "2026-04-01", None),
    item("b", "2025-06-01", "2025-11-01"),
    item("c", "2025-01-01", "2025-04-01"),
    item("c", "2025-10-01", "2026-02-01"),
    item("d", "2025-06-01", None),
)
LONGER = (
    item("year", "2025-01-01", "2026-01-01", interval="year"),
    item("contract", "2025-01-01", "2025-07-01"),
)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    case = Case(tmp_path / "lake" / "default", now="2026-06-01T06:00")
    names = ("a", "b", "c", "d", "year", "contract")
    case.facts(
        "accounts",
        *({"account_id": n, "segment": "Small" if n < "c" else "Large"} for n in names),
    )
    case.facts("subscription_items", *MONTHLY, *LONGER)
    half_year = {"term_start": "2025-01-01", "term_end": "2025-07-01"}
    case.facts(
        "contracts", {"account_id": "contract", "acv": Decimal(600), **half_year}
    )
    case.roll_up()
    return case


def shares(rows: list[dict[str, Any]]) -> dict[int, float]:
    return {row["month"]: round(row["survival"], 4) for row in rows}


def test_lives_of_who_may_leave_every_month(case: Case) -> None:
    rows = case.workspace.insight("survival").to_dicts()
    # Ends after 3, 4 and 5 months, of 4, 3 and 2 still there; the others still are.
    told = shares(rows)
    assert told[2] == 1
    assert (told[3], told[4], told[5]) == (0.75, 0.5, 0.25)
    assert {told[k] for k in range(5, 13)} == {0.25}
    assert [row["at_risk"] for row in rows[:7]] == [5, 5, 5, 4, 3, 2, 1]
    assert {(row["n"], row["ended"], row["median"]) for row in rows} == {(5, 3, 4.0)}
    assert {row["status"] for row in rows} == {"insufficient"}
    assert {row["p_groups_alike"] for row in rows} == {None}


def test_all_customers_are_those_of_longer_terms_too(case: Case) -> None:
    rows = case.workspace.insight("survival", params={"terms": "all"}).to_dicts()
    assert {(row["n"], row["ended"]) for row in rows} == {(7, 5)}
    with pytest.raises(UnknownName):
        case.workspace.insight("survival", params={"terms": "weekly"})


def test_a_life_belongs_to_the_group_it_began_in(case: Case) -> None:
    """A move to another segment ends no life, and does not move it."""
    before = case.workspace.insight("survival", by=["segment"]).to_dicts()
    assert {(r["segment"], r["n"], r["ended"]) for r in before} == {
        ("Small", 2, 1),
        ("Large", 3, 2),
    }
    case.refresh()
    case.at("2026-06-10T06:00")
    case.facts("accounts", {"account_id": "a", "segment": "Large"})
    case.refresh()
    after = case.workspace.insight("survival", by=["segment"]).to_dicts()
    assert {(r["segment"], r["n"], r["ended"]) for r in after} == {
        ("Small", 2, 1),
        ("Large", 3, 2),
    }
