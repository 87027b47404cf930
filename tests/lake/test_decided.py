"""What people decide of accounts, against whatever sources say."""

from __future__ import annotations

import json
import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennial.lake import decided
from perennial.lake.decided import Decision, decide, release
from tests.builders import Case

NOW = "2026-05-01T06:00"


def account(case: Case, key: str = "a") -> dict[str, Any]:
    [row] = [r for r in case.table("accounts") if r["account_id"] == key]
    return row


def imported(case: Case, **values: Any) -> None:
    properties = values.pop("properties", None)
    told = {"properties": json.dumps(properties)} if properties else {}
    case.facts("accounts", {"account_id": "a", **values, **told})


@pytest.fixture
def case(tmp_path: Path) -> Case:
    found = Case(tmp_path, now=NOW)
    imported(found, owner_email="al@x", segment="Small", properties={"size": 4})
    found.facts(
        "subscription_items",
        {"subscription_id": "s", "account_id": "a", "mrr": 5, "valid_from": "2026-01-01T00:00"},
    )  # fmt: skip
    found.refresh(as_of=date(2026, 5, 1))
    return found


def test_a_decision_holds_against_imports_until_it_is_released(case: Case) -> None:
    decide(case.workspace, [Decision("a", "owner_email", "bo@x")], by="bo")
    assert account(case)["owner_email"] == "bo@x"
    imported(case, owner_email="cy@x", segment="Large", properties={"size": 5})
    assert account(case)["owner_email"] == "bo@x"
    assert account(case)["segment"] == "Large"
    assert decided.decisions_of(case.lake, "a") == {"owner_email": "cy@x"}
    release(case.workspace, [("a", "owner_email")])
    assert account(case)["owner_email"] == "cy@x"
    assert decided.decisions_of(case.lake, "a") == {}
    imported(case, owner_email="di@x")
    assert account(case)["owner_email"] == "di@x"


def test_attributes_of_their_own_live_among_the_properties(case: Case) -> None:
    space = case.workspace
    decide(
        space, [Decision("a", "tags", ["vip", "é"]), Decision("a", "size", 9)], by="bo"
    )
    assert json.loads(account(case)["properties"]) == {"tags": ["vip", "é"], "size": 9}
    imported(case, properties={"size": 5, "color": "red"})
    held = {"tags": ["vip", "é"], "size": 9, "color": "red"}
    assert json.loads(account(case)["properties"]) == held
    decide(space, [Decision("a", "size", None)], by="bo")
    assert "size" not in json.loads(account(case)["properties"])
    release(space, [("a", "size"), ("a", "tags"), ("a", "never")])
    assert json.loads(account(case)["properties"]) == {"color": "red", "size": 5}


def test_lists_and_history_follow_in_the_same_step(case: Case) -> None:
    case.at("2026-05-03T09:00")
    decide(case.workspace, [Decision("a", "owner_email", "bo@x")], by="bo")
    [shown] = case.table("account_measures")
    assert shown["owner_email"] == "bo@x"
    assert shown["mrr_e4"] == 50_000
    now = {r["name"]: r["value"] for r in case.table("account_attributes")}
    assert now["owner_email"] == "bo@x"
    [was] = case.table("former_attributes")
    assert (was["name"], was["value"], was["date_to"]) == (
        "owner_email", "al@x", date(2026, 5, 3),
    )  # fmt: skip
    case.refresh(as_of=date(2026, 5, 3))
    assert len(case.table("former_attributes")) == 1


def test_nobody_waits_for_a_long_refresh(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attributes follow with what is rolled up next; the account itself at once."""
    monkeypatch.setattr(decided, "_PATIENCE_S", 0.05)
    holds, done = threading.Event(), threading.Event()

    def rolling_up() -> None:
        with case.lake.lock("roll_up"):
            holds.set()
            done.wait(20)

    other = threading.Thread(target=rolling_up)
    other.start()
    holds.wait(20)
    decide(case.workspace, [Decision("a", "owner_email", "bo@x")], by="bo")
    assert account(case)["owner_email"] == "bo@x"
    assert case.table("account_measures")[0]["owner_email"] == "bo@x"
    assert attribute(case, "owner_email") == "al@x"
    done.set()
    other.join()
    case.roll_up()
    assert attribute(case, "owner_email") == "bo@x"


def attribute(case: Case, name: str) -> str:
    held = {r["name"]: r["value"] for r in case.table("account_attributes")}
    return str(held[name])


def test_an_archived_account_is_in_no_list_of_customers(case: Case) -> None:
    decide(case.workspace, [Decision("a", "archived", True)], by="bo")
    assert case.table("account_measures")[0]["state"] == "archived"
    assert case.value("mrr") == 5  # what was paid was paid
    release(case.workspace, [("a", "archived")])
    assert case.table("account_measures")[0]["state"] == "paying"


def test_an_account_that_only_events_know_can_be_decided(case: Case) -> None:
    case.events(("u", "z", "2026-04-30T10:00"))
    case.refresh(as_of=date(2026, 5, 1))
    decide(case.workspace, [Decision("z", "name", "Zinc")], by="bo")
    assert account(case, "z")["name"] == "Zinc"
    assert {r["name"] for r in case.table("account_measures")} == {"a", "Zinc"}


VALUES = st.sampled_from(["x", "y", None])
STEPS = st.lists(
    st.tuples(st.sampled_from(["import", "decide", "release"]), VALUES), max_size=6
)


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(STEPS)
def test_the_person_wins_else_the_last_import(case: Case, steps: list[Any]) -> None:
    """Whatever the order: a decision in force, else what was imported last."""
    release(case.workspace, [("a", "plan")])
    imported(case, plan="start")
    said, held, is_held = "start", None, False
    for step, value in steps:
        if step == "import":
            imported(case, plan=value)
            # A source that agrees with the person is not told from a row written back.
            if not (is_held and value == held):
                said = value
        elif step == "decide":
            decide(case.workspace, [Decision("a", "plan", value)], by="bo")
            held, is_held = value, True
        else:
            release(case.workspace, [("a", "plan")])
            is_held = False
        assert account(case)["plan"] == (held if is_held else said)
