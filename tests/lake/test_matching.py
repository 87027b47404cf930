"""Which accounts a condition fits: by hand, by another computation, on past days."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennial.core.errors import BadValue, UnknownName
from perennial.lake import matching, segmentbook, segments
from perennial.lake.segmentbook import Segment
from perennial.metrics import conditions
from perennial.metrics.conditions import Condition, Group, Not, Row, read
from tests.builders import Case
from tests.metrics.test_conditions import documents, row

AS_OF = date(2026, 6, 1)
NOW = "2026-06-01T06:00"


def ago(days: int) -> str:
    return f"{AS_OF - timedelta(days=days)}T10:00"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Five accounts; `a` used two features lately, `b` only long ago."""
    found = Case(tmp_path_factory.mktemp("lake"), now=NOW, timezone="Europe/Berlin")
    found.facts(
        "accounts",
        {"account_id": "a", "name": "Anvil", "segment": "Small", "owner_email": "Al@x.example",
         "created_at": "2025-01-01T00:00", "properties": json.dumps({"size": 40, "tags": ["vip", "pilot"]})},
        {"account_id": "b", "name": "Basalt", "segment": "Large", "created_at": "2025-01-01T00:00",
         "properties": json.dumps({"size": "9", "tags": ["pilots"], "signed": "2026-03-31"})},
        {"account_id": "c", "name": "Cobalt", "created_at": ago(10)},
        {"account_id": "d", "name": "Dolomite", "segment": "Small", "country": "SE",
         "created_at": "2025-01-01T00:00"},
        {"account_id": "t", "name": "Test", "is_test": True},
    )  # fmt: skip
    found.facts(
        "subscription_items",
        *(
            {"subscription_id": f"s{key}", "account_id": key, "mrr": mrr, "valid_from": "2025-02-01T00:00"}
            for key, mrr in (("a", 100), ("b", 250), ("d", 10))
        ),
    )  # fmt: skip
    found.facts(
        "seat_contracts",
        {"account_id": "a", "seats": 2, "starts_at": "2025-02-01T00:00"},
        {"account_id": "b", "seats": 4, "starts_at": "2025-02-01T00:00"},
    )
    found.facts(
        "contracts",
        {"account_id": "a", "term_start": "2025-07-01", "term_end": "2026-07-01"},
        {"account_id": "b", "term_start": "2025-12-01", "term_end": "2026-12-01"},
    )
    found.facts(
        "touchpoints",
        {"touchpoint_id": "p1", "account_id": "a", "at": ago(5), "kind": "call"},
        {"touchpoint_id": "p2", "account_id": "b", "at": ago(50), "kind": "call"},
    )
    found.facts(
        "tickets", {"ticket_id": "t1", "account_id": "b", "opened_at": ago(3), "priority": "high"},
    )  # fmt: skip
    found.facts(
        "survey_responses",
        {"response_id": "r", "kind": "nps", "score": 3, "account_id": "b", "answered_at": ago(20)},
    )  # fmt: skip
    events = [("u1", "a", ago(n), "Export") for n in range(1, 8)]
    events += [("u1", "a", ago(n), "Board") for n in (2, 40)]
    events += [("u2", "b", ago(n), "Export") for n in range(40, 50)]
    events += [("u2", None, ago(20), "Invoice Failed")]
    found.facts("event_definitions", {"name": "Invoice Failed", "kind": "system"})
    found.facts("memberships", {"user_id": "u2", "account_id": "b"})
    found.events(*events)
    found.refresh(as_of=AS_OF)
    return found


