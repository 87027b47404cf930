"""Whatever way events come in, the roll-ups are those of one full build."""

from __future__ import annotations

import tempfile
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennial.core.windows import Period
from perennial.lake import refresh
from perennial.lake.local_days import local_days, merged
from perennial.lake.sessions import cut
from perennial.lake.usage import TABLES
from tests.builders import Case, instant

START = instant("2026-03-27T20:00")  # two days before the clocks change in Berlin

users = st.sampled_from(["u1", "u2", None])
accounts = st.sampled_from(["A", "B", None])
names = st.sampled_from(
    ["Report Viewed", "Logged In", "Logged Out", "Heartbeat", "$identify"]
)
sources = st.sampled_from([None, None, "web", "app"])
excluded = st.sampled_from([None, None, None, "bot", "impersonated"])
devices = st.sampled_from(["phone", "laptop"])
lateness = st.sampled_from([0, 0, 34, 35, 36])
# Steps that sit on both sides of the rules: 30 minutes, a day, and near them.
steps = st.sampled_from(
    [0, 1, 60, 1740, 1799, 1800, 1801, 7200, 40_000, 86_400, 200_000]
)


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events with ids, in order of time, over one to three weeks."""
    at, events = START, []
    for number in range(draw(st.integers(1, 40))):
        at += timedelta(seconds=draw(steps))
        events.append(
            {
                "event_id": f"e{number}",
                "event": draw(names),
                "timestamp": at,
                "received_at": at + timedelta(days=draw(lateness)),
                "user_id": draw(users),
                "anonymous_id": draw(devices),
                "account_id": draw(accounts),
                "source_id": draw(sources),
                "excluded_as": draw(excluded),
            }
        )
    if draw(st.booleans()):
        events += _unbroken(at, hours=draw(st.integers(20, 80)))
    return events


hours = st.integers(-40 * 24, 30 * 24)
moments = hours.map(lambda hour: START + timedelta(hours=hour))
people = st.sampled_from(["u1", "u2", "u3"])


@st.composite
def links(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """What an identify or alias call leaves; circles and chains come up."""
    kind = draw(st.sampled_from(["anonymous", "alias"]))
    former = draw(devices if kind == "anonymous" else people | devices)
    row = {"previous_id": former, "user_id": draw(people)}
    return "identities", {**row, "kind": kind, "at": draw(moments)}


@st.composite
def joins(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """What a group call leaves: a membership, sometimes one that ends."""
    starts = draw(st.none() | moments)
    ends = draw(st.none() | st.integers(1, 400))
    row: dict[str, Any] = {
        "user_id": draw(people),
        "account_id": draw(st.sampled_from(["A", "B"])),
        "starts_at": starts,
        "ends_at": ends and (starts or START) + timedelta(hours=ends),
    }
    return "memberships", row


@st.composite
def definitions(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    row = {
        "name": draw(names),
        "kind": draw(st.sampled_from(["feature", "login", "system"])),
        "feature_id": draw(st.none() | st.just("F")),
        "valid_from": draw(st.none() | moments),
    }
    return "event_definitions", row


news = st.lists(links() | joins() | definitions(), max_size=8)


def _unbroken(at: datetime, *, hours: int) -> list[dict[str, Any]]:
    """A client that sends something every 25 minutes, for days."""
    return [
        {
            "event_id": f"beat{n}",
            "event": "Report Viewed",
            "timestamp": at + timedelta(minutes=25 * n),
            "received_at": at + timedelta(minutes=25 * n),
            "user_id": "u1",
            "account_id": "A",
        }
        for n in range(hours * 60 // 25)
    ]


def built(case: Case) -> dict[str, list[tuple[Any, ...]]]:
    """Every usage roll-up as sorted rows."""
    return {
        name: sorted((tuple(row.values()) for row in case.table(name)), key=repr)
        for name in (*TABLES, "presence", "assignments")
    }


def new_case(path: Path) -> Case:
    case = Case(path, timezone="Europe/Berlin")
    case.facts("event_definitions", {"name": "Heartbeat", "kind": "system"})
    case.facts("memberships", {"user_id": "u2", "account_id": "B"})
    return case


@settings(
    max_examples=8,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(history=histories(), facts=news, data=st.data())
def test_any_split_order_and_repetition_gives_the_full_build(
    monkeypatch: pytest.MonkeyPatch,
    history: list[dict[str, Any]],
    facts: list[tuple[str, dict[str, Any]]],
    data: st.DataObject,
) -> None:
    """Events come in any order; what gives them a meaning comes before or after."""
    monkeypatch.setattr(refresh, "_MOST_DAYS", 1000)  # never all because of many days
    shuffled = data.draw(st.permutations(history))
    cuts = data.draw(_cuts(len(history)))
    told = data.draw(_cuts(len(facts), of=len(cuts)))
    with tempfile.TemporaryDirectory() as folder:
        whole = new_case(Path(folder) / "whole")
        whole.facts("events", *history)
        for table, row in facts:
            whole.facts(table, row)
        whole.roll_up()
        parts = new_case(Path(folder) / "parts")
        for number, ((low, high), (first, last)) in enumerate(
            zip(pairwise(cuts), pairwise(told), strict=True)
        ):
            again = shuffled[max(0, low - 3) : low]  # some come twice
            if shuffled[low:high] or again:
                parts.facts("events", *again, *shuffled[low:high])
            for table, row in facts[first:last]:
                parts.facts(table, row)
            done = parts.roll_up()
            assert number == 0 or done.usage_days is not None
        assert built(parts) == built(whole)
        assert_invariants(whole)


@st.composite
def _cuts(draw: st.DrawFn, length: int, of: int | None = None) -> list[int]:
    """Where to cut a list into parts, ends included; `of` that many places."""
    inner = st.integers(0, length)
    size = {"max_size": 3} if of is None else {"min_size": of - 2, "max_size": of - 2}
    return [0, *sorted(draw(st.lists(inner, **size))), length]


def assert_invariants(case: Case) -> None:
    """Section 16 of the reference: seconds add up, sessions never overlap."""
    sessions = case.table("sessions")
    days = case.table("user_days")
    assert sum(s["duration_ms"] for s in sessions) == sum(
        d["duration_ms"] for d in days
    )
    assert all(s["duration_ms"] <= 86_400_000 for s in sessions)
    there: dict[str, set[date]] = {}
    for d in days:
        if d["user_id"] and d["events"]:
            there.setdefault(d["user_id"], set()).add(d["date"])
    rows = {(d["user_id"], d["date"], d["previous_on"]) for d in case.table("presence")}
    assert rows == {
        (user, day, before)
        for user, on in there.items()
        for before, day in pairwise([None, *sorted(on)])
    }
    whose: dict[Any, list[tuple[datetime, datetime]]] = {}
    for s in sessions:
        key = (s["account_id"], s["user_id"])
        whose.setdefault(key, []).append((s["started_at"], s["ended_at"]))
    for spans in whose.values():
        spans.sort()
        assert all(a[1] < b[0] for a, b in pairwise(spans))


def test_late_events_join_two_sessions(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.events(("u", "A", "2026-03-02T09:00"), ("u", "A", "2026-03-02T10:00"))
    case.roll_up()
    assert len(case.table("sessions")) == 2
    case.events(("u", "A", "2026-03-02T09:30"))
    case.roll_up()
    (session,) = case.table("sessions")
    assert (session["events"], session["duration_ms"]) == (3, 3_600_000)


def test_a_new_definition_changes_the_past(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.events(("u", "A", "2026-03-02T09:00", "Ping"))
    case.roll_up()
    assert len(case.table("user_days")) == 1
    case.facts("event_definitions", {"name": "Ping", "kind": "system"})
    case.roll_up()
    assert case.table("user_days") == []
    assert case.table("feature_days") == []


def test_a_membership_attributes_earlier_events(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.events(("u", None, "2026-03-02T09:00"))
    case.roll_up()
    assert [d["account_id"] for d in case.table("user_days")] == [None]
    case.facts("memberships", {"user_id": "u", "account_id": "A"})
    case.roll_up()
    assert [d["account_id"] for d in case.table("user_days")] == ["A"]


def test_usage_added_up_elsewhere(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.facts(
        "subscription_items",
        {
            "subscription_id": "s",
            "account_id": "A",
            "item_id": "",
            "mrr": 10,
            "valid_from": "2026-01-01T00:00",
        },
    )
    usage = {"date": "2026-03-02", "feature_id": "F", "uses": 3, "seconds": 90}
    case.facts(
        "usage",
        {**usage, "subscription_id": "s"},
        {**usage, "account_id": "B", "user_id": "u"},
    )
    case.roll_up()
    assert {d["account_id"]: d["uses"] for d in case.table("feature_days")} == {
        "A": 3,
        "B": 3,
    }
    assert {d["account_id"]: d["duration_ms"] for d in case.table("user_days")} == {
        "A": 90_000,
        "B": 90_000,
    }
    assert case.value("active_accounts", start="2026-03-01", end="2026-03-05") == 2
    assert case.value("dau", start="2026-03-02", end="2026-03-03") == 1


def test_nothing_new_builds_nothing(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.events(("u", "A", "2026-03-02T09:00"))
    case.refresh()
    before = {
        name: case.lake.snapshot(name).version
        for name in (*TABLES, "mrr_ledger", "account_measures", "health_snapshots")
    }
    case.refresh()
    assert before == {name: case.lake.snapshot(name).version for name in before}


def test_spans_that_touch_are_one() -> None:
    first = START.date()
    day = timedelta(days=1)
    spans = [
        Period(first + 9 * day, first + 11 * day),
        Period(first, first + 5 * day),
        Period(first + 2 * day, first + 3 * day),
        Period(first + 5 * day, first + 6 * day),
    ]
    assert merged(spans) == [
        Period(first, first + 6 * day),
        Period(first + 9 * day, first + 11 * day),
    ]


def test_a_utc_day_reaches_into_two_local_days() -> None:
    day = date(2026, 3, 2)
    assert local_days({day}, ZoneInfo("UTC")) == {day}
    assert local_days({day}, ZoneInfo("Asia/Tokyo")) == {day, date(2026, 3, 3)}
    assert local_days({day}, ZoneInfo("America/Lima")) == {date(2026, 3, 1), day}


@given(gaps=st.lists(st.integers(0, 50), max_size=60), longest=st.integers(1, 200))
def test_cutting_keeps_every_event_in_pieces_short_enough(
    gaps: list[int], longest: int
) -> None:
    times = [0]
    for gap in gaps:
        times.append(times[-1] + gap)
    pieces = list(cut(times, longest))
    assert sum(events for _, _, events in pieces) == len(times)
    assert all(last - first <= longest for first, last, _ in pieces)
    assert all(a[1] < b[0] for a, b in pairwise(pieces))
