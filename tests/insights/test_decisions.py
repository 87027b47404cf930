"""Who had to decide when, and how: by contracts, and without any."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from perennial.lake import decisions
from perennial.scoring.decisions import of_usual_terms
from tests.builders import Case
from tests.insights import company


def test_every_contract_that_ended_is_a_decision(case: Case) -> None:
    found = decisions.decided(case.workspace)
    expected = {(account, end, stays) for account, end, stays, _ in company.fates()}
    rows = found.select("account_id", "decided_on", "renewed").iter_rows()
    assert set(rows) == expected
    assert found["mrr_e4"].to_list() == [1_000_000] * company.ACCOUNTS
    assert found["decided_on"].is_sorted()
    assert set(found["segment"]) == {"Small", "Large"}
    assert not found["is_monthly"].any()


def test_nothing_is_known_of_what_was_decided_later(case: Case) -> None:
    day = date(2025, 9, 1)
    found = decisions.decided(case.workspace, as_of=day)
    expected = [a for a, end, *_ in company.fates() if end < day]
    assert sorted(found["account_id"]) == sorted(expected)


def test_a_condition_chooses_accounts(case: Case) -> None:
    found = decisions.decided(case.workspace, where="segment = 'Small'")
    assert len(found) == company.ACCOUNTS / 2


def item(account: str, start: str, end: str | None, **more: Any) -> dict[str, Any]:
    return {
        "subscription_id": f"{account}{start}",
        "account_id": account,
        "item_id": "",
        "mrr": Decimal(10),
        "valid_from": start,
        "valid_to": end,
        **more,
    }


def test_without_contracts_terms_are_those_of_the_bill(tmp_path: Path) -> None:
    case = Case(tmp_path, now="2026-06-01T06:00")
    case.facts(
        "subscription_items",
        item("stays", "2026-01-10", None),
        item("left", "2025-11-20", "2026-03-05"),
        # A week without is no end; the way out after it is.
        item("gap", "2025-10-01", "2025-12-01"),
        item("gap", "2025-12-08", "2026-02-08"),
        # Ended ten days ago: may still come back.
        item("open", "2026-03-22", "2026-05-22"),
        item("yearly", "2024-02-01", "2026-03-01", interval="year"),
        item("new", "2026-05-20", None),
    )
    case.roll_up()
    every = decisions.decided(case.workspace, every_month=True)
    rows = {
        account: part.select("decided_on", "renewed").rows()
        for (account,), part in every.group_by("account_id", maintain_order=True)
    }
    assert rows["stays"] == [(date(2026, m, 10), True) for m in (2, 3, 4, 5)]
    assert rows["left"] == [
        *((date(2025, 12, 20), True), (date(2026, 1, 20), True)),
        *((date(2026, 2, 20), True), (date(2026, 3, 5), False)),
    ]
    assert rows["gap"][-1] == (date(2026, 2, 8), False)
    assert [renewed for _, renewed in rows["gap"]].count(False) == 1
    assert [r for _, r in rows["open"]] == [True]
    assert rows["yearly"] == [
        *(
            (date(2025, 2, 1), True),
            (date(2026, 2, 1), True),
            (date(2026, 3, 1), False),
        ),
    ]
    assert "new" not in rows
    # Of months only the last decision of an account counts, and not one still open.
    last = decisions.decided(case.workspace)
    assert dict(
        last.filter("is_monthly").select("account_id", "renewed").iter_rows()
    ) == {"stays": True, "left": False, "gap": False}
    assert len(last.filter(pl.col("account_id") == "yearly")) == 3


def test_usual_terms_are_those_of_most_of_a_segment() -> None:
    cases = pl.DataFrame(
        {
            "segment": ["A"] * 5 + ["B"] * 3 + [None] * 2,
            "term_days": [365, 366, 365, 92, 30, 30, 30, 365, 90, 91],
        }
    )
    told = of_usual_terms(cases).to_list()
    assert told == [True, True, True, False, False, True, True, False, True, True]