def ids(case: Case, document: Any, as_of: date | None = None) -> str:
    return "".join(matching.matching(case.workspace, read(document), as_of))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"all": []}, "abcd"),
        ({"any": []}, ""),
        (row("mrr", "at_least", 100), "ab"),
        (row("mrr", "more_than", 100), "b"),
        (row("mrr", "at_most", 10), "cd"),
        (row("license_use", "unknown"), "cd"),
        (row("segment", "is", ["Small", "Large"]), "abd"),
        (row("segment", "is_not", "Small"), "bc"),
        (row("segment", "unknown"), "c"),
        (row("owner", "is", "al@X.example"), "a"),
        (row("name", "contains", "AL"), "bc"),
        (row("state", "is", "paying"), "abd"),
        (row("renewal", "within", 30), "a"),
        (row("renewal", "within", 29), ""),
        (row("renewal", "not_within", 30), "bcd"),
        (row("renewal", "from", "2026-07-02"), "b"),
        (row("last_touch", "within", 30), "a"),
        (row("last_touch", "not_within", 30), "bcd"),
        (row("created", "within", 10), "c"),
        (row("created", "within", 9), ""),
        (row("created", "before", "2026-01-01"), "abd"),
        (row("license_use", "at_least", 0.5), "a"),
        (row("license_use", "less_than", 0.5), "b"),
        (row("nps", "at_most", 6), "b"),
        (row("open_tickets", "at_least", 1), "b"),
        (row("tags", "is", "pilot"), "a"),
        (row("tags", "is", ["pilot", "pilots"]), "ab"),
        (row("tags", "is_not", "vip"), "bcd"),
        (row("attribute:size", "at_least", 9), "ab"),
        (row("attribute:size", "at_least", 10), "a"),
        (row("attribute:size", "is", "40"), "a"),
        (row("attribute:signed", "before", "2026-04-01"), "b"),
        (row("attribute:never", "known"), ""),
        (row("attribute:never", "is_not", "x"), "abcd"),
        (row("feature:Export", "at_least", 7, days=7), "a"),
        (row("feature:Export", "at_least", 7, days=6), ""),
        (row("feature:Export", "at_least", 1, days=60), "ab"),
        (row("feature:Export", "less_than", 1, days=30), "bcd"),
        (row("feature:Nothing", "less_than", 1), "abcd"),
        (row("event:Invoice Failed", "at_least", 1, days=20), "b"),
        (row("event:Invoice Failed", "at_least", 1, days=19), ""),
        (row("event:Invoice Failed", "less_than", 1), "acd"),
        (row("active_days", "at_least", 7, days=7), "a"),
        (row("active_days", "at_least", 8, days=7), ""),
        (row("active_days", "less_than", 1, days=30), "bcd"),
        (row("metric:feature_uses", "at_least", 8), "a"),
        (row("metric:mrr", "more_than", 100), "b"),
        (row("health_color", "is", "none"), "cd"),
        ({"not": row("mrr", "at_least", 100)}, "cd"),
        ({"all": [row("mrr", "known"), {"any": [row("country", "is", "SE"), row("nps", "known")]}]},
         "bd"),
    ],
)  # fmt: skip
def test_rows_fit_whom_they_say(case: Case, document: Any, expected: str) -> None:
    assert ids(case, document) == expected


def test_changes_fall_and_rise(case: Case) -> None:
    """`a` has one active user now and one before; `b` one before and none now."""
    assert ids(case, row("active_users_change", "fell_by", 1)) == "b"
    assert ids(case, row("active_users_change", "fell_by", 0.01)) == "b"
    assert ids(case, row("active_users_change", "rose_by", 0.01)) == ""


def test_an_unknown_metric_is_refused(case: Case) -> None:
    with pytest.raises(UnknownName):
        ids(case, row("metric:shoe_size", "at_least", 1))
    with pytest.raises(BadValue, match="not one number"):
        ids(case, row("metric:mrr_movements", "at_least", 1))


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_logic_is_set_logic(case: Case, data: st.DataObject) -> None:
    """Groups are intersections, unions and complements of what their parts fit."""
    everybody = set("abcd")
    drawn = documents(depth=1).filter(lambda d: "member_of" not in json.dumps(d))
    parts = [read(data.draw(drawn)) for _ in range(2)]

    def fit(condition: Condition) -> set[str]:
        return set(matching.matching(case.workspace, condition))

    first, second = map(fit, parts)
    assert fit(Group("all", tuple(parts))) == first & second
    assert fit(Group("any", tuple(parts))) == first | second
    assert fit(Not(parts[0])) == everybody - first


def test_each_row_tells_how_many_are_left(case: Case) -> None:
    narrowed = read(
        {"all": [row("mrr", "known"), row("mrr", "at_least", 100), row("nps", "known")]}
    )
    assert matching.counts(case.workspace, narrowed) == [4, 2, 1]
    widened = read({"any": [row("nps", "known"), row("mrr", "known")]})
    assert matching.counts(case.workspace, widened) == [1, 4]
    assert matching.counts(case.workspace, conditions.EVERYBODY) == []


# --- the past ----------------------------------------------------------------


def test_an_earlier_day_knows_nothing_of_later_ones(case: Case) -> None:
    day = AS_OF - timedelta(days=15)
    assert ids(case, {"all": []}, day) == "abd"  # c came later
    assert (
        ids(case, row("last_touch", "within", 30), day) == ""
    )  # b's was 35 days before
    assert ids(case, row("last_touch", "within", 35), day) == "b"
    assert ids(case, row("nps", "known"), day) == "b"
    assert ids(case, row("nps", "known"), AS_OF - timedelta(days=21)) == ""
    assert ids(case, row("open_tickets", "at_least", 1), day) == ""
    assert ids(case, row("feature:Export", "at_least", 1, days=30), day) == "b"
    assert ids(case, row("renewal", "within", 45), day) == "a"


