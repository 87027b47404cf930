"""Whose an event is, which account's, and whether it counts (G3, G4)."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.lake import meaning, touched
from perennial.lake.meaning import persons
from tests.builders import Case, instant

START = instant("2026-03-01T00:00")


def heard(at: str | datetime, user: str | None = None, **more: Any) -> dict[str, Any]:
    """An event; its name, if not given, is its time, so that it can be told apart."""
    row = {"event": str(at), "timestamp": at, "received_at": at, "user_id": user}
    return {"event_id": f"{row['event']}-{user}", "account_id": "A", **row, **more}


def link(former: str, user: str, at: str | datetime, kind: str = "anonymous") -> Any:
    return {"previous_id": former, "user_id": user, "kind": kind, "at": at}


def users_of(case: Case) -> dict[str, str | None]:
    """The user counted for each event, by its name."""
    case.roll_up()
    return {row["feature_id"]: row["user_id"] for row in case.table("feature_days")}


def test_an_alias_holds_for_ever(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.facts("events", heard("2020-01-01T00:00", "old"), heard("2026-05-01", "new"))
    case.facts("identities", link("old", "new", "2026-05-01T10:00", "alias"))
    assert set(users_of(case).values()) == {"new"}
    assert [seat["user_id"] for seat in case.table("assignments")] == ["new"]


def test_aliases_make_chains(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.facts("events", *(heard(f"2026-05-0{n}", f"u{n}") for n in (1, 2, 3)))
    case.facts("identities", link("u2", "u3", "2026-05-01T00:00", "alias"))
    case.facts("identities", link("u1", "u2", "2026-05-02T00:00", "alias"))
    assert set(users_of(case).values()) == {"u3"}


def test_the_newest_alias_counts_and_circles_are_one_person() -> None:
    assert persons({"a": (2, "b"), "b": (1, "a")}) == {"a": "b"}
    assert persons({"a": (1, "b"), "b": (2, "a")}) == {"b": "a"}
    ring = {"a": (1, "b"), "b": (3, "c"), "c": (2, "a")}
    assert persons({**ring, "x": (9, "a")}) == {"a": "c", "b": "c", "x": "c"}
    assert persons({}) == {}


def test_a_device_before_sign_in(tmp_path: Path) -> None:
    """The first link at or after an event within 35 days, else the last before it."""
    case = Case(tmp_path)
    times = {
        "2026-02-10T11:59:59": None,  # more than 35 days before anybody signed in
        "2026-02-10T12:00:00": "ann",
        "2026-03-17T12:00:00": "ann",  # the instant of the link
        "2026-03-17T12:00:01": "ann",  # ben is more than 35 days away
        "2026-04-26T11:59:59": "ann",
        "2026-04-26T12:00:00": "ben",  # ben signs in exactly 35 days later
        "2026-05-31T12:00:00": "ben",
        "2027-01-01T00:00:00": "ben",
    }
    case.facts("events", *(heard(time, anonymous_id="phone") for time in times))
    case.facts("identities", link("phone", "ben", "2026-05-31T12:00"))
    case.facts("identities", link("phone", "ann", "2026-03-17T12:00"))
    assert users_of(case) == times


def test_a_device_and_a_user_are_counted_once(tmp_path: Path) -> None:
    """What she did before signing in is hers, in one session, in her account."""
    case = Case(tmp_path)
    case.facts("memberships", {"user_id": "ann", "account_id": "A"})
    before = heard("2026-05-01T10:00", anonymous_id="phone", account_id=None)
    case.facts("events", before, heard("2026-05-01T10:10", "ann", account_id=None))
    case.roll_up()
    assert [day["events"] for day in case.table("user_days")] == [1]
    case.facts("identities", link("phone", "ann", "2026-05-01T10:10"))
    case.roll_up()
    (day,) = case.table("user_days")
    assert (day["account_id"], day["user_id"], day["events"]) == ("A", "ann", 2)
    (session,) = case.table("sessions")
    assert session["duration_ms"] == 600_000


def test_a_device_named_by_an_alias(tmp_path: Path) -> None:
    """Some clients alias the anonymous id; then it is that user's for ever."""
    case = Case(tmp_path)
    case.facts("events", heard("2020-01-01T00:00", anonymous_id="phone"))
    case.facts("identities", link("phone", "ann", "2026-05-01T00:00", "alias"))
    assert users_of(case) == {"2020-01-01T00:00": "ann"}


def test_the_days_of_a_device_are_a_setting(tmp_path: Path) -> None:
    case = Case(tmp_path, late_days=1)
    times = {"2026-05-01T00:00": None, "2026-05-02T00:00": "ann"}
    case.facts("events", *(heard(time, anonymous_id="phone") for time in times))
    case.facts("identities", link("phone", "ann", "2026-05-02T12:00"))
    assert users_of(case) == times


