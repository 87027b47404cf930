"""A closed month keeps its number; what came late moves the month that was open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perennial.core.errors import BadValue
from perennial.core.settings import Settings
from perennial.lake import merged, settings_store
from tests.builders import Case, instant
from tests.metrics.subscriptions import items, moved

MONTHS = {"start": "2026-02-01", "end": "2026-07-01", "grain": "month"}


def lived_through(path: Path, *days: str) -> Case:
    """A workspace that was refreshed on these days, the last one today."""
    case = Case(path, now=f"{days[0]}T06:00")
    case.facts(
        "subscription_items",
        *items("gone", (100, "2025-06-01", "")),
        *items("less", (80, "2025-06-01", "")),
        *items("still", (500, "2025-06-01", "")),
        *items("rests", (40, "2025-06-01", ""), status="paused"),
    )
    case.roll_up()
    for day in days[1:]:
        case.at(f"{day}T06:00")
        case.roll_up()
    return case


def told_late(case: Case) -> None:
    """On the last day: who left in March, who shrank in April, who came in February."""
    case.facts(
        "subscription_items",
        *items("gone", (100, "2025-06-01", "2026-03-10")),
        *moved("less", 80, 30, "2026-04-20"),
        *moved("come", 0, 70, "2026-02-15"),
        *moved("fresh", 0, 20, "2026-06-02"),
    )
    case.roll_up()


def bridge(case: Case) -> dict[str, dict[str, float]]:
    """Steps that are not zero, by month."""
    rows = case.workspace.metric("mrr_movements", variant="bridge", **MONTHS).to_dicts()
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        month = found.setdefault(str(row["period_start"])[:7], {})
        if row["value"]:
            month[row["movement"]] = row["value"]
    return found


def ledger(case: Case) -> list[dict[str, Any]]:
    rows = case.table("mrr_ledger")
    return sorted(rows, key=lambda row: (row["account_id"], row["date_from"]))


def test_closed_months_stay_and_the_open_one_says_why(tmp_path: Path) -> None:
    case = lived_through(tmp_path, "2026-04-20", "2026-05-05", "2026-06-10")
    told_late(case)
    steady = {"opening": 680.0, "closing": 680.0}
    found = bridge(case)
    assert found == {
        **dict.fromkeys(("2026-02", "2026-03", "2026-04", "2026-05"), steady),
        "2026-06": {
            "opening": 680.0,
            "new": 20.0,
            "late_adjustment": -100.0 - 50 + 70,
            "closing": 620.0,
        },
    }
    by_account = case.workspace.metric(
        "mrr_movements", start="2026-06-01", end="2026-06-10", by=["account"]
    ).to_dicts()
    late = {
        row["account"]: (row["value"], row["n"])
        for row in by_account
        if row["movement"] == "late_adjustment" and row["value"]
    }
    assert late == {"gone": (-100, 1), "less": (-50, 1), "come": (70, 1)}
    net = case.value(
        "mrr_movements", variant="net_new", start="2026-06-01", end="2026-06-10"
    )
    assert net == -60

    # June closes with what it said, and July begins with it.
    case.at("2026-07-05T06:00")
    case.roll_up()
    case.facts("subscription_items", *items("still", (450, "2025-06-01", "")))
    case.roll_up()
    assert bridge(case) == found
    july = case.workspace.metric("mrr_movements", start="2026-07-01", end="2026-07-05")
    moves = {row["movement"]: row["value"] for row in july.to_dicts() if row["value"]}
    assert moves == {"late_adjustment": -50}
    before = ledger(case)
    case.workspace.refresh(full=True)
    assert ledger(case) == before


def test_to_merge_accounts_is_no_news_of_a_closed_month(tmp_path: Path) -> None:
    """What they pay goes from one to the other, there and back."""
    case = lived_through(tmp_path, "2026-04-20", "2026-05-05", "2026-06-10")
    before, total = ledger(case), bridge(case)
    merged.merge(case.workspace, "less", "gone", by="al")
    case.roll_up()
    assert bridge(case) == total
    assert {row["account_id"] for row in ledger(case)} == {"gone", "still", "rests"}
    merged.part(case.workspace, "less")
    case.roll_up()
    assert ledger(case) == before


def test_history_is_open_until_the_first_month_closes(tmp_path: Path) -> None:
    """The last day is the second after May: no month has closed yet."""
    case = lived_through(tmp_path, "2026-05-03", "2026-06-02")
    told_late(case)
    plain = lived_through(tmp_path / "once", "2026-06-02")
    told_late(plain)
    assert ledger(case) == ledger(plain)
    assert all(row["late_e4"] is None for row in ledger(case))
    assert bridge(case)["2026-03"]["churn"] == -100


def test_without_late_news_nothing_is_seen_of_closing(tmp_path: Path) -> None:
    def rows(name: str, *days: str) -> list[dict[str, Any]]:
        case = lived_through(tmp_path / name, *days)
        case.facts("subscription_items", *moved("fresh", 0, 20, "2026-06-02"))
        case.roll_up()
        return ledger(case)

    often = rows("often", "2026-03-20", "2026-04-20", "2026-05-20", "2026-06-10")
    assert often == rows("once", "2026-06-10")


def test_another_rule_opens_all_months(tmp_path: Path) -> None:
    case = lived_through(tmp_path, "2026-04-20", "2026-05-05", "2026-06-10")
    told_late(case)
    at = instant("2026-06-10T06:00")
    settings_store.change(case.lake, {"month_close_days": -1}, by="test", at=at)
    case.roll_up()
    assert bridge(case)["2026-03"] == {"opening": 750, "churn": -100, "closing": 650}
    with pytest.raises(BadValue, match="from -1 on"):
        Settings().with_values({"month_close_days": -2})
