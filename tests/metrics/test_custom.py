"""Metrics of people's own: worked examples, versions, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perennial.core.errors import BadValue, PerennialError, UnknownName
from perennial.lake import definitions
from tests.builders import Case, instant

MAY: dict[str, Any] = {"start": "2026-05-01", "end": "2026-06-01"}
#: Priority, hours open, replies, account: midnight in Berlin is 22:00 UTC.
TICKETS = [
    ("t1", "acme", "2026-04-30T22:00", "urgent", 1),
    ("t2", "acme", "2026-05-10T08:00", "low", 4),
    ("t3", "bolt", "2026-05-20T08:00", "urgent", 2),
    ("t4", "bolt", "2026-05-31T22:00", "urgent", 9),
    ("t5", "tests", "2026-05-20T08:00", "urgent", 9),
]
#: User, account, instant, event, properties.
EVENTS = [
    ("ann", "acme", "2026-05-02T08:00", "Exported", {"rows": 10, "kind": "csv"}),
    ("ann", "acme", "2026-05-03T08:00", "Exported", {"rows": 30, "kind": "xlsx"}),
    ("bob", "bolt", "2026-05-03T08:00", "Exported", {"rows": 2.5, "kind": "csv"}),
    ("bob", "bolt", "2026-05-03T09:00", "Exported", {"kind": "csv"}),
    ("bob", "bolt", "2026-04-30T21:59", "Exported", {"rows": 1, "kind": "csv"}),
    ("tim", "tests", "2026-05-03T08:00", "Exported", {"rows": 999, "kind": "csv"}),
    ("ann", "acme", "2026-05-03T08:30", "Looked", {}),
]


def event(
    nth: int, user: str, account: str, at: str, name: str, said: Any
) -> dict[str, Any]:
    return {
        "event_id": f"e{nth}",
        "event": name,
        "timestamp": at,
        "received_at": at,
        "user_id": user,
        "account_id": account,
        "properties": json.dumps(said),
    }


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return company(tmp_path)


def company(path: Path) -> Case:
    case = Case(path, now="2026-06-10T06:00", timezone="Europe/Berlin")
    case.facts(
        "accounts",
        {"account_id": "acme", "segment": "SMB"},
        {"account_id": "bolt", "segment": "ENT"},
        {"account_id": "tests", "is_test": True},
    )
    case.facts(
        "tickets",
        *(
            {
                "ticket_id": id_,
                "account_id": account,
                "opened_at": at,
                "priority": priority,
                "agent_replies": replies,
            }
            for id_, account, at, priority, replies in TICKETS
        ),
    )
    case.facts("events", *(event(n, *row) for n, row in enumerate(EVENTS)))
    return case


def define(case: Case, key: str = "mine", **values: Any) -> None:
    said = {"key": key, "title": "Mine", **values}
    at = instant("2026-06-10T06:00")
    definitions.define(case.lake, said, by="ann@example.com", at=at)


#: What a definition says, and what comes of it in May.
OF_FACTS: list[tuple[dict[str, Any], float | None, int]] = [
    ({"measure": "count"}, 3, 3),
    ({"measure": "count", "where": "priority = 'urgent'"}, 2, 2),
    ({"measure": "unique", "column": "account_id"}, 2, 3),
    ({"measure": "sum", "column": "agent_replies"}, 7, 3),
    ({"measure": "average", "column": "agent_replies"}, 7 / 3, 3),
    ({"measure": "percentile", "column": "agent_replies"}, 2, 3),
    ({"measure": "percentile", "column": "agent_replies", "percentile": 90}, 4, 3),
    ({"measure": "ratio", "part": "priority = 'urgent'"}, 2 / 3, 3),
    ({"measure": "ratio", "where": "account_id = 'none'", "part": "priority = 'urgent'"}, None, 0),
    ({"measure": "count", "where": "account_id = 'none'"}, 0, 0),
]  # fmt: skip
OF_EVENTS: list[tuple[dict[str, Any], float]] = [
    ({"measure": "count", "where": "event = 'Exported'"}, 4),
    ({"measure": "count", "where": "event = 'Exported' and kind = 'csv'"}, 3),
    ({"measure": "unique", "column": "user_id"}, 2),
    ({"measure": "unique", "column": "kind"}, 2),
    ({"measure": "sum", "column": "rows"}, 42.5),
    ({"measure": "average", "column": "rows", "where": "rows > 5"}, 20),
    ({"measure": "percentile", "column": "rows", "percentile": 50}, 10),
    ({"measure": "ratio", "part": "kind = 'csv'", "where": "event = 'Exported'"}, 0.75),
]  # fmt: skip


@pytest.fixture(scope="module")
def all_at_once(tmp_path_factory: pytest.TempPathFactory) -> Case:
    case = company(tmp_path_factory.mktemp("custom"))
    for n, (values, _value, _n) in enumerate(OF_FACTS):
        define(case, f"fact{n}", table="tickets", **values)
    for n, (values, _value) in enumerate(OF_EVENTS):
        define(case, f"event{n}", table="events", **values)
    case.roll_up()
    return case


@pytest.mark.parametrize("nth", range(len(OF_FACTS)))
def test_of_facts(all_at_once: Case, nth: int) -> None:
    _, value, n = OF_FACTS[nth]
    (row,) = all_at_once.workspace.metric(f"fact{nth}", **MAY).to_dicts()
    assert (row["value"], row["n"]) == (pytest.approx(value), n)


@pytest.mark.parametrize("nth", range(len(OF_EVENTS)))
def test_of_events_and_their_properties(all_at_once: Case, nth: int) -> None:
    found = all_at_once.value(f"event{nth}", **MAY)
    assert found == pytest.approx(OF_EVENTS[nth][1])


def test_like_every_other_metric(case: Case) -> None:
    define(case, table="tickets", measure="count")
    define(case, "exports", table="events", measure="count", where="event = 'Exported'")
    case.roll_up()
    assert case.by("mine", "segment", **MAY) == {"SMB": 2, "ENT": 1}
    assert case.by("mine", "priority", **MAY) == {"urgent": 2, "low": 1}
    assert case.by("exports", "user", **MAY) == {"ann": 2, "bob": 2}
    assert case.value("exports", where="segment = 'ENT'", **MAY) == 2
    weeks = case.workspace.metric("exports", grain="week", **MAY).to_dicts()
    assert [row["value"] for row in weeks] == [4, 0, 0, 0, 0]
    told = case.workspace.metric("mine", **MAY).explain()
    assert told["formula"] == "number of tickets"
    assert sum(row["value"] for row in told["behind"]) == told["rows"][0]["value"]
    assert "mine" in case.workspace.catalog


def test_an_earlier_version_can_be_asked_for(case: Case) -> None:
    define(case, table="events", measure="count", where="event = 'Exported'")
    case.roll_up()
    define(case, table="events", measure="count", where="event = 'Looked'")
    case.roll_up()
    assert case.value("mine", **MAY) == 1
    assert case.value("mine", params={"version": "1"}, **MAY) == 4
    kept = definitions.history(case.lake)
    assert [(k.definition.version, k.changed_by) for k in kept] == [
        (1, "ann@example.com"),
        (2, "ann@example.com"),
    ]
    with pytest.raises(UnknownName):
        case.value("mine", params={"version": "3"}, **MAY)
    # Defined as before, it is not a new version.
    define(case, table="events", measure="count", where="event = 'Looked'")
    assert len(definitions.history(case.lake)) == 2
    retired = instant("2026-06-10T07:00")
    definitions.retire(case.lake, "mine", by="bob@example.com", at=retired)
    with pytest.raises(UnknownName):
        case.value("mine", **MAY)
    with pytest.raises(UnknownName):
        definitions.retire(case.lake, "mine", by="bob@example.com", at=retired)


def test_new_events_and_new_people_are_counted(case: Case) -> None:
    """What comes later gives what a full build gives."""
    define(case, table="events", measure="unique", column="user_id")
    case.roll_up()
    case.facts(
        "events",
        event(90, "eve", "acme", "2026-05-20T08:00", "Exported", {}),
        {**event(91, "", "acme", "2026-05-21T08:00", "Exported", {}), "user_id": None, "anonymous_id": "d1"},
    )  # fmt: skip
    case.roll_up()
    assert case.value("mine", **MAY) == 3
    case.facts(
        "identities",
        {"kind": "anonymous", "previous_id": "d1", "user_id": "kim", "at": "2026-05-21T09:00"},
    )  # fmt: skip
    case.roll_up()
    assert case.value("mine", **MAY) == 4
    step_by_step = sorted(map(repr, case.table("definition_days")))
    case.refresh(full=True)
    assert sorted(map(repr, case.table("definition_days"))) == step_by_step


@pytest.mark.parametrize(
    "values",
    [
        {"table": "costs", "measure": "count"},
        {"table": "tickets", "measure": "guess"},
        {"table": "tickets", "measure": "sum"},
        {"table": "tickets", "measure": "sum", "column": "priority"},
        {"table": "tickets", "measure": "count", "column": "priority"},
        {"table": "tickets", "measure": "count", "where": "nothing = 1"},
        {"table": "tickets", "measure": "count", "where": "1; drop table"},
        {"table": "tickets", "measure": "ratio"},
        {"table": "tickets", "measure": "count", "at": "priority"},
        {"table": "tickets", "measure": "count", "key": "mrr"},
        {"table": "tickets", "measure": "count", "key": "No Key"},
        {"table": "tickets", "measure": "count", "title": " "},
        {"table": "tickets", "measure": "count", "more": 1},
        {"table": "tickets", "measure": "percentile", "column": "agent_replies", "percentile": 100},
    ],
)  # fmt: skip
def test_what_makes_no_metric_is_refused(all_at_once: Case, values: Any) -> None:
    known = definitions.history(all_at_once.lake)
    with pytest.raises(PerennialError):
        define(all_at_once, **values)
    assert definitions.history(all_at_once.lake) == known


def test_a_definition_is_complete() -> None:
    with pytest.raises(BadValue, match="not complete"):
        definitions.Definition.of({"key": "mine"})
