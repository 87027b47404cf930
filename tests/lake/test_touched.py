"""A change of who, whose and what rebuilds the days it can touch, and no more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from perennial.lake import refresh
from tests.builders import Case, instant

START = instant("2026-03-01T10:00")
DAYS = 60


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Ann, without an account, and her phone, each with an event on each day."""
    case = Case(tmp_path)
    rows = []
    for day in range(DAYS):
        at = START + timedelta(days=day)
        event = {"timestamp": at, "received_at": at, "event": f"Step {day % 10}"}
        rows += [
            {**event, "event_id": f"a{day}", "user_id": "ann"},
            {**event, "event_id": f"p{day}", "anonymous_id": "phone"},
            {**event, "event_id": f"b{day}", "user_id": "ben", "account_id": "B"},
        ]
    case.facts("events", *rows)
    case.facts("memberships", {"user_id": "ann", "account_id": "A"})
    assert case.roll_up().usage_days is None
    return case


def days_of(case: Case, **wanted: str | None) -> int:
    """Rows of `user_days` with these values."""
    rows = case.table("user_days")
    return sum(all(row[k] == v for k, v in wanted.items()) for row in rows)


def test_a_second_account_from_some_day_on(case: Case) -> None:
    assert days_of(case, user_id="ann", account_id="A") == DAYS
    joined = START + timedelta(days=DAYS - 5)
    row = {"user_id": "ann", "account_id": "B", "starts_at": joined}
    case.facts("memberships", row)
    assert case.roll_up().usage_days == 5
    assert days_of(case, user_id="ann", account_id="A") == DAYS - 5
    assert days_of(case, user_id="ann", account_id=None) == 5
    case.facts("memberships", {**row, "ends_at": joined + timedelta(days=2)})
    assert case.roll_up().usage_days == 3
    assert days_of(case, user_id="ann", account_id=None) == 2


def test_a_membership_of_somebody_else(case: Case) -> None:
    """Nothing to do, and done only once."""
    case.facts("memberships", {"user_id": "ben", "account_id": "A"})
    assert case.roll_up().usage_days == 0
    version = case.lake.snapshot("memberships").version
    assert case.lake.progress("account_days", "memberships") == version
    before = case.lake.snapshot("account_days").version
    assert case.roll_up().usage_days == 0
    assert case.lake.snapshot("account_days").version == before


def test_the_owner_of_a_device(case: Case) -> None:
    at = START + timedelta(days=DAYS + 25)
    link = {"previous_id": "phone", "user_id": "ann", "kind": "anonymous", "at": at}
    case.facts("identities", link)
    assert case.roll_up().usage_days == 10  # of the 35 days before the link
    events = {row["date"]: row["events"] for row in case.table("user_days")}
    found = [r["events"] for r in case.table("user_days") if r["user_id"] == "ann"]
    assert sorted(found) == [1] * (DAYS - 10) + [2] * 10
    assert len(events) == DAYS


def test_the_meaning_of_a_name(case: Case) -> None:
    row = {"name": "Step 3", "kind": "system"}
    case.facts("event_definitions", row)
    assert case.roll_up().usage_days == DAYS // 10
    assert days_of(case, user_id="ben") == DAYS - DAYS // 10
    until = {**row, "valid_to": START + timedelta(days=30)}
    case.facts("event_definitions", until)
    assert case.roll_up().usage_days == DAYS // 20
    assert days_of(case, user_id="ben") == DAYS - DAYS // 20


def test_what_touches_most_days_builds_all(case: Case) -> None:
    alias = {"previous_id": "ann", "user_id": "anna", "kind": "alias", "at": START}
    case.facts("identities", alias)
    assert case.roll_up().usage_days is None
    assert days_of(case, user_id="anna", account_id="A") == DAYS


def test_usage_added_up_elsewhere_follows_an_alias(case: Case) -> None:
    usage = {"user_id": "old", "account_id": "A", "feature_id": "F"}
    case.facts("usage", {**usage, "date": "2026-04-10", "uses": 1})
    case.roll_up()
    assert days_of(case, user_id="old") == 1
    alias = {"previous_id": "old", "user_id": "new", "kind": "alias", "at": START}
    case.facts("identities", alias)
    assert case.roll_up().usage_days == 1
    assert (days_of(case, user_id="old"), days_of(case, user_id="new")) == (0, 1)