def test_one_person_has_one_seat(tmp_path: Path) -> None:
    case = Case(tmp_path)
    spans = [
        ("old", "2026-01-01T00:00", "2026-03-01T00:00"),
        ("new", "2026-02-01T00:00", None),
        ("other", "2026-01-01T00:00", "2026-02-01T00:00"),
        ("other", "2026-03-01T00:00", "2026-04-01T00:00"),
    ]
    for user, starts, ends in spans:
        row = {"user_id": user, "account_id": "A", "starts_at": starts, "ends_at": ends}
        case.facts("memberships", row)
    case.facts("identities", link("old", "new", "2026-02-01T00:00", "alias"))
    case.facts("users", {"user_id": "old", "deactivated_at": "2026-02-01T00:00"})
    case.roll_up()
    seats = [tuple(map(str, seat.values())) for seat in case.table("assignments")]
    assert sorted(seats) == [
        ("A", "new", "2026-01-01", "None"),
        ("A", "other", "2026-01-01", "2026-02-01"),
        ("A", "other", "2026-03-01", "2026-04-01"),
    ]


def test_an_account_is_told_only_by_a_single_membership(tmp_path: Path) -> None:
    case = Case(tmp_path)
    for account, starts, ends in (
        ("A", None, "2026-05-03T00:00"),
        ("A", "2026-05-01T00:00", "2026-05-02T00:00"),  # the same account twice
        ("B", "2026-05-02T00:00", "2026-05-04T00:00"),
    ):
        row = {"account_id": account, "starts_at": starts, "ends_at": ends}
        case.facts("memberships", {"user_id": "u", **row})
    expected = {
        "2020-01-01T12:00": "A",
        "2026-05-01T12:00": "A",
        "2026-05-02T12:00": None,
        "2026-05-03T00:00": "B",
        "2026-05-04T00:00": None,
    }
    case.facts("events", *(heard(time, "u", account_id=None) for time in expected))
    case.roll_up()
    found = {r["feature_id"]: r["account_id"] for r in case.table("feature_days")}
    assert found == expected


@pytest.mark.parametrize("crowd", [1, 100])
def test_a_crowd_on_one_device_and_in_one_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crowd: int
) -> None:
    """Looked up another way, with the same result."""
    monkeypatch.setattr(meaning, "CROWD", crowd)
    monkeypatch.setattr(touched, "CROWD", crowd)
    case = Case(tmp_path)
    times = [f"2026-05-0{n}T12:00" for n in range(1, 8)]
    case.facts("events", *(heard(t, anonymous_id="tv", account_id=None) for t in times))
    case.facts("identities", link("tv", "u1", "2026-05-02T00:00"))
    case.facts("identities", link("tv", "u2", "2026-05-04T00:00"))
    for day, account in ((1, "A"), (3, "B"), (5, "C")):
        row = {"user_id": "u2", "account_id": account}
        starts, ends = f"2026-05-0{day}T00:00", f"2026-05-0{day + 2}T13:00"
        case.facts("memberships", {**row, "starts_at": starts, "ends_at": ends})
    case.roll_up()
    case.facts("identities", link("tv", "u3", "2026-05-06T00:00"))
    case.facts("memberships", {"user_id": "u3", "account_id": "D"})
    case.roll_up()
    rows = {r["feature_id"]: r for r in case.table("feature_days")}
    assert [rows[time]["user_id"] if time in rows else "" for time in times] == [
        "u1", "u2", "u2", "u3", "u3", "u3", "u3",
    ]  # fmt: skip
    assert [rows[time]["account_id"] for time in times] == [
        None, "A", None, "D", "D", "D", "D",
    ]  # fmt: skip


def test_equal_ids_of_two_sources_are_two_events(tmp_path: Path) -> None:
    case = Case(tmp_path)
    event = {**heard("2026-05-01T00:00", "u"), "account_id": None}
    for source in (None, "web", "app"):
        case.facts("events", {**event, "source_id": source})
    case.roll_up()
    assert [day["events"] for day in case.table("user_days")] == [3]


def test_late_by_http_is_in_no_number_but_counted(tmp_path: Path) -> None:
    case = Case(tmp_path)
    late = {"received_at": "2026-06-05T00:00:01"}  # 35 days and a second
    case.facts(
        "events",
        heard("2026-05-01T00:00", "file", **late),
        heard("2026-05-01T00:00", "web", **late, source_id="s"),
        heard("2026-05-01T00:00:01", "just", **late, source_id="s"),
    )
    case.roll_up()
    assert {d["user_id"] for d in case.table("user_days")} == {"file", "just"}
    assert {d["user_id"] for d in case.table("sessions")} == {"file", "just"}
    heard_of = {(d["event"], d["source_id"]) for d in case.table("event_days")}
    assert ("2026-05-01T00:00", "s") in heard_of


