"""When recurring revenue begins and ends, beyond the worked examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perennial.core.errors import BadValue
from perennial.core.settings import JSON, Settings
from perennial.lake import settings_store
from tests.builders import Case, instant
from tests.metrics.subscriptions import items

Run = tuple[str, int, bool, bool]


def runs(case: Case, account: str) -> list[Run]:
    """First day, MRR, paused and involuntary, of each run."""
    rows = [r for r in case.table("mrr_ledger") if r["account_id"] == account]
    rows.sort(key=lambda row: row["date_from"])
    return [
        (
            str(row["date_from"]),
            row["mrr_e4"] // 10_000,
            row["is_paused"],
            row["is_involuntary"],
        )
        for row in rows
    ]


def states(account: str, *found: tuple[str, str]) -> list[dict[str, Any]]:
    """The states of one item, each open until the next."""
    return [
        items(account, (10, since, ""), status=status)[0] for status, since in found
    ]


def test_states_of_an_item_follow_each_other(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.facts(
        "subscription_items",
        *states("canceled", ("active", "2026-01-01"), ("canceled", "2026-02-01")),
        *states("failed", ("active", "2026-01-01"), ("past_due", "2026-02-01")),
        *states(
            "given up",
            ("active", "2026-01-01"),
            ("past_due", "2026-02-01"),
            ("unpaid", "2026-02-15"),
        ),
        *states(
            "recovered",
            ("active", "2026-01-01"),
            ("past_due", "2026-02-01"),
            ("active", "2026-02-10"),
        ),
        *states("paused", ("active", "2026-01-01"), ("paused", "2026-02-01")),
    )
    case.roll_up()
    begins = ("2026-01-01", 10, False, False)
    assert {name: runs(case, name)[1:] for name in ("canceled", "paused")} == {
        "canceled": [("2026-02-01", 0, False, False)],
        "paused": [("2026-02-01", 0, True, False)],
    }
    assert runs(case, "failed") == [begins, ("2026-03-03", 0, False, True)]
    assert runs(case, "given up") == [begins, ("2026-02-15", 0, False, True)]
    assert runs(case, "recovered") == [begins]
    span = {"start": "2026-02-01", "end": "2026-04-01"}
    rates = {
        variant: case.value("customer_churn_rate", variant=variant, **span)
        for variant in ("period", "voluntary", "involuntary")
    }
    assert rates == {"period": 0.6, "voluntary": 0.2, "involuntary": 0.4}


def recognize(case: Case, when: str, at: str) -> None:
    """Let cancellations count by another rule."""
    values: dict[str, JSON] = {"churn_recognition": when}
    settings_store.change(case.lake, values, by="test", at=instant(at))
    case.roll_up()


def test_a_cancellation_can_count_with_the_notice(tmp_path: Path) -> None:
    """Notice in February for the end of May: MRR ends as the setting says."""
    case = Case(tmp_path)
    notice = {
        "cancel_requested_at": "2026-02-10T12:00",
        "cancel_effective_at": "2026-04-01T00:00",
    }
    renewed = {"cancel_requested_at": "2026-01-05T12:00"}
    case.facts(
        "subscription_items",
        *items("A", (10, "2026-01-01", "2026-05-31"), **notice),
        *items("B", (10, "2026-01-10", ""), **renewed),
    )
    case.roll_up()
    ended = {name: runs(case, name)[-1][0] for name in "AB"}
    assert ended == {"A": "2026-05-31", "B": "2026-01-10"}
    recognize(case, "cancel_effective", "2026-06-01T06:00")
    ended = {name: runs(case, name)[-1][0] for name in "AB"}
    assert ended == {"A": "2026-04-01", "B": "2026-01-10"}
    recognize(case, "cancel_requested", "2026-06-01T06:01")
    assert runs(case, "A")[-1] == ("2026-02-10", 0, False, False)
    assert runs(case, "B") == [], "notice had been given before it began"
    february = {"start": "2026-02-01", "end": "2026-03-01"}
    assert case.value("customer_churn_rate", **february) == 1


@pytest.mark.parametrize(
    "value", [{"churn_recognition": "never"}, {"customers_known_from": "soon"}]
)
def test_settings_that_say_nothing_are_refused(value: dict[str, str]) -> None:
    with pytest.raises(BadValue):
        Settings().with_values(value)