def test_a_forgotten_past_builds_all(case: Case) -> None:
    joined = START + timedelta(days=DAYS - 5)
    row = {"user_id": "ann", "account_id": "A", "starts_at": None}
    case.facts("memberships", {**row, "ends_at": joined})  # replaces the file
    case.lake.vacuum("memberships", retention=timedelta(0))
    assert case.roll_up().usage_days is None
    assert days_of(case, user_id="ann", account_id=None) == 5


def test_an_alias_of_a_user_with_an_account(case: Case) -> None:
    for day in (3, 40):
        at = START + timedelta(days=day)
        row = {"event": "x", "timestamp": at, "received_at": at, "account_id": "B"}
        case.facts("events", {**row, "event_id": f"c{day}", "user_id": "cleo"})
    case.roll_up()
    alias = {"previous_id": "cleo", "user_id": "ben", "kind": "alias", "at": START}
    case.facts("identities", alias)
    assert case.roll_up().usage_days == 2
    assert (days_of(case, user_id="cleo"), days_of(case, user_id="ben")) == (0, DAYS)
    assert [
        s["user_id"] for s in case.table("assignments") if s["account_id"] == "B"
    ] == ["ben"]


def heard(case: Case, day: int, **whose: str) -> None:
    at = START + timedelta(days=day)
    row = {"event_id": f"h{day}{whose}", "event": "x", "timestamp": at}
    case.facts("events", {**row, "received_at": at, **whose})


def test_an_account_reaches_former_ids_and_devices(case: Case) -> None:
    """A membership of today's id, for events that carry another."""
    for former, kind in (("old", "alias"), ("tablet", "anonymous")):
        link = {"previous_id": former, "user_id": "new", "kind": kind, "at": START}
        case.facts("identities", link)
    heard(case, 5, user_id="old")
    heard(case, 15, anonymous_id="tablet")
    case.roll_up()
    assert days_of(case, user_id="new", account_id=None) == 2
    case.facts("memberships", {"user_id": "new", "account_id": "C"})
    assert case.roll_up().usage_days == 2
    assert days_of(case, user_id="new", account_id="C") == 2


def test_an_alias_brings_its_memberships(case: Case) -> None:
    """What was said of the former id holds for the events of the new one."""
    case.facts("memberships", {"user_id": "old", "account_id": "C"})
    heard(case, 5, user_id="new")
    case.roll_up()
    alias = {"previous_id": "old", "user_id": "new", "kind": "alias", "at": START}
    case.facts("identities", alias)
    assert case.roll_up().usage_days == 1
    assert days_of(case, user_id="new", account_id="C") == 1


def test_a_device_follows_the_alias_of_its_user(case: Case) -> None:
    link = {"previous_id": "tablet", "user_id": "old", "at": START}
    case.facts("identities", {**link, "kind": "anonymous"})
    heard(case, 5, anonymous_id="tablet", account_id="B")
    case.roll_up()
    assert days_of(case, user_id="old") == 1
    alias = {"previous_id": "old", "user_id": "new", "at": START}
    case.facts("identities", {**alias, "kind": "alias"})
    assert case.roll_up().usage_days == 1
    assert days_of(case, user_id="new") == 1


def test_a_break_by_a_new_meaning_moves_a_cut_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without a pause is cut after 24 hours, on a day without a change."""
    monkeypatch.setattr(refresh, "_MOST_DAYS", 1000)
    case = Case(tmp_path)
    first = instant("2026-03-01T23:50")
    case.events(("u", "A", first.isoformat(), "Boot"))
    times = [first + timedelta(minutes=20 * n) for n in range(1, 74)]
    case.events(*(("u", "A", at.isoformat()) for at in times))
    case.roll_up()
    starts = sorted(s["started_at"] for s in case.table("sessions"))
    assert starts == [first, first + timedelta(hours=24, minutes=20)]
    case.facts("event_definitions", {"name": "Boot", "kind": "system"})
    assert case.roll_up().usage_days == 1
    (session,) = case.table("sessions")
    assert (session["started_at"], session["ended_at"]) == (times[0], times[-1])
