"""Numbers of the past go by what accounts were then (G6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import Case


def item(account: str, amount: int) -> dict[str, object]:
    return {
        "subscription_id": f"s{account}",
        "account_id": account,
        "item_id": "",
        "mrr": amount,
        "valid_from": "2026-01-01T00:00",
    }


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """B moved from SMB to Enterprise on 10 April, and lost its region then."""
    case = Case(tmp_path, now="2026-03-01T06:00")
    case.facts(
        "accounts",
        {"account_id": "A", "segment": "SMB"},
        {"account_id": "B", "segment": "SMB", "properties": '{"region": "north"}'},
    )
    case.facts("subscription_items", item("A", 100), item("B", 300))
    case.events(*((user, user.upper(), f"2026-{m:02}-05T10:00")
                  for user in ("a", "b") for m in (2, 3, 4, 5)))  # fmt: skip
    case.roll_up()
    case.at("2026-04-10T06:00")
    case.facts("accounts", {"account_id": "B", "segment": "Enterprise"})
    case.roll_up()
    case.at("2026-06-01T06:00")
    case.facts("accounts", {"account_id": "C", "segment": "Enterprise"})
    case.roll_up()
    return case


SPAN = {"start": "2026-02-01", "end": "2026-06-01", "grain": "month"}


def by_month(case: Case, key: str, by: str, **asked: str) -> dict[str, list[object]]:
    rows = case.workspace.metric(key, by=[by], **SPAN, **asked).to_dicts()
    found: dict[str, list[object]] = {}
    for row in rows:
        found.setdefault(row[by], []).append(row["value"])
    return found


def test_stock_and_events_go_by_the_segment_of_their_day(case: Case) -> None:
    assert by_month(case, "mrr", "segment") == {
        "SMB": [400, 400, 100, 100],
        "Enterprise": [0, 0, 300, 300],
    }
    # b was active on 5 April, when B was still SMB.
    assert by_month(case, "mau", "segment", variant="calendar") == {
        "SMB": [2, 2, 2, 1],
        "Enterprise": [0, 0, 0, 1],
    }
    assert by_month(case, "customers", "region") == {
        "north": [1, 1, 0, 0],
        None: [1, 1, 2, 2],
    }


def test_conditions_too(case: Case) -> None:
    found = case.workspace.metric("mrr", where="segment = 'SMB'", **SPAN).to_dicts()
    assert [row["value"] for row in found] == [400, 400, 100, 100]


def test_what_is_written_down_stays(case: Case) -> None:
    written = case.table("former_attributes")
    assert {(r["account_id"], r["name"], r["value"], str(r["date_to"])) for r in written} == {
        ("B", "segment", "SMB", "2026-04-10"),
        ("B", "region", "north", "2026-04-10"),
    }  # fmt: skip
    case.roll_up()
    assert case.table("former_attributes") == written


def test_a_new_kind_of_attribute_holds_since_ever(case: Case) -> None:
    case.facts("accounts", {"account_id": "A", "segment": "SMB", "plan": "Pro"})
    case.roll_up()
    assert len(case.table("former_attributes")) == 2


def test_retention_goes_by_the_segment_at_the_start(tmp_path: Path) -> None:
    """SEG-1: B grows from 100 to 300 and moves from SMB to ENT meanwhile."""
    case = Case(tmp_path, now="2026-03-01T06:00")
    segments = {"A": "SMB", "B": "SMB", "C": "ENT"}
    case.facts(
        "accounts", *({"account_id": a, "segment": s} for a, s in segments.items())
    )
    case.facts(
        "subscription_items",
        *(
            item(account, amount)
            for account, amount in (("A", 100), ("B", 100), ("C", 1000))
        ),
    )
    case.roll_up()
    case.at("2026-03-15T06:00")
    case.facts("accounts", {"account_id": "B", "segment": "ENT"})
    for account, amount in (("B", 300), ("C", 900)):
        case.facts(
            "subscription_items",
            {**item(account, amount), "valid_from": "2026-03-20T00:00"},
        )
    case.roll_up()
    case.at("2026-05-01T06:00")
    march = {"start": "2026-03-01", "end": "2026-04-01"}
    kept = case.by("net_revenue_retention", "segment", **march)
    assert kept == {"SMB": 2.0, "ENT": 0.9}
    # Nothing left and nothing came: it only moved.
    for movement in ("churn", "new"):
        where = f"movement = '{movement}'"
        assert case.value("mrr_movements", **march, where=where) == 0
    moved = case.workspace.metric("mrr_movements", by=["segment"], **march).to_dicts()
    amounts = {(r["segment"], r["movement"]): r["value"] for r in moved if r["value"]}
    assert amounts == {("SMB", "expansion"): 200, ("ENT", "contraction"): -100}
    assert case.by("customer_churn_rate", "segment", **march) == {"SMB": 0, "ENT": 0}


def test_a_cohort_keeps_who_changes_segment(case: Case) -> None:
    """B began in SMB and is Enterprise since April: it has not left."""
    asked = {"start": "2026-01-01", "end": "2026-02-01", "grain": "month"}
    for key in ("logo_cohort_retention", "revenue_cohort_retention"):
        for more in ({"by": ["segment"]}, {"where": "segment = 'SMB'"}):
            rows = case.workspace.metric(key, **asked, **more).to_dicts()
            assert {row.get("segment", "SMB") for row in rows} == {"SMB"}
            assert [row["value"] for row in rows] == [1.0] * 5
