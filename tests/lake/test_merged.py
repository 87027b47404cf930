"""Accounts that were merged count as one, and apart again once that is taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from perennial.apps.intake.stream import people
from perennial.core.errors import BadValue
from perennial.lake import merged
from tests.builders import Case

NOW = "2026-05-20T06:00"
#: What is made of facts, and has an account.
DERIVED = ("user_days", "feature_days", "sessions", "account_days", "mrr_ledger",
           "seat_ledger", "assignments", "account_attributes", "request_days",
           "account_measures")  # fmt: skip

Told = Callable[[str], str]


def tell(case: Case, second: Told) -> None:
    """Two accounts with users in both; `second` says what `b` is called."""
    a, b = "a", second("b")
    case.facts("accounts", {"account_id": a, "name": "Ada"})
    if b != a:
        case.facts("accounts", {"account_id": b, "name": "Bo", "segment": "Small"})
    case.facts("accounts", {"account_id": "c", "parent_account_id": b})
    case.facts(
        "memberships",
        {"user_id": "u", "account_id": a, "starts_at": "2026-01-01T00:00"},
        {"user_id": "u", "account_id": b, "starts_at": "2026-02-01T00:00"},
        {"user_id": "v", "account_id": b, "starts_at": "2026-02-01T00:00"},
    )
    case.facts("seat_contracts", {"account_id": a, "seats": 10, "starts_at": "2026-01-01T00:00"})  # fmt: skip
    items = (("s", a, 50), ("t", b, 30))
    case.facts(
        "subscription_items",
        *(
            {"subscription_id": key, "account_id": of, "mrr": mrr, "valid_from": "2026-01-05T00:00"}
            for key, of, mrr in items
        ),
    )  # fmt: skip
    case.facts(
        "tickets",
        {"ticket_id": "t", "account_id": b, "opened_at": "2026-05-02T08:00"},
    )
    clicks(case, b, "2026-05-04T10:00", "2026-05-04T10:10")
    clicks(case, a, "2026-05-04T10:05")
    clicks(case, None, "2026-05-05T10:00")  # of the single account of its user


def clicks(case: Case, account: str | None, *times: str) -> None:
    case.facts(
        "events",
        *(
            {"event_id": f"{account}{at}", "event": "Report Built", "timestamp": at,
             "user_id": "u", "account_id": account}
            for at in times
        ),
    )  # fmt: skip


def derived(case: Case) -> dict[str, list[dict[str, Any]]]:
    """All rows, but the health of past days: nothing rewrites that."""
    rows = {name: case.table(name) for name in DERIVED}
    for row in rows["account_measures"]:
        del row["health_weeks"]
    return {name: sorted(of, key=repr) for name, of in rows.items()}


def numbers(case: Case) -> list[Any]:
    spans = {"start": "2026-04-01", "end": "2026-05-20"}
    return [
        case.by("mrr", "account", **spans),
        case.by("license_utilization", "account", **spans),
        case.value("active_accounts", **spans),
        case.value("customers", **spans),
    ]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "merged", now=NOW)


def test_merged_is_as_if_it_had_been_one_all_along(case: Case, tmp_path: Path) -> None:
    one = Case(tmp_path / "one", now=NOW)
    tell(one, lambda _: "a")
    tell(case, lambda key: key)
    for each in (one, case):
        each.refresh(as_of=date(2026, 5, 20))
    apart, before = derived(case), numbers(case)
    merged.merge(case.workspace, "b", "a", by="ada@x")
    listed = {row["account_id"] for row in derived(case)["account_measures"]}
    assert listed == {"a", "c"}  # at once, before any refresh
    clicks(case, "b", "2026-05-06T09:00")
    clicks(one, "a", "2026-05-06T09:00")
    for each in (one, case):
        each.refresh(as_of=date(2026, 5, 20))
    assert derived(case) == derived(one)
    assert numbers(case) == numbers(one)
    [below] = [r for r in case.table("accounts") if r["account_id"] == "c"]
    assert below["parent_account_id"] == "a"
    merged.part(case.workspace, "b")
    case.lake.delete("events", "timestamp = TIMESTAMPTZ '2026-05-06 09:00:00+00'")
    case.refresh(as_of=date(2026, 5, 20))
    assert derived(case) == apart
    assert numbers(case) == before


def test_seats_that_two_accounts_signed_for_add_up(case: Case) -> None:
    for account, seats, at in (("a", 10, "2026-01-01"), ("b", 5, "2026-02-01")):
        row = {"account_id": account, "seats": seats, "starts_at": f"{at}T00:00"}
        case.facts("seat_contracts", row)
    case.facts("seat_contracts", {"account_id": "b", "seats": 7, "starts_at": "2026-03-01T00:00"})  # fmt: skip
    merged.merge(case.workspace, "b", "a", by="ada@x")
    case.roll_up()
    steps = [(r["account_id"], r["date_from"].month, r["seats"]) for r in case.table("seat_ledger")]  # fmt: skip
    assert sorted(steps) == [("a", 1, 10), ("a", 2, 15), ("a", 3, 17)]


def test_a_merge_leads_on_and_never_in_a_circle(case: Case) -> None:
    for old, new in (("b", "a"), ("a", "c")):
        merged.merge(case.workspace, old, new, by="ada@x")
    assert case.lake.merges == {"b": "c", "a": "c"}
    for old, new in (("c", "b"), ("c", "c"), ("b", "d"), ("d", "a")):
        with pytest.raises(BadValue):
            merged.merge(case.workspace, old, new, by="ada@x")
    merged.part(case.workspace, "a")
    assert case.lake.merges == {"b": "a"}


def test_what_sources_say_of_a_merged_account_is_kept_for_later(case: Case) -> None:
    case.facts("accounts", {"account_id": "a", "name": "Ada"})
    merged.merge(case.workspace, "b", "a", by="ada@x")
    case.facts("accounts", {"account_id": "b", "name": 'Bo\'s "shop"'})
    assert [row["name"] for row in case.table("accounts")] == ["Ada"]
    merged.part(case.workspace, "b")
    assert {row["name"] for row in case.table("accounts")} == {"Ada", 'Bo\'s "shop"'}


def test_the_intake_knows_a_merged_account(case: Case) -> None:
    """Or it would write a bare row over what is kept of it."""
    case.facts("accounts", {"account_id": "b", "name": "Bo"})
    merged.merge(case.workspace, "b", "a", by="ada@x")
    assert people._unknown(case.lake, "accounts", "account_id", {"b", "c"}) == ["c"]
    case.facts("memberships", {"user_id": "u", "account_id": "b", "starts_at": NOW})
    [row] = people._stored(case.lake, "memberships", "user_id", {"u"})
    assert row["account_id"] == "b"