def test_robots_and_impersonated_events_are_in_no_number(tmp_path: Path) -> None:
    case = Case(tmp_path)
    for reason in ("bot", "impersonated", None):
        case.facts("events", heard("2026-05-01", str(reason), excluded_as=reason))
    case.roll_up()
    assert [d["user_id"] for d in case.table("user_days")] == ["None"]
    assert [d["user_id"] for d in case.table("assignments")] == ["None"]
    assert [d["events"] for d in case.table("event_days")] == [3]


def test_calls_that_are_no_events_never_count(tmp_path: Path) -> None:
    """Not even where a definition says that they do."""
    case = Case(tmp_path)
    told = {"name": "$group", "kind": "login", "counts_as_activity": True}
    case.facts("event_definitions", told)
    for name in ("$identify", "$group", "Dollar $"):
        case.facts("events", heard("2026-05-01T00:00", "u", event=name, event_id=name))
    assert users_of(case) == {"Dollar $": "u"}
    assert [d["events"] for d in case.table("user_days")] == [1]


def test_what_was_heard_by_day_name_and_source(tmp_path: Path) -> None:
    case = Case(tmp_path, timezone="Europe/Berlin")
    for time, user, source in (
        ("2026-03-28T22:59", "u", None),
        ("2026-03-28T23:00", "u", None),
        ("2026-03-29T21:59", "old", None),  # the day has 23 hours
        ("2026-03-29T12:00", None, "web"),
        ("2026-03-29T13:00", None, "web"),
    ):
        more = {"event": "Opened", "anonymous_id": "phone", "source_id": source}
        case.facts("events", heard(time, user, event_id=time, **more))
    case.facts("identities", link("old", "u", "2026-01-01T00:00", "alias"))
    case.roll_up()
    rows = [tuple(row.values()) for row in case.table("event_days")]
    at = [instant(f"2026-03-{t}") for t in ("28T22:59", "28T23:00", "29T21:59")]
    noon, one = instant("2026-03-29T12:00"), instant("2026-03-29T13:00")
    days = {str(row[0]): None for row in rows}
    assert sorted(days) == ["2026-03-28", "2026-03-29"]
    assert sorted((str(row[0]), *row[1:]) for row in rows if not row[2]) == [
        ("2026-03-28", "Opened", None, 1, 1, at[0], at[0]),
        ("2026-03-29", "Opened", None, 2, 1, at[1], at[2]),
    ]
    assert [row[1:] for row in rows if row[2]] == [("Opened", "web", 2, 0, noon, one)]


# The rules once more, in plain Python

ids = st.sampled_from(["a", "b", "c", "d"])
days = st.integers(0, 120)
identities = st.lists(
    st.tuples(ids, ids, st.sampled_from(["anonymous", "alias"]), days),
    max_size=8,
    unique_by=lambda row: row[:2],
)
events = st.lists(
    st.tuples(st.none() | ids, st.none() | ids, days), min_size=1, max_size=12
)


def person(user: str, told: list[tuple[str, str, str, int]]) -> str:
    """Follow the newest alias until it leads nowhere or around."""
    newest: dict[str, tuple[int, str]] = {}
    for former, to, kind, day in told:
        if kind == "alias" and former != to:
            newest[former] = max(newest.get(former, (-1, "")), (day, to))
    seen: list[str] = []
    while user in newest and user not in seen:
        seen.append(user)
        user = newest[user][1]
    ring = seen[seen.index(user) :] if user in seen else []
    return max((newest[member] for member in ring), default=(0, user))[1]


def whose(
    user: str | None,
    device: str | None,
    day: int,
    told: list[tuple[str, str, str, int]],
) -> str | None:
    if user is not None:
        return person(user, told)
    signed = sorted(
        (at, to) for former, to, kind, at in told if former == device and kind[1] == "n"
    )
    after = [(at, to) for at, to in signed if at >= day]
    before = [(at, to) for at, to in signed if at < day]
    if after and after[0][0] - day <= 35:
        return person(after[0][1], told)
    if before:
        return person(before[-1][1], told)
    found = person(device, told) if device else None
    return None if found == device else found


def at(day: int) -> datetime:
    return START + timedelta(days=day)


@settings(max_examples=8)
@given(told=identities, told_events=events)
def test_whose_events_are(
    told: list[tuple[str, str, str, int]],
    told_events: list[tuple[str | None, str | None, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        case = Case(Path(folder))
        for former, to, kind, day in told:
            case.facts("identities", link(former, to, at(day), kind))
        rows = [
            heard(at(day), user, anonymous_id=device, event=str(n), event_id=str(n))
            for n, (user, device, day) in enumerate(told_events)
        ]
        case.facts("events", *rows)
        assert users_of(case) == {
            str(n): whose(user, device, day, told)
            for n, (user, device, day) in enumerate(told_events)
        }