def test_texts_are_what_they_were(tmp_path: Path) -> None:
    case = Case(tmp_path, now="2026-05-01T06:00")
    account = {"account_id": "a", "created_at": "2025-01-01T00:00"}
    case.facts(
        "accounts", {**account, "segment": "Small", "properties": '{"size": "1"}'}
    )
    case.refresh(as_of=date(2026, 5, 1))
    case.at("2026-05-10T06:00")
    case.facts(
        "accounts", {**account, "segment": "Large", "properties": '{"size": "2"}'}
    )
    case.refresh(as_of=date(2026, 5, 10))
    for key, was, now in (("segment", "Small", "Large"), ("attribute:size", "1", "2")):
        assert ids(case, row(key, "is", now)) == "a"
        assert ids(case, row(key, "is", was)) == ""
        assert ids(case, row(key, "is", was), date(2026, 5, 5)) == "a"
        assert ids(case, row(key, "is", now), date(2026, 5, 5)) == ""


# --- segments ----------------------------------------------------------------


def test_members_are_written_down_day_by_day(tmp_path: Path) -> None:
    case = Case(tmp_path, now="2026-05-01T06:00")

    def account(key: str, country: str) -> None:
        case.facts("accounts", {"account_id": key, "country": country})

    def told() -> list[tuple[str, str, str]]:
        rows = sorted(
            case.table(segments.MEMBERS),
            key=lambda r: (r["account_id"], r["starts_on"]),
        )
        return [(r["account_id"], str(r["starts_on"]), str(r["ends_on"])) for r in rows]

    account("a", "SE")
    account("b", "DE")
    case.refresh(as_of=date(2026, 5, 1))
    swedes = Segment("swedes", "Swedes", Row("country", "is", ("SE",)))
    segments.keep(case.workspace, swedes, by="al")
    assert told() == [("a", "2026-05-01", "None")]
    assert segments.members(case.workspace, "swedes") == ["a"]

    case.at("2026-05-02T06:00")
    account("a", "DE")
    account("b", "SE")
    case.refresh(as_of=date(2026, 5, 2))
    moved = [("a", "2026-05-01", "2026-05-02"), ("b", "2026-05-02", "None")]
    assert told() == moved
    case.refresh(as_of=date(2026, 5, 2), full=True)
    assert told() == moved
    case.refresh(as_of=date(2026, 4, 20))  # the past is another day's business
    assert told() == moved

    case.at("2026-05-02T09:00")
    account("b", "DE")  # left again on the day it entered
    case.refresh(as_of=date(2026, 5, 2))
    assert ("b", "2026-05-02", "2026-05-02") in told()
    case.at("2026-05-03T09:00")
    segments.keep(case.workspace, swedes, by="al", is_archived=True)
    assert segmentbook.known(case.workspace) == {}


def test_a_segment_that_would_go_round_is_not_kept(tmp_path: Path) -> None:
    case = Case(tmp_path, now="2026-05-01T06:00")
    case.facts("accounts", {"account_id": "a", "country": "SE"})
    case.refresh(as_of=date(2026, 5, 1))
    space = case.workspace
    segments.keep(space, Segment("x", "X", Row("country", "is", ("SE",))), by="al")
    segments.keep(space, Segment("y", "Y", Row("member_of", "is_not", ("x",))), by="al")
    assert segments.members(space, "y") == []
    with pytest.raises(BadValue, match="circle"):
        segments.keep(space, Segment("x", "X", Row("member_of", "is", ("y",))), by="al")
    assert segments.members(space, "x") == ["a"]


def test_metrics_are_asked_of_a_segment(case: Case) -> None:
    """`in_segment` speaks of whoever is in it now."""
    rich = Segment("rich", "Rich", Row("mrr", "at_least", 100.0))
    segments.keep(case.workspace, rich, by="al")
    assert case.value("mrr", where="in_segment = 'rich'") == 350
    assert case.value("mrr", where="in_segment = 'rich' and segment = 'Large'") == 250
    assert case.value("mrr", where="not in_segment in ('rich')") == 10
    assert case.value("active_accounts", where="in_segment = 'rich'") == 1
    small = Segment("any", "Any", Row("mrr", "at_least", 1.0))
    segments.keep(case.workspace, small, by="al")
    assert case.by("mrr", "in_segment") == {"rich": 350, "any": 360}
    moved = case.workspace.metric("mrr_movements", by=["in_segment"], as_of=AS_OF)
    assert {row["in_segment"] for row in moved.to_dicts()} <= {"rich", "any"}


def test_metrics_are_asked_by_measures(case: Case) -> None:
    """Measures are those of now; what nobody knows is refused, not zero."""
    assert case.value("mrr", where="mrr >= 100 and segment = 'Large'") == 250
    assert case.value("active_accounts", where="mrr < 100") == 0
    colors = case.by("mrr", "health_color")
    assert sum(colors.values()) == case.value("mrr") == 360
    for unknown in ("sgement = 'Large'", "not nothing = 1"):
        with pytest.raises(UnknownName, match="unknown attribute"):
            case.value("mrr", where=unknown)
